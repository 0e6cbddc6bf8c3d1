// SPDX-License-Identifier: GPL-2.0-only
/*
 * One long operation on one file, with a progress bar.
 *
 * The first Ctrl-C stops it after the current step, and a message says so. A
 * second one kills the program at once. That does no harm: the module stops at
 * a safe point.
 */
#include <errno.h>
#include <signal.h>

#include "base/errors.h"
#include "steps/step.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

int step_progress(uint64_t done, uint64_t total, void *arg)
{
	struct step *step = arg;

	progress_update(&step->progress, done, total);
	return interrupted;
}

static void catch(int sig, struct sigaction *saved)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	sigaction(sig, NULL, saved);
	/* If the signal is ignored (nohup), it stays ignored. */
	if (saved->sa_handler != SIG_IGN)
		sigaction(sig, &action, NULL);
}

void step_begin(struct step *step, const char *label)
{
	catch(SIGINT, &step->saved_int);
	catch(SIGTERM, &step->saved_term);
	progress_begin(&step->progress, label);
}

bool step_end(struct step *step)
{
	progress_end(&step->progress);
	sigaction(SIGINT, &step->saved_int, NULL);
	sigaction(SIGTERM, &step->saved_term, NULL);
	return interrupted;
}

static void begin(struct step *step, struct seal_session *session,
		  const char *path)
{
	step_begin(step, path);
	seal_set_progress(session, step_progress, step);
}

static int end(struct step *step, struct seal_session *session,
	       const char *path, const char *name, int ret)
{
	bool stopped;

	seal_set_progress(session, NULL, NULL);
	stopped = step_end(step);
	/* A signal during the last step must stop the work on other files. */
	if (!ret && stopped)
		ret = -ECANCELED;
	if (ret)
		complain_range(path, name, -ret);
	return ret;
}

int step_prealloc(struct seal_session *session, const char *path, int fd,
		  uint32_t flags, uint64_t offset, uint64_t length)
{
	struct step step;
	int ret;

	begin(&step, session, path);
	ret = seal_prealloc(session, fd, flags, offset, length);
	return end(&step, session, path, "preallocating", ret);
}

int step_unshare(struct seal_session *session, const char *path, int fd,
		 uint64_t offset, uint64_t length)
{
	struct step step;
	int ret;

	begin(&step, session, path);
	ret = seal_unshare(session, fd, offset, length);
	return end(&step, session, path, "unsharing", ret);
}
