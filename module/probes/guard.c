// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guards, where landings are used.
 *
 * BPF trampolines that share a function call it through a register from before
 * its ftrace_ops is registered until after it is unregistered: the kernel builds
 * them anew before the one and after the other. In between, and in a trampoline
 * that was told to share by share.c, only the guard sends calls to landings. A
 * guard is an ops of the set without IPMODIFY, on the same functions, that does
 * nothing else. It is registered before trampolines are told to share, and may
 * go when the gates are there, because these send calls to landings, too; it is
 * registered again before they are detached, and stays until no trampoline
 * shares any more.
 *
 * Two ops on a function cost each call of it much more than one. So a worker
 * unregisters the guard soon after the gates were attached. Its list of
 * functions is kept: to register it again needs no memory.
 */
#include <linux/ftrace.h>
#include <linux/rcupdate.h>

#include "base/debug.h"
#include "probes/enter.h"
#include "probes/gate.h"
#include "probes/guard.h"
#include "probes/landing.h"
#include "probes/ops.h"
#include "probes/refusal.h"

bool seal_guard_used(const struct seal_gate_set *set)
{
	return seal_landings_used() && !set->observes;
}

bool seal_guard_called(const struct seal_gate_set *set)
{
	return set->guard.state == SEAL_OPS_CALLED;
}

int seal_guard_attach(struct seal_gate_set *set, char *reason)
{
	unsigned long sites[SEAL_GATES_MAX];
	struct seal_gate *first = NULL;
	unsigned int i, nr = 0;
	int ret;

	if (!seal_guard_used(set) || seal_guard_called(set) ||
	    seal_step_skipped(SEAL_STEP_GUARDS))
		return 0;
	for (i = 0; i < set->nr_gates; i++) {
		if (!set->gates[i].site)
			continue;
		first = first ?: &set->gates[i];
		sites[nr++] = set->gates[i].site;
	}
	if (!nr)
		return 0;
	ret = seal_ops_attach(&set->guard, seal_enter_guard, true, sites, nr);
	if (ret)
		return seal_refusal_explain(set, first, ret, reason);
	/* calls that have not seen the guard have left the handlers of ftrace */
	synchronize_rcu();
	return 0;
}

bool seal_guard_leave(struct seal_gate_set *set)
{
	return seal_ops_leave(&set->guard);
}

bool seal_guard_free(struct seal_gate_set *set)
{
	return seal_ops_free(&set->guard);
}
