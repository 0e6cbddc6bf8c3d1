// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gate that ftrace calls by itself.
 *
 * A kprobe on a function entry is a call from ftrace as well, but behind it
 * come a copy of all registers, a look-up of the probe and the state kprobes
 * keeps: four fifths of what a gate costs that lets a write pass. An
 * ftrace_ops that has a function to itself is called straight from a small
 * trampoline made for it.
 *
 * IPMODIFY: it may redirect, so nobody else may. A live patch is refused, a BPF
 * trampoline told to share. PERMANENT: while it is there, ftrace cannot be
 * switched off (kernel.ftrace_enabled). Not SAVE_REGS: the arguments and the
 * instruction pointer are enough. Not RECURSION: the hook calls nothing that
 * could come back to the function.
 *
 * Each time it is attached the ops is registered anew, instead of adding the
 * function to one that is registered: only registering looks for BPF
 * trampolines that are there already.
 *
 * Taking it away needs no memory. ftrace waits until nobody is in the
 * trampoline or in the hook, which runs preemptible (RCU tasks).
 */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/module.h>

#include "probes/hook.h"
#include "probes/probe.h"

static bool kprobes_only;
module_param_named(kprobes, kprobes_only, bool, 0444);
MODULE_PARM_DESC(kprobes, "attach every gate by a kprobe, none by ftrace itself");

bool seal_hooks_wanted(void)
{
	return !kprobes_only;
}

int seal_hook_attach(struct ftrace_ops *ops, ftrace_func_t hook,
		     unsigned long address)
{
	int ret;

	*ops = (struct ftrace_ops){
		.func	= hook,
		.flags	= FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
	};
	ret = ftrace_set_filter_ip(ops, address, 0, 1);
	if (!ret)
		ret = register_ftrace_function(ops);
	if (ret)
		ftrace_free_filter(ops);
	return ret;
}

bool seal_hook_detach(struct ftrace_ops *ops)
{
	/* fails only if ftrace found its own code broken and gave up */
	if (unregister_ftrace_function(ops)) {
		seal_probes_give_up();
		return false;
	}
	ftrace_free_filter(ops);
	return true;
}
