/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of sealing that the debug build can leave out, so that tests can show
 * that each of them is needed.
 */
#ifndef SEAL_DEBUG_H
#define SEAL_DEBUG_H

#include <linux/types.h>

enum seal_step {
	SEAL_STEP_ENTERED,	/* calls that entered before the gates were there */
	SEAL_STEP_KTHREADS,	/* kernel threads among them */
	SEAL_STEP_RWSEM,	/* i_rwsem, before a map is read */
	SEAL_STEP_INVALIDATE,	/* the invalidate lock */
	SEAL_STEP_DIO,		/* direct I/O that is under way */
	SEAL_STEP_WRAPPERS,	/* calls that entered without a lock */
	SEAL_STEP_LAYOUTS,	/* calls that dropped their lock for a layout */
	SEAL_STEP_COW,		/* reflinked once: nothing is in place */
	SEAL_STEP_PAGES,	/* cached pages of what is not in place */
	SEAL_STEP_FOLIOS,	/* large folios */
	SEAL_STEP_STAGING,	/* what a failed atomic write has left */
	SEAL_STEP_FACTS,	/* attributes, looked at again */
	SEAL_STEP_OWN,		/* files of the filesystem itself */
	SEAL_STEP_WATCH,	/* who passed while the gates were watched */
};

#ifdef CONFIG_SEAL_DEBUG
bool seal_step_skipped(enum seal_step step);
#else
static inline bool seal_step_skipped(enum seal_step step)
{
	return false;
}
#endif

#endif /* SEAL_DEBUG_H */
