/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers on functions of the kernel: an ftrace_ops is registered, and is
 * unregistered without anybody having to wait for the locks of ftrace meanwhile.
 *
 * All of it is called under sets_lock of set.c, but for seal_ops_wait().
 */
#ifndef SEAL_OPS_H
#define SEAL_OPS_H

#include <linux/ftrace.h>
#include <linux/types.h>

struct list_head;

enum seal_ops_state {
	SEAL_OPS_FREE,		/* nothing of it is there; a structure of zeros is free */
	SEAL_OPS_CALLED,	/* it is registered */
	/* unregistered, but calls may be under way, and ftrace has memory for it */
	SEAL_OPS_LEFT,
};

struct seal_ops {
	struct ftrace_ops	ops;
	enum seal_ops_state	state;
};

/*
 * Have @func called at @nr functions, whose @sites are addresses of calls to ftrace. If
 * it only @observes, others may redirect these functions; else nobody else may. If @ops
 * has left, it comes back at once, as it was: the arguments must be the same. Returns
 * 0, or an error, after which @ops is as it was before: -EAGAIN while BPF programs come
 * and go there, -EBUSY if somebody else redirects one of them or ftrace is switched
 * off. May sleep, but not for long.
 */
int seal_ops_attach(struct seal_ops *ops, ftrace_func_t func, bool observes,
		    unsigned long *sites, unsigned int nr);

/*
 * Have @ops called no more, if it is. Calls of it may be under way, also on their
 * return. Returns false if it stays for ever, and its functions with it.
 */
bool seal_ops_leave(struct seal_ops *ops);

/*
 * Wait for the end of calls of all ops that have left: until every task has slept,
 * or was in user space. A task that runs in the kernel without a pause makes this
 * long, so the caller holds no lock that a stranger needs.
 */
void seal_ops_wait(void);

/*
 * Free what belongs to @ops, if it has left; then seal_ops_wait() was called since. An
 * RCU grace period must pass before @ops is used again, because ftrace may just be
 * walking past it. Returns false if something of it stays for ever.
 */
bool seal_ops_free(struct seal_ops *ops);

/* An ops for a moment, which belongs to no gate; NULL: there is no memory. */
struct seal_ops *seal_ops_scratch(void);

/* It is not needed any more: it leaves, and is freed with those that have left. */
void seal_ops_discard(struct seal_ops *scratch);

/* Move those to @list that have been discarded. Returns false if there is none. */
bool seal_ops_discarded(struct list_head *list);

/* Free all on @list; seal_ops_wait() was called since they were discarded. */
void seal_ops_free_list(struct list_head *list);

/* A handler that does nothing, for an ops that only has to be registered. */
void seal_enter_nothing(unsigned long ip, unsigned long parent,
			struct ftrace_ops *ops, struct ftrace_regs *call);

#endif /* SEAL_OPS_H */
