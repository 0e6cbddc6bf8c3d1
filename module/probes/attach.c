// SPDX-License-Identifier: GPL-2.0-only
/* Attaches the gates of a set to their functions, and has them leave again. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>

#include "base/debug.h"
#include "base/lock.h"
#include "probes/attach.h"
#include "probes/enter.h"
#include "probes/gate.h"
#include "probes/ops.h"
#include "probes/probe.h"
#include "probes/refusal.h"

/* Attach the ops that the gates of @set share. */
static int shared_attach(struct seal_gate_set *set, ftrace_func_t func,
			 const struct seal_limit *limit)
{
	int ret = seal_ops_attach(&set->ops, func, set->observes, set->sites,
				  set->nr_sites);

	return ret && ret != -ENOMEM ? seal_refusal_blame(set, ret, limit) : ret;
}

/*
 * Unregister the kprobes of the first @nr gates of @set. Returns false if one of them
 * stays for ever.
 */
static bool kprobes_detach(struct seal_gate_set *set, unsigned int nr)
{
	struct kprobe *probes[SEAL_MAX_PROBES];
	unsigned int i;

	for (i = 0; i < nr; i++)
		probes[i] = &set->gates[i].kp;
	seal_probes_remove(probes, nr);
	return !seal_probes_stuck();
}

/*
 * The kprobes have no post_handler, so they share their functions with kprobes
 * of anybody else.
 *
 * Such a kprobe redirects calls, but ftrace does not know that. A BPF program
 * at the exit of the function would call the original all the same, and a live
 * patch would run after the kprobe and decide where the call goes. So a set
 * that redirects also has an ops with IPMODIFY, whose callback decides nothing:
 * it tells ftrace that these functions are redirected.
 */
static int kprobes_attach(struct seal_gate_set *set,
			  const struct seal_limit *limit)
{
	unsigned int i;
	int ret;

	if (WARN_ON_ONCE(set->nr_gates > SEAL_MAX_PROBES))
		return -E2BIG;
	if (!set->observes) {
		ret = shared_attach(set, seal_enter_announced, limit);
		if (ret)
			return ret;
	}
	for (i = 0; i < set->nr_gates; i++) {
		struct seal_gate *gate = &set->gates[i];

		gate->kp = (struct kprobe){
			.addr		= (kprobe_opcode_t *)gate->site,
			.pre_handler	= gate->probe,
		};
		ret = seal_attach_fails() ? -ENOMEM : register_kprobe(&gate->kp);
		if (ret) {
			kprobes_detach(set, i);
			return seal_refusal_explain(set, gate, ret,
						    limit->reason);
		}
	}
	return 0;
}

static int hot_attach(struct seal_gate_set *set, struct seal_gate *gate,
		      char *reason)
{
	int ret;

	if (!gate->hook || !gate->site)
		return 0;
	ret = seal_ops_attach(&gate->ops, gate->hook, set->observes,
			      &gate->site, 1);
	return ret ? seal_refusal_explain(set, gate, ret, reason) : 0;
}

static int ftrace_attach(struct seal_gate_set *set,
			 const struct seal_limit *limit)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < set->nr_gates && !ret; i++)
		ret = hot_attach(set, &set->gates[i], limit->reason);
	if (!ret && set->nr_sites)
		ret = shared_attach(set, seal_enter_set, limit);
	return ret;
}

/* Have all ops leave that are called. */
static bool ops_leave(struct seal_gate_set *set)
{
	bool done = seal_ops_leave(&set->ops);
	unsigned int i;

	for (i = 0; done && i < set->nr_gates; i++)
		done = seal_ops_leave(&set->gates[i].ops);
	return done;
}

int seal_gates_attach(struct seal_gate_set *set, const struct seal_limit *limit)
{
	int ret = set->kprobes ? kprobes_attach(set, limit) :
				 ftrace_attach(set, limit);

	/* if a kprobe is left, so is the ops that announces its redirection */
	if (ret && !seal_probes_stuck())
		ops_leave(set);
	return ret;
}

bool seal_gates_leave(struct seal_gate_set *set)
{
	/* the same holds here */
	if (set->kprobes && !kprobes_detach(set, set->nr_gates))
		return false;
	return ops_leave(set);
}

bool seal_gates_free(struct seal_gate_set *set)
{
	bool done = seal_ops_free(&set->ops);
	unsigned int i;

	for (i = 0; done && i < set->nr_gates; i++)
		done = seal_ops_free(&set->gates[i].ops);
	return done;
}
