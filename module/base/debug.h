/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of sealing that the debug build can leave out, so that tests can show
 * that each of them is needed.
 */
#ifndef SEAL_DEBUG_H
#define SEAL_DEBUG_H

#include <linux/types.h>

enum seal_step {
	SEAL_STEP_ENTERED,	/* wait for calls older than the gates */
	SEAL_STEP_KTHREADS,	/* look at kernel threads for such calls, too */
	SEAL_STEP_RWSEM,	/* take i_rwsem before a map is read */
	SEAL_STEP_INVALIDATE,	/* take the invalidate lock */
	SEAL_STEP_DIO,		/* wait for direct I/O that is under way */
	SEAL_STEP_WRAPPERS,	/* wait for calls that entered without a lock */
	SEAL_STEP_LAYOUTS,	/* wait for calls that wait for a pNFS layout */
	SEAL_STEP_COW,		/* once reflinked: treat nothing as in place */
	SEAL_STEP_PAGES,	/* drop cached pages that are not in place */
	SEAL_STEP_FOLIOS,	/* keep large folios out of the page cache */
	SEAL_STEP_STAGING,	/* drop what a failed atomic write has left */
	SEAL_STEP_FACTS,	/* look at the attributes again */
	SEAL_STEP_OWN,		/* refuse files of the filesystem itself */
	SEAL_STEP_WATCH,	/* notice calls that pass watched gates */
	SEAL_STEP_LANDINGS,	/* send calls that pass to landings */
	SEAL_STEP_GUARDS,	/* also while gates are attached and detached */
};

#ifdef CONFIG_SEAL_DEBUG
bool seal_step_skipped(enum seal_step step);

/*
 * The caller is about to take one step of attaching gates. Must it fail instead?
 * The parameter fail_attach chooses which, by its number.
 */
bool seal_attach_fails(void);

/* Must removing a handler from ftrace fail? The parameter fail_detach says so. */
bool seal_detach_fails(void);
#else
static inline bool seal_step_skipped(enum seal_step step)
{
	return false;
}

static inline bool seal_attach_fails(void)
{
	return false;
}

static inline bool seal_detach_fails(void)
{
	return false;
}
#endif

#endif /* SEAL_DEBUG_H */
