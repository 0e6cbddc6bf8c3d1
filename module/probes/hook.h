/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate that ftrace calls by itself, without kprobes in between: for those that
 * every write passes, and every store that finds its page clean.
 */
#ifndef SEAL_HOOK_H
#define SEAL_HOOK_H

#include <linux/ftrace.h>
#include <linux/types.h>

/* May hooks be used? */
bool seal_hooks_wanted(void);

/* Have the function at @address, its ftrace call, run @hook. 0 or -errno. */
int seal_hook_attach(struct ftrace_ops *ops, ftrace_func_t hook,
		     unsigned long address);

/*
 * Nobody is inside the hook any more when this returns true. False: it cannot
 * be taken away and stays for ever. May sleep.
 */
bool seal_hook_detach(struct ftrace_ops *ops);

#endif /* SEAL_HOOK_H */
