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
 * Only ftrace can free the trampoline of an ops, and it does so either after it has
 * waited, or when it refuses to register a DYNAMIC ops. Hence the ops is offered
 * again in a form that ftrace always refuses: one that wants a direct call in every
 * function of the kernel.
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/rcupdate.h>

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
int seal_ops_attach(struct ftrace_ops *ops, ftrace_func_t func, bool observes,
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

int seal_ops_return(struct ftrace_ops *ops)
{
	unsigned long allocated = ops->flags & FTRACE_OPS_FL_ALLOC_TRAMP;
	int ret;

	/* without this flag ftrace does not free the trampoline if it refuses */
	ops->flags &= ~FTRACE_OPS_FL_ALLOC_TRAMP;
	ret = seal_attach_fails() ? -EBUSY : ops_register(ops);
	ops->flags |= allocated;
	return ret;
}

bool seal_ops_leave(struct ftrace_ops *ops)
{
	/* nobody but who registers or unregisters @ops writes its flags */
	ops->flags &= ~FTRACE_OPS_FL_DYNAMIC;
	/* fails only if ftrace found its own code broken and gave up */
	if (seal_detach_fails() || unregister_ftrace_function(ops)) {
		seal_probes_give_up();
		return false;
	}
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

bool seal_ops_free(struct ftrace_ops *ops)
{
	ftrace_free_filter(ops);
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
	if (register_ftrace_function(ops) == -EINVAL && !ops->trampoline)
		return true;
	/* ftrace has given up meanwhile */
	seal_probes_give_up();
	return false;
}

bool seal_ops_detach(struct ftrace_ops *ops)
{
	if (!seal_ops_leave(ops))
		return false;
	seal_ops_wait();
	if (!seal_ops_free(ops))
		return false;
	synchronize_rcu();
	return true;
}
