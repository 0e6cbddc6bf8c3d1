/* SPDX-License-Identifier: GPL-2.0-only */
/* Attaches the gates of a set to their functions, and has them leave again. */
#ifndef SEAL_ATTACH_H
#define SEAL_ATTACH_H

#include <linux/types.h>

struct seal_gate_set;
struct seal_limit;

/*
 * Attach the gates of @set, whose functions are known. Gates that have left, and are
 * not free yet, come back. Returns 0, or an error with the reason of @limit, as
 * seal_set_get(); those that were attached have left then, see seal_gates_leave().
 * These functions are called under sets_lock.
 */
int seal_gates_attach(struct seal_gate_set *set, const struct seal_limit *limit);

/*
 * Have the gates of @set called no more. Calls of them may be under way. Returns false
 * if one of them stays for ever.
 */
bool seal_gates_leave(struct seal_gate_set *set);

/* Free those that have left; as seal_ops_free(). */
bool seal_gates_free(struct seal_gate_set *set);

#endif /* SEAL_ATTACH_H */
