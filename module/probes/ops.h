/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers on functions of the kernel: an ftrace_ops is registered, and is
 * unregistered without anybody having to wait for the locks of ftrace meanwhile.
 */
#ifndef SEAL_OPS_H
#define SEAL_OPS_H

#include <linux/ftrace.h>
#include <linux/types.h>

/*
 * Overwrite @ops, and have @func called at @nr functions, whose @sites are
 * addresses of calls to ftrace. If it only @observes, others may redirect these
 * functions; else nobody else may. Returns 0, or an error: -EAGAIN while BPF
 * programs come and go there, -EBUSY if somebody else redirects one of them or
 * ftrace is switched off. May sleep, but not for long.
 */
int seal_ops_attach(struct ftrace_ops *ops, ftrace_func_t func, bool observes,
		    unsigned long *sites, unsigned int nr);

/*
 * Have an @ops called again that has left its functions. Calls from before may still be
 * under way. Returns 0 or an error as seal_ops_attach(); then it is as it was before.
 */
int seal_ops_return(struct ftrace_ops *ops);

/*
 * Have @ops called no more. Calls of it may be under way, also on their return.
 * Returns false if it stays for ever, and its functions with it.
 */
bool seal_ops_leave(struct ftrace_ops *ops);

/*
 * Wait for the end of calls of all ops that have left: until every task has slept,
 * or was in user space. A task that runs in the kernel without a pause makes this
 * long, so the caller holds no lock that a stranger needs.
 */
void seal_ops_wait(void);

/*
 * Free what belongs to @ops, which has left, and for which seal_ops_wait() was
 * called. An RCU grace period must pass before @ops is used again, because ftrace may
 * just be walking past it. Returns false if something of it stays for ever.
 */
bool seal_ops_free(struct ftrace_ops *ops);

/* Leave, wait, free. */
bool seal_ops_detach(struct ftrace_ops *ops);

/* A handler that does nothing, for an ops that only has to be registered. */
void seal_enter_nothing(unsigned long ip, unsigned long parent,
			struct ftrace_ops *ops, struct ftrace_regs *call);

#endif /* SEAL_OPS_H */
