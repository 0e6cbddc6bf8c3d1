/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of gates: when they are attached, and when they are detached. */
#ifndef SEAL_SET_H
#define SEAL_SET_H

#include "base/compat.h"
#include "probes/gate.h"

struct seal_limit;

/*
 * Attach the gates of @set for one more user. Returns 0 or an error, and fills
 * in the reason of @limit, except for -EINTR and -ENOMEM. -EBUSY: somebody else
 * redirects one of the functions, or others were attaching or detaching gates
 * until the end of @limit; -ENOENT: a function is missing; -EOPNOTSUPP: a
 * function does not call ftrace; -EINTR: killed while waiting for another
 * caller; -EIO: an earlier probe could not be removed; -ENOMEM.
 */
int seal_set_get(struct seal_gate_set *set, const struct seal_limit *limit);

/*
 * Give up one use of @set. After the last one a worker detaches the set, when
 * the time of the parameter linger_ms is over, so that a program that seals
 * again soon finds it attached. Waits for nobody.
 */
void seal_set_put(struct seal_gate_set *set);

/*
 * Look up the functions of @nr @sets together: each of the calls below would do so
 * for its set, which takes longer in all. A set that cannot be looked up now is left
 * to them. Returns 0, or an error as seal_set_get() does, after which the rest was not
 * looked up.
 */
int seal_sets_look_up(struct seal_gate_set *const *sets, unsigned int nr,
		      const struct seal_limit *limit);

/*
 * Does this kernel have all functions of @set? Nothing is attached. If it does not,
 * @found gets, with -ENOENT, the number of functions in the module of @set that were
 * found. Errors as for seal_set_get().
 */
int seal_set_resolve(struct seal_gate_set *set, const struct seal_limit *limit,
		     unsigned int *found);

/* Between these two no set is attached or detached: to look at the gates. */
void seal_sets_lock(void);
void seal_sets_unlock(void);

#if SEAL_LANDINGS && defined(CONFIG_SEAL_DEBUG)
struct seq_file;

/*
 * Print what the tests of landings ask: a line of what was counted, and for each
 * attached gate that redirects: set, function, whether ENDBR is where a call that
 * passes is sent, whether that leads to the original, whether the set has a guard
 * now, and the name of the place.
 */
void seal_landings_show(struct seq_file *m);
#endif

/*
 * Detaches every set; no set has a user. Then no task is on its way from a gate into a
 * function of the module any more.
 */
void seal_sets_exit(void);
int seal_sets_init(void);

#endif /* SEAL_SET_H */
