/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate that ftrace calls by itself, without kprobes in between: for those that
 * every write passes, and every store that finds its page clean.
 */
#ifndef SEAL_HOOK_H
#define SEAL_HOOK_H

#include <linux/types.h>

struct seal_gate;

/* Has @gate a hook, and may it be used? */
bool seal_hook_wanted(const struct seal_gate *gate);

/* Have the function at @address, its ftrace call, run the hook of @gate. */
int seal_hook_attach(struct seal_gate *gate, unsigned long address);

/* Nobody is inside the hook any more when this returns. May sleep. */
void seal_hook_detach(struct seal_gate *gate);

#endif /* SEAL_HOOK_H */
