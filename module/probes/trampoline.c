// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF trampolines, while functions that they are on get gates and lose them: each is
 * told to share the function in time (share.c), and, where landings are used, none is
 * left that shares a function without a gate.
 */
#include <linux/bpf.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "base/compat.h"
#include "probes/gate.h"
#include "probes/landing.h"
#include "probes/ops.h"
#include "probes/probe.h"
#include "probes/share.h"
#include "probes/trampoline.h"

/*
 * When ftrace tells a BPF trampoline that it need not share any more, and the
 * answer is an error (somebody attaches or detaches a program at that moment),
 * ftrace ignores it, and the trampoline goes on as before. So, where landings
 * are used, the answers to this task are noted, while it detaches gates.
 */
static struct task_struct *asker;
static bool refused;

SEAL_ORIGINAL(seal_bpf_answer, int, struct ftrace_ops *ops,
	      unsigned long second, unsigned long third);

/* (ops, cmd) or (ops, ip, cmd) */
static noinline int wrap_answer(struct ftrace_ops *ops, unsigned long second,
				unsigned long third)
{
	int ret = static_call(seal_bpf_answer)(ops, second, third);

	if (ret)
		refused = true;
	return ret;
}

void seal_asking_begin(void)
{
	refused = false;
	WRITE_ONCE(asker, current);
}

bool seal_asking_end(void)
{
	WRITE_ONCE(asker, NULL);
	return refused;
}

static void enter_answer(struct seal_gate *gate, struct ftrace_regs *call)
{
	if (READ_ONCE(asker) == current)
		seal_redirect(call, wrap_answer);
}

/*
 * Nor does ftrace ask a trampoline that is not on the function yet, or no more.
 * One that is being attached while the gates go is built to share, and is there
 * after them; one that was detached while they were there is built to share when
 * it is attached again. So each update of a trampoline goes through a wrapper,
 * within @updates, which
 *
 * - counts those after which a trampoline shares: there may be something to settle;
 * - has a trampoline that is on no function forget that it shared.
 */
DEFINE_STATIC_SRCU(updates);
static atomic64_t sharing;
/* It makes trampolines share for a moment: that is not counted. */
static struct task_struct *settler;

SEAL_ORIGINAL(seal_bpf_update, int, struct bpf_trampoline *trampoline,
	      unsigned long second, unsigned long third, unsigned long fourth);

/* (trampoline, bool) or (trampoline, bool, ops, data): its mutex is held. */
static noinline int wrap_update(struct bpf_trampoline *trampoline,
				unsigned long second, unsigned long third,
				unsigned long fourth)
{
	int ret, update = srcu_read_lock(&updates);

	if (SEAL_BPF_ASKS_LATE)
		seal_share_trampoline(trampoline);
	ret = static_call(seal_bpf_update)(trampoline, second, third, fourth);
	if (!trampoline->cur_image)
		trampoline->flags &= ~BPF_TRAMP_F_SHARE_IPMODIFY;
	else if (trampoline->flags & BPF_TRAMP_F_SHARE_IPMODIFY &&
		 READ_ONCE(settler) != current)
		atomic64_inc(&sharing);
	srcu_read_unlock(&updates, update);
	return ret;
}

static void enter_update(struct seal_gate *gate, struct ftrace_regs *call)
{
	/* no reference to the module: seal_updates_wait() is called at its exit */
	seal_redirect(call, wrap_update);
}

static struct seal_gate answer_gates[] = {
	{
		.symbol		= "bpf_tramp_ftrace_ops_func",
		.kind		= SEAL_GATE_OBSERVES,
		.enter		= enter_answer,
		.bind		= bind_seal_bpf_answer,
		.optional	= !IS_ENABLED(CONFIG_BPF_JIT),
	},
	{
		.symbol		= "bpf_trampoline_update",
		.kind		= SEAL_GATE_OBSERVES,
		.enter		= enter_update,
		.bind		= bind_seal_bpf_update,
		.optional	= !IS_ENABLED(CONFIG_BPF_JIT),
	},
};

struct seal_gate_set seal_answers = {
	.name		= "answers",
	.gates		= answer_gates,
	.nr_gates	= ARRAY_SIZE(answer_gates),
	.observes	= true,
};

u64 seal_sharing(void)
{
	return atomic64_read(&sharing);
}

void seal_updates_wait(void)
{
	if (seal_landings_used())
		synchronize_srcu(&updates);
}

/*
 * Each time a trampoline may be busy with somebody who attaches or detaches
 * programs all the time. So there are many tries: after the last one nothing can
 * be sealed any more.
 */
#define MAX_SETTLES	1000

enum settled { SETTLED, UNSETTLED, STUCK };

/* Redirect the function at @site and stop that again: has all been heard? */
static enum settled try_to_settle(struct seal_ops *scratch, unsigned long site)
{
	u64 begin = seal_sharing();
	bool unheard;
	int ret;

	WRITE_ONCE(settler, current);
	/* the guard is there, and sends calls to the landing */
	ret = seal_ops_attach(scratch, seal_enter_nothing, false, &site, 1);
	WRITE_ONCE(settler, NULL);
	/*
	 * Somebody else redirects the function, and has it shared; or its
	 * module has gone, and all programs on it before.
	 */
	if (ret == -EBUSY || ret == -EINVAL)
		return SETTLED;
	if (ret)
		return UNSETTLED;
	seal_asking_begin();
	if (!seal_ops_leave(scratch))
		return STUCK;
	unheard = seal_asking_end();
	/* updates that began before have ended: has none left what shares? */
	seal_updates_wait();
	return !unheard && seal_sharing() == begin ? SETTLED : UNSETTLED;
}

/*
 * No gate is on the function any more. When it was redirected and is not any more,
 * without a refusal, no BPF trampoline there shares it.
 */
static bool settle_site(unsigned long site)
{
	struct seal_ops *scratch = NULL;
	enum settled ret = UNSETTLED;
	unsigned int tries;

	for (tries = 0; ret == UNSETTLED && tries < MAX_SETTLES; tries++) {
		if (tries)
			usleep_range(1000, 2000);
		scratch = scratch ?: seal_ops_scratch();
		if (scratch)
			ret = try_to_settle(scratch, site);
	}
	if (scratch)
		seal_ops_discard(scratch);
	if (ret != SETTLED)
		seal_probes_give_up();
	return ret == SETTLED;
}

bool seal_trampolines_settle(const struct seal_gate_set *set)
{
	unsigned int i;

	for (i = 0; i < set->nr_gates; i++)
		if (set->gates[i].site && !settle_site(set->gates[i].site))
			return false;
	/* whoever saw a trampoline of before has seen the guard, too */
	synchronize_rcu();
	return true;
}

#if SEAL_BPF_ASKS_LATE
/* bpf_trampoline_update(trampoline, ...): the caller holds its mutex. */
static void enter_trampoline(struct seal_gate *gate, struct ftrace_regs *call)
{
	/* else wrap_update() does it */
	if (!seal_landings_used())
		seal_share_trampoline(seal_arg(call, 0, struct bpf_trampoline *));
}
#endif

static struct seal_gate trampoline_gates[] = {
#if SEAL_BPF_ASKS_LATE
	SEAL_OBSERVER_OPTIONAL("bpf_trampoline_update", enter_trampoline),
#endif
};

struct seal_gate_set seal_trampolines = {
	.name		= "trampolines",
	.gates		= trampoline_gates,
	.nr_gates	= ARRAY_SIZE(trampoline_gates),
	.observes	= true,
};
