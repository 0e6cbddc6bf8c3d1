/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the functions of a set in the kernel and in the modules of filesystems. */
#ifndef SEAL_LOOKUP_H
#define SEAL_LOOKUP_H

#include <linux/types.h>

struct seal_gate_set;

/* Are the functions of @set known? Without sets_lock this was so a moment ago. */
bool seal_set_known(const struct seal_gate_set *set);

/*
 * Look them up, if they are not known; none of its gates is attached, or has left and
 * is not free. Under sets_lock. Returns 0, or an error with @reason: -ENOENT: a
 * function is missing; -EOPNOTSUPP: a function does not call ftrace; -E2BIG; -ENOMEM.
 */
int seal_set_lookup(struct seal_gate_set *set, char *reason);

/*
 * Look up the functions of @nr @sets together, which takes little longer than for one,
 * except of those that are attached or leaving. Under sets_lock. Returns 0 or, as
 * above, the error of the first set with one; those behind it are not looked up.
 */
int seal_sets_lookup(struct seal_gate_set *const *sets, unsigned int nr,
		     char *reason);

#endif /* SEAL_LOOKUP_H */
