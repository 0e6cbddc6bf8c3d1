// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl serve: a file and what differs from another, over NBD, by qemu-nbd.
 *
 * The overlay is memory without a name, the socket is made here and handed over
 * as systemd does, so that clients can connect as soon as its name is printed.
 * NEW is sealed, to be read, until the server has ended; if a program wants to
 * write to it, the server is killed before anybody can read what it wrote: the
 * program waits for a lease of ours, which is given back when the server is dead.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "steps/compare.h"
#include "steps/overlay.h"

#define SERVER "qemu-nbd"
#define STATUS_NOT_FOUND 127

/* The first descriptor that a server is handed; ours are to be others. */
#define LISTEN_FD 3
#define FIRST_FD (LISTEN_FD + 1)

#define LOOK_NS 100000000L

static const struct option options[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "granularity", required_argument, NULL, 'g' },
	{ "socket", required_argument, NULL, 's' },
	{ "persistent", no_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct server {
	struct overlay overlay;
	const char *socket;		/* as it was given, or NULL */
	bool persistent;
	char directory[PATH_MAX];	/* of our own, "": none */
	struct sockaddr_un address;	/* empty path: not there */
	int overlay_fd;
	int listen_fd;
	struct seal_read *reading;
	int lease_fd;			/* of NEW */
	bool lost;			/* a program wanted to write to it */
	sigset_t signals;		/* blocked, they are waited for */
	pid_t pid;
};

/* A socket that only its owner reaches, in a directory of its own. */
static int choose_address(struct server *server)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	int n;

	if (server->socket) {
		n = snprintf(server->address.sun_path,
			     sizeof(server->address.sun_path), "%s",
			     server->socket);
	} else {
		if (!base || *base != '/')
			base = "/tmp";
		n = snprintf(server->directory, sizeof(server->directory),
			     "%s/sealctl-XXXXXX", base);
		if (n >= (int)sizeof(server->directory) ||
		    !mkdtemp(server->directory)) {
			complain(base, "making a directory in it: %s",
				 strerror(errno));
			server->directory[0] = '\0';
			return -1;
		}
		n = snprintf(server->address.sun_path,
			     sizeof(server->address.sun_path), "%s/nbd",
			     server->directory);
	}
	if (n < (int)sizeof(server->address.sun_path))
		return 0;
	server->address.sun_path[0] = '\0';
	complain(server->socket ? server->socket : server->directory,
		 "the path of a socket can have %zu bytes; give a shorter one with --socket",
		 sizeof(server->address.sun_path) - 1);
	return -1;
}

static int listen_there(struct server *server)
{
	struct sockaddr_un *address = &server->address;
	mode_t mask;
	int ret;

	if (choose_address(server))
		return -1;
	address->sun_family = AF_UNIX;
	server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(077);
	ret = server->listen_fd < 0 ? -1 :
	      bind(server->listen_fd, (struct sockaddr *)address,
		   sizeof(*address));
	umask(mask);
	if (!ret && !listen(server->listen_fd, SOMAXCONN))
		return 0;
	if (ret && errno == EADDRINUSE)
		complain(address->sun_path,
			 "it exists already; give another name, or remove it first");
	else
		complain(address->sun_path, "making a socket: %s",
			 strerror(errno));
	/* What was there before is not ours. */
	if (ret)
		address->sun_path[0] = '\0';
	return -1;
}

/*
 * Signals wait from here on, so that one that ends this process leaves nothing.
 * Nor is it to end because nobody reads its output.
 */
static void block_signals(struct server *server)
{
	static const int caught[] = {
		SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGIO,
	};
	unsigned int i;

	sigemptyset(&server->signals);
	for (i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&server->signals, caught[i]);
	sigprocmask(SIG_BLOCK, &server->signals, NULL);
	/* If it was ignored, the kernel would not tell how the server ended. */
	signal(SIGCHLD, SIG_DFL);
}

/*
 * Those of the library are given back as soon as the seals are, however long the
 * server goes on.
 */
static int take_lease(struct server *server)
{
	const struct f_owner_ex owner = { F_OWNER_TID, gettid() };
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 server->overlay.new_fd);
	server->lease_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (server->lease_fd >= 0 &&
	    !fcntl(server->lease_fd, F_SETOWN_EX, &owner) &&
	    !fcntl(server->lease_fd, F_SETLEASE, F_RDLCK))
		return 0;
	if (errno == EAGAIN)
		complain(server->overlay.new_path,
			 "a program opened it for writing, which goes first; serve a snapshot");
	else
		complain(server->overlay.new_path, "taking a lease: %s",
			 strerror(errno));
	return -1;
}

/* A program that waits for it may write from here on. */
static void drop_lease(struct server *server)
{
	if (server->lease_fd < 0)
		return;
	fcntl(server->lease_fd, F_SETLEASE, F_UNLCK);
	close(server->lease_fd);
	server->lease_fd = -1;
}

static bool somebody_writes(const struct server *server)
{
	return fcntl(server->lease_fd, F_GETLEASE) != F_RDLCK ||
	       seal_read_check(server->reading);
}

static void clean_up(struct server *server)
{
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	if (server->address.sun_path[0])
		unlink(server->address.sun_path);
	if (server->directory[0])
		rmdir(server->directory);
	if (server->overlay_fd >= 0)
		close(server->overlay_fd);
	drop_lease(server);
	seal_read_close(server->reading);
}

/*
 * From here on NEW is what it is: sealed before the comparison, which seals both
 * files for as long as it takes.
 */
static int prepare(struct server *server)
{
	struct overlay *overlay = &server->overlay;
	struct seal_files report;
	int ret;

	ret = seal_read_open(&overlay->new_fd, 1, &server->reading, &report);
	if (ret) {
		compare_refused(NULL, overlay->new_path, ret, &report);
		return -1;
	}
	server->overlay_fd = memfd_create("overlay", MFD_CLOEXEC);
	if (server->overlay_fd < 0) {
		complain("overlay", "%s", strerror(errno));
		return -1;
	}
	if (overlay_write(overlay, server->overlay_fd))
		return -1;
	overlay_warn(overlay);
	block_signals(server);
	if (take_lease(server))
		return -1;
	return listen_there(server);
}

/* Percent signs for what has a meaning in an URI. Without one, no client comes. */
static int print_uri(const struct server *server)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~";
	const char *c;

	fputs("nbd+unix:///?socket=", stdout);
	for (c = server->address.sun_path; *c; c++) {
		if (strchr(plain, *c))
			putchar(*c);
		else
			printf("%%%02X", (unsigned char)*c);
	}
	putchar('\n');
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	complain("output", "%s; nobody was told where to connect",
		 strerror(errno));
	return -1;
}

static char **environment(char *pid, char *fds)
{
	char **env, **out, **in;
	size_t nr = 3;

	for (in = environ; *in; in++)
		nr++;
	env = calloc(nr, sizeof(*env));
	if (!env)
		return NULL;
	out = env;
	for (in = environ; *in; in++)
		if (strncmp(*in, "LISTEN_", 7))
			*out++ = *in;
	*out++ = pid;
	*out++ = fds;
	return env;
}

static void exec_server(const struct server *server, pid_t parent)
{
	char listen_pid[40], listen_fds[] = "LISTEN_FDS=1";
	int overlay_fd, new_fd, listen_fd;
	char *bitmap = NULL, *image = NULL;
	char *arguments[8] = { SERVER, "--read-only", "--shared=0" };
	unsigned int nr = 3;
	sigset_t none;
	char **env;

	/* It must not outlive whoever cleans up. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(STATUS_FAILED);
	overlay_fd = fcntl(server->overlay_fd, F_DUPFD, FIRST_FD);
	new_fd = fcntl(server->overlay.new_fd, F_DUPFD, FIRST_FD);
	listen_fd = fcntl(server->listen_fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (overlay_fd < 0 || new_fd < 0 || listen_fd < 0 ||
	    dup2(listen_fd, LISTEN_FD) < 0 ||
	    asprintf(&bitmap, "--bitmap=%s", server->overlay.name) < 0 ||
	    /* without its cache: else the kernel reads ahead what is not asked for */
	    asprintf(&image,
		     "driver=qcow2,file.driver=file,file.filename=/proc/self/fd/%d,data-file.driver=file,data-file.filename=/proc/self/fd/%d,data-file.cache.direct=on",
		     overlay_fd, new_fd) < 0)
		_exit(STATUS_FAILED);
	if (server->persistent)
		arguments[nr++] = "--persistent";
	arguments[nr++] = bitmap;
	arguments[nr++] = "--image-opts";
	arguments[nr++] = image;
	snprintf(listen_pid, sizeof(listen_pid), "LISTEN_PID=%d", getpid());
	env = environment(listen_pid, listen_fds);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (env)
		execvpe(SERVER, arguments, env);
	if (errno == ENOENT) {
		complain(SERVER, "it is missing; install it (Debian: qemu-utils)");
		_exit(STATUS_NOT_FOUND);
	}
	complain(SERVER, "%s", strerror(errno));
	_exit(STATUS_FAILED);
}

/* Is NEW still sealed, and has it been? */
static bool still_sealed(const struct server *server)
{
	struct seal_status status;

	if (server->lost || seal_read_check(server->reading)) {
		complain(server->overlay.new_path,
			 "a program opened it for writing, which goes first; what clients read meanwhile is not to be used; serve a snapshot");
		return false;
	}
	if (seal_status(seal_read_session(server->reading),
			server->overlay.new_fd, &status) ||
	    !is_protected(&status)) {
		complain(server->overlay.new_path,
			 "the seal was not kept; what clients read is not to be used");
		return false;
	}
	return true;
}

/* Return: its status as waitpid() tells it. A signal to this process ends it. */
static int wait_for_server(struct server *server)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };
	int status, sig;

	while (waitpid(server->pid, &status, WNOHANG) != server->pid) {
		sig = sigtimedwait(&server->signals, NULL, &look);
		if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP)
			kill(server->pid, SIGTERM);
		/* No byte that is not of NEW as it was. */
		if (somebody_writes(server)) {
			server->lost = true;
			kill(server->pid, SIGKILL);
		}
	}
	drop_lease(server);
	return status;
}

static int run(struct server *server)
{
	pid_t parent = getpid();
	bool told;
	int status;

	server->pid = fork();
	if (!server->pid)
		exec_server(server, parent);
	if (server->pid < 0) {
		complain(SERVER, "%s", strerror(errno));
		return STATUS_FAILED;
	}
	/* Without a server nobody is to wait for one. */
	close(server->listen_fd);
	server->listen_fd = -1;
	told = !print_uri(server);
	if (!told)
		kill(server->pid, SIGKILL);
	status = wait_for_server(server);
	if (!told || !still_sealed(server))
		return STATUS_FAILED;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return STATUS_OK;
	if (WIFSIGNALED(status))
		complain(SERVER, "killed by signal %d", WTERMSIG(status));
	return STATUS_FAILED;
}

static int serve(struct server *server)
{
	int status = STATUS_FAILED;

	if (overlay_open(&server->overlay))
		return STATUS_FAILED;
	if (!prepare(server))
		status = run(server);
	clean_up(server);
	overlay_close(&server->overlay);
	return status;
}

int cmd_serve(const struct verb *verb, int argc, char **argv)
{
	struct server server = {
		.overlay.name = OVERLAY_BITMAP,
		.overlay.output = "the overlay in memory",
		.overlay_fd = -1,
		.listen_fd = -1,
		.lease_fd = -1,
	};
	struct overlay *overlay = &server.overlay;
	int option;

	while ((option = getopt_long(argc, argv, "n:g:s:th", options,
				     NULL)) != -1) {
		switch (option) {
		case 'n':
			overlay->name = optarg;
			break;
		case 'g':
			if (overlay_granularity(optarg, &overlay->granularity))
				return STATUS_USAGE;
			break;
		case 's':
			server.socket = optarg;
			break;
		case 't':
			server.persistent = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 2 != argc)
		return verb_usage(verb);
	overlay->old_path = argv[optind];
	overlay->new_path = argv[optind + 1];
	return serve(&server);
}
