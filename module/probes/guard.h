/* SPDX-License-Identifier: GPL-2.0-only */
/* Guards: they send calls of BPF trampolines to landings while gates come and go. */
#ifndef SEAL_GUARD_H
#define SEAL_GUARD_H

#include <linux/types.h>

struct seal_gate_set;

/* Is there a guard while the gates of @set come and go? Never changes. */
bool seal_guard_used(const struct seal_gate_set *set);

/* Is it called now? The rest is called under sets_lock. */
bool seal_guard_called(const struct seal_gate_set *set);

/*
 * Have the guard of @set called, if it is used and is not called; the functions of the
 * set are known. Returns 0, or an error with @reason. If it has left, and is not free,
 * that needs no memory.
 */
int seal_guard_attach(struct seal_gate_set *set, char *reason);

/* As seal_ops_leave() and seal_ops_free(). */
bool seal_guard_leave(struct seal_gate_set *set);
bool seal_guard_free(struct seal_gate_set *set);

#endif /* SEAL_GUARD_H */
