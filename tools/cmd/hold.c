// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl hold: seal files while a command runs.
 *
 * The claims belong to this process alone. Its session is close-on-exec, so the
 * claims end with this process, however it ends, and the command cannot prolong
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "steps/seal_step.h"

#define STATUS_NOT_EXECUTABLE	126
#define STATUS_NOT_FOUND	127
#define STATUS_SIGNALLED	128

static const struct option options[] = {
	{ "require", required_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

static volatile sig_atomic_t child;

/*
 * A signal that a program sends to this process is meant for the command. A
 * signal of the terminal goes to both anyway, and must not end this process
 * before the command.
 */
static void forward(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (info->si_code <= 0 && child > 0)
		kill((pid_t)child, sig);
	errno = saved;
}

static void catch_signals(struct sigaction *saved)
{
	struct sigaction action = {
		.sa_sigaction = forward,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, &saved[i]);
}

static void restore_signals(const struct sigaction *saved)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &saved[i], NULL);
}

static void exec_command(char **command)
{
	int error;

	restore_file_limit();
	execvp(command[0], command);
	error = errno;
	complain(command[0], "cannot run it: %s", strerror(error));
	_exit(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

static int run_command(char **command)
{
	struct sigaction saved[ARRAY_SIZE(signals)];
	sigset_t set, old;
	int status;
	pid_t pid;

	/* No signal may arrive before it is known where to forward it. */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	catch_signals(saved);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		restore_signals(saved);
		sigprocmask(SIG_SETMASK, &old, NULL);
		exec_command(command);
	}
	child = pid;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		complain(command[0], "cannot run it: %s", strerror(errno));
		return STATUS_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_FAILED;
	child = 0;
	return WIFSIGNALED(status) ? STATUS_SIGNALLED + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* The seal was promised for the whole time: complain if it did not hold. */
static void check_kept(struct seal_session *session,
		       const struct file_list *list)
{
	struct seal_status status;
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		if (seal_status(session, list->fds[i], &status))
			continue;
		if ((status.flags & SEAL_STATUS_BROKEN) &&
		    (status.flags & SEAL_STATUS_LOG_ONLY))
			complain(list->paths[i],
				 "its map changed while the command ran, because the module is in log-only mode and refuses nothing");
		else if (status.flags & SEAL_STATUS_BROKEN)
			complain(list->paths[i],
				 "its map changed while the command ran; the kernel log says by what, do not use what the command took from it");
		else if (status.flags & SEAL_STATUS_REVOKED)
			complain(list->paths[i],
				 "an administrator revoked the seal while the command ran; its map may have changed");
		else if (!(status.flags & SEAL_STATUS_SEALED) ||
			 (status.flags & (SEAL_STATUS_DISARMED |
					  SEAL_STATUS_MISSED)))
			complain(list->paths[i],
				 "the gates were switched off or missed calls while the command ran; its map may have changed");
	}
}

static int hold(char **paths, int nr, const struct requirements *require,
		char **command)
{
	struct seal_session *session;
	int status = STATUS_FAILED;
	struct file_list list;

	session = open_session();
	if (!session)
		return STATUS_FAILED;
	if (!open_files(&list, paths, nr, O_RDONLY)) {
		if (!step_seal(session, &list, 0, require)) {
			warn_log_only(session, &list);
			status = run_command(command);
			check_kept(session, &list);
		}
		close_files(&list);
	}
	seal_close(session);
	return status;
}

int cmd_hold(const struct verb *verb, int argc, char **argv)
{
	struct requirements require = { 0 };
	int option, separator;

	/* "+": stop at the first file, since CMD has options of its own. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			if (parse_require_option(optarg, &require))
				return STATUS_USAGE;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	for (separator = optind; separator < argc; separator++)
		if (!strcmp(argv[separator], "--"))
			break;
	if (separator == optind || separator + 1 >= argc)
		return verb_usage(verb);
	return hold(argv + optind, separator - optind, &require,
		    argv + separator + 1);
}
