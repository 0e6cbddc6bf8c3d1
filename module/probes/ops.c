// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers an ftrace_ops, and unregisters it.
 *
 * Flags of an ftrace_ops that redirects calls:
 *
 * - IPMODIFY. ftrace lets only one such ops have a function. A later live patch
 *   of the function is refused; a BPF trampoline is told to share the function,
 *   or is refused.
 * - PERMANENT. While the ops is registered, ftrace cannot be switched off
 *   (sysctl kernel.ftrace_enabled).
 * - Not SAVE_REGS: the arguments and the instruction pointer are enough.
 * - Not RECURSION: no handler calls anything that leads back to its function.
 *
 * An ops is registered anew each time its set is attached. Adding a function to
 * a registered ops would not do: only registering looks for BPF trampolines
 * that are on the function already, and tells them to share. (This is why gates
 * are not kprobes: all kprobes share one such ops.)
 *
 * An ops of a module has the flag DYNAMIC, which ftrace sets when it registers the
 * ops: its memory may go. So ftrace waits, when it unregisters the ops, until no
 * task is in the trampoline or in the handler. It does so with its own lock held.
 * A task that runs in the kernel without a pause, such as any reader of
 * /dev/urandom, makes that last for minutes, and whoever loads or unloads a module
 * needs the lock. Therefore the flag is taken away first, and this file waits
 * itself, without a lock, and once for many ops.
 *
 * So whatever leaves is freed later, by a worker (set.c): also an ops that could not
 * be attached beside others, or that was tried for a moment to learn what is refused.
 *
 * Only ftrace can free the trampoline of an ops, and it does so either after it has
 * waited, or when it refuses to register a DYNAMIC ops. Hence the ops is offered
 * again in a form that ftrace always refuses: one that wants a direct call in every
 * function of the kernel.
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "base/debug.h"
#include "probes/ops.h"
#include "probes/probe.h"

/* ftrace itself waits for at least a millisecond in each try. */
#define MAX_TRIES	1000

/*
 * ftrace asks a BPF trampoline on one of the functions to share the function.
 * The answer is -EAGAIN while somebody attaches or detaches a program there.
 */
static int ops_register(struct ftrace_ops *ops)
{
	unsigned int tries;
	int ret;

	for (tries = 0; tries < MAX_TRIES; tries++) {
		ret = register_ftrace_function(ops);
		if (ret != -EAGAIN)
			break;
	}
	return ret;
}

/* One that was used before has stale pointers in it, so all is overwritten. */
static int ops_come(struct ftrace_ops *ops, ftrace_func_t func, bool observes,
		    unsigned long *sites, unsigned int nr)
{
	int ret;

	*ops = (struct ftrace_ops){
		.func	= func,
		.flags	= FTRACE_OPS_FL_PERMANENT |
			  (observes ? 0 : FTRACE_OPS_FL_IPMODIFY),
	};
	if (seal_attach_fails())
		return -ENOMEM;
	ret = ftrace_set_filter_ips(ops, sites, nr, 0, 1);
	if (!ret)
		ret = seal_attach_fails() ? -EBUSY : ops_register(ops);
	if (ret) {
		/* it was in the list of ops for a moment */
		synchronize_rcu();
		ftrace_free_filter(ops);
	}
	return ret;
}

/* It has left, and its list of functions is still there. */
static int ops_come_back(struct ftrace_ops *ops)
{
	unsigned long allocated = ops->flags & FTRACE_OPS_FL_ALLOC_TRAMP;
	int ret;

	/* without this flag ftrace does not free the trampoline if it refuses */
	ops->flags &= ~FTRACE_OPS_FL_ALLOC_TRAMP;
	ret = seal_attach_fails() ? -EBUSY : ops_register(ops);
	ops->flags |= allocated;
	return ret;
}

int seal_ops_attach(struct seal_ops *ops, ftrace_func_t func, bool observes,
		    unsigned long *sites, unsigned int nr)
{
	int ret = ops->state == SEAL_OPS_LEFT ?
		ops_come_back(&ops->ops) :
		ops_come(&ops->ops, func, observes, sites, nr);

	if (!ret)
		ops->state = SEAL_OPS_CALLED;
	return ret;
}

bool seal_ops_leave(struct seal_ops *ops)
{
	if (ops->state != SEAL_OPS_CALLED)
		return true;
	/* nobody but who registers or unregisters @ops writes its flags */
	ops->ops.flags &= ~FTRACE_OPS_FL_DYNAMIC;
	/* fails only if ftrace found its own code broken and gave up */
	if (seal_detach_fails() || unregister_ftrace_function(&ops->ops)) {
		seal_probes_give_up();
		return false;
	}
	ops->state = SEAL_OPS_LEFT;
	return true;
}

void seal_ops_wait(void)
{
	/* tasks, also those that were preempted in a trampoline */
	synchronize_rcu_tasks();
	/* interrupts of a processor that is idle, and walks of the list of ops */
	synchronize_rcu();
}

void notrace seal_enter_nothing(unsigned long ip, unsigned long parent,
				struct ftrace_ops *ops,
				struct ftrace_regs *call)
{
}

/* Have ftrace free the trampoline of @ops. Returns false if it does not. */
static bool trampoline_free(struct ftrace_ops *ops)
{
	if (!ops->trampoline)
		return true;
	/*
	 * No list of functions means all of them. ftrace has the ops in its list for
	 * a moment, so that other ops' calls may reach this handler.
	 */
	ops->func = seal_enter_nothing;
	ops->local_hash.filter_hash = NULL;
	ops->local_hash.notrace_hash = NULL;
	ops->flags &= ~(FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_IPMODIFY);
	ops->flags |= FTRACE_OPS_FL_DYNAMIC | FTRACE_OPS_FL_DIRECT;
	return register_ftrace_function(ops) == -EINVAL && !ops->trampoline;
}

bool seal_ops_free(struct seal_ops *ops)
{
	if (ops->state != SEAL_OPS_LEFT)
		return true;
	ftrace_free_filter(&ops->ops);
	if (!trampoline_free(&ops->ops)) {
		/* ftrace has given up meanwhile */
		seal_probes_give_up();
		return false;
	}
	ops->state = SEAL_OPS_FREE;
	return true;
}

struct scratch {
	struct seal_ops		ops;
	struct list_head	list;	/* discarded */
	struct rcu_head		rcu;
};

static LIST_HEAD(discarded);

struct seal_ops *seal_ops_scratch(void)
{
	struct scratch *scratch = kzalloc(sizeof(*scratch), GFP_KERNEL);

	return scratch ? &scratch->ops : NULL;
}

void seal_ops_discard(struct seal_ops *ops)
{
	/* else it stays for ever */
	if (seal_ops_leave(ops))
		list_add(&container_of(ops, struct scratch, ops)->list,
			 &discarded);
}

bool seal_ops_discarded(struct list_head *list)
{
	list_splice_init(&discarded, list);
	return !list_empty(list);
}

void seal_ops_free_list(struct list_head *list)
{
	struct scratch *scratch, *next;

	list_for_each_entry_safe(scratch, next, list, list)
		if (seal_ops_free(&scratch->ops))
			kfree_rcu(scratch, rcu);
}
