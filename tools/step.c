// SPDX-License-Identifier: GPL-2.0-only
/*
 * One long operation on one file, with a progress bar.
 *
 * The first Ctrl-C stops it after the current step, and says so. A second one
 * kills at once, which is harmless too: the module stops at a safe point.
 */
#include <errno.h>
#include <signal.h>

#include "errors.h"
#include "progress.h"
#include "sealctl.h"

struct step {
	struct progress progress;
	struct sigaction saved_int;
	struct sigaction saved_term;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int on_progress(uint64_t done, uint64_t total, void *arg)
{
	progress_update(arg, done, total);
	return interrupted;
}

static void catch(int sig, struct sigaction *saved)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	sigaction(sig, NULL, saved);
	/* Who started this wants it to run on. */
	if (saved->sa_handler != SIG_IGN)
		sigaction(sig, &action, NULL);
}

static void begin(struct step *step, struct seal_session *session,
		  const char *path)
{
	catch(SIGINT, &step->saved_int);
	catch(SIGTERM, &step->saved_term);
	progress_begin(&step->progress, path);
	seal_set_progress(session, on_progress, &step->progress);
}

static int end(struct step *step, struct seal_session *session,
	       const char *path, const char *name, int ret)
{
	seal_set_progress(session, NULL, NULL);
	progress_end(&step->progress);
	sigaction(SIGINT, &step->saved_int, NULL);
	sigaction(SIGTERM, &step->saved_term, NULL);
	/* It may have come during the last step: no further file. */
	if (!ret && interrupted)
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
