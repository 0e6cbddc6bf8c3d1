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

static void begin(struct seal_session *session, struct progress *progress,
		  const char *label)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = (int)SA_RESETHAND,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	progress_begin(progress, label);
	seal_set_progress(session, on_progress, progress);
}

static int end(struct seal_session *session, struct progress *progress,
	       const char *path, const char *step, int ret)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	seal_set_progress(session, NULL, NULL);
	progress_end(progress);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* It may have come during the last step: no further file. */
	if (!ret && interrupted)
		ret = -ECANCELED;
	if (ret)
		complain_range(path, step, -ret);
	return ret;
}

int step_prealloc(struct seal_session *session, const char *path, int fd,
		  uint32_t flags, uint64_t offset, uint64_t length)
{
	struct progress progress;
	int ret;

	begin(session, &progress, path);
	ret = seal_prealloc(session, fd, flags, offset, length);
	return end(session, &progress, path, "preallocating", ret);
}

int step_unshare(struct seal_session *session, const char *path, int fd,
		 uint64_t offset, uint64_t length)
{
	struct progress progress;
	int ret;

	begin(session, &progress, path);
	ret = seal_unshare(session, fd, offset, length);
	return end(session, &progress, path, "unsharing", ret);
}
