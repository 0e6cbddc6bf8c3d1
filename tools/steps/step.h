/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A long operation on one file, with a progress bar, that Ctrl-C stops at a
 * safe point.
 */
#ifndef SEALCTL_STEP_H
#define SEALCTL_STEP_H

#include <signal.h>

#include "base/sealctl.h"
#include "print/progress.h"

struct step {
	struct progress progress;
	struct sigaction saved_int;
	struct sigaction saved_term;
};

void step_begin(struct step *step, const char *label);
/* A seal_progress_fn, whose argument is the step. */
int step_progress(uint64_t done, uint64_t total, void *arg);
/* Return: was it told to stop? */
bool step_end(struct step *step);

int step_prealloc(struct seal_session *session, const char *path, int fd,
		  uint32_t flags, uint64_t offset, uint64_t length);
int step_unshare(struct seal_session *session, const char *path, int fd,
		 uint64_t offset, uint64_t length);

#endif /* SEALCTL_STEP_H */
