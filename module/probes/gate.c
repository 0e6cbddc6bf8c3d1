// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate engine: attaches sets of gates to functions of the kernel by ftrace,
 * and detaches them.
 *
 * A worker detaches a set, after the set has been without users for linger_ms.
 */
#include <linux/bpf.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "base/errand.h"
#include "base/lock.h"
#include "base/owners.h"
#include "probes/gate.h"
#include "probes/ops.h"
#include "probes/probe.h"
#include "probes/share.h"
#include "probes/symbol.h"
#include "uapi/seal.h"

static int linger_set(const char *val, const struct kernel_param *kp);

static const struct kernel_param_ops linger_ops = {
	.set	= linger_set,
	.get	= param_get_uint,
};

static unsigned int linger_ms = 1000;
module_param_cb(linger_ms, &linger_ops, &linger_ms, 0644);
__MODULE_PARM_TYPE(linger_ms, "uint");
MODULE_PARM_DESC(linger_ms, "how long gates stay attached after the last unseal");

/* Protects all sets, and the attaching and detaching of their gates. */
static DEFINE_MUTEX(sets_lock);

static u64 last_attach_id;

/* Attached sets; the one that was attached last comes first. */
static LIST_HEAD(attached);

/*
 * Sets whose gates are called no more, and whose ops are not free yet: calls of them
 * may be under way. A set that is needed again meanwhile comes back: the same ops are
 * registered once more, and nobody waits.
 */
static LIST_HEAD(leaving);

static void linger_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(linger, linger_work);
/* A queue of its own, which nobody else can fill. */
static struct workqueue_struct *linger_queue;

static unsigned long linger_time(void)
{
	return msecs_to_jiffies(READ_ONCE(linger_ms));
}

void seal_sets_lock(void)
{
	mutex_lock(&sets_lock);
}

void seal_sets_unlock(void)
{
	mutex_unlock(&sets_lock);
}

static __always_inline void enter_site(struct seal_gate_set *set,
				       unsigned long ip,
				       struct ftrace_regs *call, bool land)
{
	unsigned int i;

	for (i = 0; i < set->nr_sites; i++) {
		if (set->sites[i] == ip) {
			set->at_site[i]->enter(set->at_site[i], call);
			if (land)
				seal_land(set->at_site[i], ip, call);
			return;
		}
	}
}

static noinline notrace void enter_and_land(struct seal_gate_set *set,
					    unsigned long ip,
					    struct ftrace_regs *call)
{
	enter_site(set, ip, call, true);
}

/* The callback of an ops that several gates share. */
static notrace void enter_set(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *call)
{
	struct seal_gate_set *set = container_of(ops, struct seal_gate_set, ops);

	if (seal_landings_used())
		enter_and_land(set, ip, call);
	else
		enter_site(set, ip, call, false);
}

/* Send calls that pass the gates of @set to their landings; nothing else. */
static __always_inline void land_set(struct seal_gate_set *set, unsigned long ip,
				     struct ftrace_regs *call)
{
	unsigned int i;

	for (i = 0; i < set->nr_gates; i++) {
		if (set->gates[i].site == ip) {
			seal_land(&set->gates[i], ip, call);
			return;
		}
	}
}

/* The callback of an ops beside kprobes, which decide. */
static notrace void enter_announced(unsigned long ip, unsigned long parent,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *call)
{
	if (seal_landings_used())
		land_set(container_of(ops, struct seal_gate_set, ops), ip, call);
}

static notrace void enter_guard(unsigned long ip, unsigned long parent,
				struct ftrace_ops *ops,
				struct ftrace_regs *call)
{
	land_set(container_of(ops, struct seal_gate_set, guard), ip, call);
}

static void target(const struct seal_gate_set *set,
		   const struct seal_gate *gate, char *buf, size_t size)
{
	const char *module = set->module;

	snprintf(buf, size, "%s%s%s", module ?: "", module ? ":" : "",
		 gate->symbol);
}

/* If ftrace is switched off, even an ops that redirects nothing is refused. */
static bool ftrace_is_off(unsigned long site)
{
	struct ftrace_ops scratch;

	if (seal_ops_attach(&scratch, seal_enter_nothing, true, &site, 1))
		return true;
	seal_ops_detach(&scratch);
	return false;
}

static int explain(const struct seal_gate_set *set,
		   const struct seal_gate *gate, int error, char *reason)
{
	char name[80];

	target(set, gate, name, sizeof(name));
	if (error == -EAGAIN) {
		snprintf(reason, SEAL_REASON_LEN,
			 "BPF programs come and go on %s: try again", name);
		return -EBUSY;
	}
	if (error == -EBUSY && ftrace_is_off(gate->site))
		strscpy(reason, "ftrace is switched off (sysctl kernel.ftrace_enabled)",
			SEAL_REASON_LEN);
	else if (error == -EBUSY)
		snprintf(reason, SEAL_REASON_LEN,
			 "a live patch, or another tracer that redirects calls, is on %s: remove it first",
			 name);
	else
		snprintf(reason, SEAL_REASON_LEN, "no gate on %s (error %d)",
			 name, error);
	return error;
}

/* No set has more gates than this. */
#define GATES_MAX	(2 * SEAL_SET_MAX)

/* The functions of a set that are looked up together. */
struct lookup {
	struct kprobe	*kps[GATES_MAX];
	unsigned int	nr;
};

static int gate_resolve(const struct seal_gate_set *set, struct seal_gate *gate,
			struct lookup *lookup)
{
	int ret;

	/* the gate is not attached, so its kprobe is free */
	ret = seal_symbol_begin(&gate->kp, set->module,
				gate->symbol, &gate->site);
	if (ret == -ENOENT && gate->optional)
		return 0;
	if (ret)
		return ret;
	lookup->kps[lookup->nr++] = &gate->kp;
	/* a wrapper must know its original before the first call reaches it */
	if (gate->bind)
		gate->bind(gate->site + MCOUNT_INSN_SIZE);
	if (!seal_landings_used() || set->observes)
		return 0;
	return seal_landing_bind(&gate->landing,
				 gate->site + MCOUNT_INSN_SIZE);
}

/* Are the sites known? Without sets_lock this was so a moment ago. */
static bool is_resolved(const struct seal_gate_set *set)
{
	/* pairs with the release in set_resolve() */
	return smp_load_acquire(&set->resolved) &&
	       (!set->module ||
		READ_ONCE(set->modules_gone) == seal_modules_gone());
}

/*
 * Look up the functions of all gates of @set. Returns an error after which the rest
 * is not looked for; @first gets the first error, if not all functions are there.
 */
static int gates_resolve(struct seal_gate_set *set, struct lookup *lookup,
			 int *first, char *reason)
{
	unsigned int i, found = 0;
	int ret;

	for (i = 0; i < set->nr_gates; i++) {
		struct seal_gate *gate = &set->gates[i];

		ret = gate_resolve(set, gate, lookup);
		if (ret) {
			if (!*first)
				*first = explain(set, gate, ret, reason);
			/* go on: if none is found, the module is not there */
			if (ret != -ENOENT)
				return ret;
			continue;
		}
		found += !!gate->site;
		/* the rest is for gates that share the ops of the set */
		if (!gate->site || gate->hook)
			continue;
		if (WARN_ON_ONCE(set->nr_sites == SEAL_SET_MAX))
			return -E2BIG;
		set->sites[set->nr_sites] = gate->site;
		set->at_site[set->nr_sites++] = gate;
	}
	WRITE_ONCE(set->nr_found, found);
	return 0;
}

static int set_resolve(struct seal_gate_set *set, char *reason)
{
	u64 gone = seal_modules_gone();
	struct lookup lookup = { };
	int ret, first = 0;

	if (is_resolved(set))
		return 0;
	if (WARN_ON_ONCE(set->nr_gates > GATES_MAX))
		return -E2BIG;
	WRITE_ONCE(set->resolved, false);
	set->nr_sites = 0;
	ret = gates_resolve(set, &lookup, &first, reason);
	seal_symbols_end(lookup.kps, lookup.nr);
	if (ret)
		return ret;
	WRITE_ONCE(set->modules_gone, gone);
	/* pairs with the acquire in is_resolved() */
	smp_store_release(&set->resolved, !first);
	return first;
}

/*
 * An errand on a set: to attach it, or to look its functions up. Whoever unloads
 * a module of the kernel, or loads one, waits for sets_lock and for the locks of
 * ftrace. So no task holds them that may be stopped with them.
 */
struct set_errand {
	struct seal_errand	errand;
	struct seal_gate_set	*set;
};

static int set_errand(struct seal_gate_set *set,
		      void (*run)(struct seal_errand *errand),
		      const struct seal_limit *limit)
{
	struct set_errand *errand = kzalloc(sizeof(*errand),
					    GFP_KERNEL_ACCOUNT);

	if (!errand)
		return -ENOMEM;
	errand->errand.run = run;
	errand->set = set;
	return seal_errand_do(&errand->errand, limit,
			      "the kernel takes long to attach or detach other gates");
}

/*
 * Take sets_lock, at a moment at which @set can be looked up; it is held in any case.
 * The one moment at which it cannot be: its module went while it was leaving.
 */
static int set_lock(const struct seal_gate_set *set,
		    const struct seal_limit *limit)
{
	mutex_lock(&sets_lock);
	while (set->leaving && !is_resolved(set)) {
		if (seal_limit_over(limit))
			return seal_limit_tell(limit,
					       "gates are being detached, and a task of the kernel runs without a pause");
		mutex_unlock(&sets_lock);
		msleep(20);
		mutex_lock(&sets_lock);
	}
	return 0;
}

static void resolve_errand(struct seal_errand *errand)
{
	struct seal_gate_set *set;
	int ret;

	set = container_of(errand, struct set_errand, errand)->set;
	ret = set_lock(set, &errand->limit);
	if (!ret && !set->attached)
		ret = set_resolve(set, errand->limit.reason);
	mutex_unlock(&sets_lock);
	seal_errand_end(errand, ret);
}

int seal_set_resolve(struct seal_gate_set *set, const struct seal_limit *limit,
		     unsigned int *found)
{
	int ret;

	/* as in seal_set_get(): no reason to wait for others */
	if (atomic_read(&set->users) || is_resolved(set))
		return 0;
	ret = set_errand(set, resolve_errand, limit);
	*found = READ_ONCE(set->nr_found);
	return ret;
}

/*
 * The shared ops was refused: find the function that is the reason. Each try
 * that is not refused waits until every task has slept. So half of the
 * functions are tried at a time, and after the end of @limit none.
 */
static int blame(struct seal_gate_set *set, int error,
		 const struct seal_limit *limit)
{
	unsigned int first = 0, left = set->nr_sites, nr;
	struct ftrace_ops scratch;
	int ret;

	while (left && !seal_limit_over(limit)) {
		nr = DIV_ROUND_UP(left, 2);
		ret = seal_ops_attach(&scratch, seal_enter_nothing,
				      set->observes, set->sites + first, nr);
		if (ret && left == 1)
			return explain(set, set->at_site[first], ret,
				       limit->reason);
		if (ret == -ENOMEM || (!ret && !seal_ops_detach(&scratch)))
			break;
		if (!ret)
			first += nr;
		left = ret ? nr : left - nr;
	}
	/* no function is refused any more, or there is no time to find it */
	snprintf(limit->reason, SEAL_REASON_LEN,
		 "ftrace refuses the gates of %s (error %d): try again",
		 set->name, error);
	return error == -EAGAIN ? -EBUSY : error;
}

/* Attach the ops that the gates of @set share. */
static int shared_attach(struct seal_gate_set *set, ftrace_func_t func,
			 const struct seal_limit *limit)
{
	int ret = set->leaving ? seal_ops_return(&set->ops) :
		seal_ops_attach(&set->ops, func, set->observes, set->sites,
				set->nr_sites);

	return ret && ret != -ENOMEM ? blame(set, ret, limit) : ret;
}

/* Have the hot gates among the first @nr gates of @set called no more. */
static bool hot_leave(struct seal_gate_set *set, unsigned int nr)
{
	bool done = true;

	while (nr--)
		if (set->gates[nr].hook && set->gates[nr].site)
			done &= seal_ops_leave(&set->gates[nr].ops);
	return done;
}

/* They have left, and seal_ops_wait() was called. */
static bool hot_free(struct seal_gate_set *set, unsigned int nr)
{
	bool done = true;

	while (nr--)
		if (set->gates[nr].hook && set->gates[nr].site)
			done &= seal_ops_free(&set->gates[nr].ops);
	return done;
}

static void hot_detach(struct seal_gate_set *set, unsigned int nr)
{
	/* of a set that is leaving, they are freed when it is */
	if (!hot_leave(set, nr) || set->leaving)
		return;
	seal_ops_wait();
	hot_free(set, nr);
	synchronize_rcu();
}

/* Unregister the kprobes of the first @nr gates of @set. */
static bool kprobes_detach(struct seal_gate_set *set, unsigned int nr)
{
	struct kprobe *probes[SEAL_MAX_PROBES];
	unsigned int i;

	for (i = 0; i < nr; i++)
		probes[i] = &set->gates[i].kp;
	seal_probes_remove(probes, nr);
	return !seal_probes_stuck();
}

/* Detach the shared ops of a set that could not be attached. */
static void ops_undo(struct seal_gate_set *set)
{
	if (set->leaving)
		seal_ops_leave(&set->ops);
	else
		seal_ops_detach(&set->ops);
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
		ret = shared_attach(set, enter_announced, limit);
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
			if (!set->observes && !seal_probes_stuck())
				ops_undo(set);
			return explain(set, gate, ret, limit->reason);
		}
	}
	return 0;
}

static int ftrace_attach(struct seal_gate_set *set,
			 const struct seal_limit *limit)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < set->nr_gates && !ret; i++) {
		struct seal_gate *gate = &set->gates[i];

		if (!gate->hook || !gate->site)
			continue;
		ret = set->leaving ? seal_ops_return(&gate->ops) :
			seal_ops_attach(&gate->ops, gate->hook, set->observes,
					&gate->site, 1);
		if (ret) {
			hot_detach(set, i);
			return explain(set, gate, ret, limit->reason);
		}
	}
	if (set->nr_sites) {
		ret = shared_attach(set, enter_set, limit);
		if (ret)
			hot_detach(set, set->nr_gates);
	}
	return ret;
}

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

static bool has_guard(const struct seal_gate_set *set)
{
	return seal_landings_used() && !set->observes;
}

static int guard_register(struct seal_gate_set *set)
{
	int ret;

	if (!has_guard(set) || set->guarded ||
	    seal_step_skipped(SEAL_STEP_GUARDS))
		return 0;
	ret = seal_ops_return(&set->guard);
	if (ret)
		return ret;
	set->guarded = true;
	/* calls that have not seen the guard have left the handlers of ftrace */
	synchronize_rcu();
	return 0;
}

/* Calls of the guard may be under way. */
static bool guard_leave(struct seal_gate_set *set)
{
	if (!seal_ops_leave(&set->guard))
		return false;
	set->guarded = false;
	return true;
}

static int guard_attach(struct seal_gate_set *set, char *reason)
{
	unsigned long sites[GATES_MAX];
	struct seal_gate *first = NULL;
	unsigned int i, nr = 0;
	int ret;

	if (!has_guard(set))
		return 0;
	/* that of a set that comes back is still there */
	if (set->leaving)
		return 0;
	for (i = 0; i < set->nr_gates; i++) {
		if (!set->gates[i].site)
			continue;
		first = first ?: &set->gates[i];
		sites[nr++] = set->gates[i].site;
	}
	if (!nr)
		return 0;
	set->guard = (struct ftrace_ops){
		.func	= enter_guard,
		.flags	= FTRACE_OPS_FL_PERMANENT,
	};
	if (seal_attach_fails())
		return -ENOMEM;
	ret = ftrace_set_filter_ips(&set->guard, sites, nr, 0, 1);
	if (!ret)
		ret = seal_attach_fails() ? -EBUSY : guard_register(set);
	if (ret) {
		ftrace_free_filter(&set->guard);
		return ret == -ENOMEM ? ret : explain(set, first, ret, reason);
	}
	return 0;
}

/* Detach the guard of a set that could not be attached. */
static void guard_detach(struct seal_gate_set *set)
{
	if (!has_guard(set))
		return;
	if (set->guarded) {
		if (!guard_leave(set))
			return;
		seal_ops_wait();
	}
	seal_ops_free(&set->guard);
	synchronize_rcu();
}

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

static void asking_begin(void)
{
	refused = false;
	WRITE_ONCE(asker, current);
}

/* Has a trampoline refused since asking_begin()? */
static bool asking_end(void)
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
	/* no reference to the module: seal_sets_exit() waits for updates */
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

/* Attached as long as trampolines below. */
static struct seal_gate_set answers = {
	.name		= "answers",
	.gates		= answer_gates,
	.nr_gates	= ARRAY_SIZE(answer_gates),
	.observes	= true,
};

/* The number to compare with before settle_trampolines() is left out. */
static u64 sharing_begin(void)
{
	return atomic64_read(&sharing);
}

/*
 * No gate is on the functions any more, and share.c has forgotten them. Once the
 * updates that began before have ended: was none left that shares?
 */
static bool none_shares(u64 begin)
{
	synchronize_srcu(&updates);
	return atomic64_read(&sharing) == begin;
}

/*
 * Each time a trampoline may be busy with somebody who attaches or detaches
 * programs all the time. So there are many tries: after the last one nothing can
 * be sealed any more.
 */
#define MAX_SETTLES	1000

/*
 * No gate is on the function any more. Redirect it and stop redirecting it: when
 * that ends without a refusal, no BPF trampoline there shares it.
 */
static bool settle_site(unsigned long site)
{
	struct ftrace_ops scratch;
	unsigned int tries;
	bool unheard;
	u64 begin;
	int ret;

	for (tries = 0; tries < MAX_SETTLES; tries++) {
		begin = sharing_begin();
		WRITE_ONCE(settler, current);
		/* the guard is there, and sends calls to the landing */
		ret = seal_ops_attach(&scratch, seal_enter_nothing, false,
				      &site, 1);
		WRITE_ONCE(settler, NULL);
		/*
		 * Somebody else redirects the function, and has it shared; or its
		 * module has gone, and all programs on it before.
		 */
		if (ret == -EBUSY || ret == -EINVAL)
			return true;
		asking_begin();
		if (!ret && !seal_ops_detach(&scratch))
			return false;
		unheard = asking_end();
		if (!ret && !unheard && none_shares(begin))
			return true;
		usleep_range(1000, 2000);
	}
	seal_probes_give_up();
	return false;
}

/*
 * The gates of @set are detached and share.c has forgotten them. Have all BPF
 * trampolines on its functions built so that they do not share.
 */
static bool settle_trampolines(struct seal_gate_set *set)
{
	unsigned int i;

	for (i = 0; i < set->nr_gates; i++)
		if (set->gates[i].site && !settle_site(set->gates[i].site))
			return false;
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

/*
 * Attached before the first function is redirected, and until the last is not
 * any more.
 */
static struct seal_gate_set trampolines = {
	.name		= "trampolines",
	.gates		= trampoline_gates,
	.nr_gates	= ARRAY_SIZE(trampoline_gates),
	.observes	= true,
};

static int set_get(struct seal_gate_set *set, const struct seal_limit *limit);

/* BPF programs have to share the functions that @set redirects, see share.c. */
static int set_share(struct seal_gate_set *set, const struct seal_limit *limit)
{
	unsigned int i;
	int ret;

	if (set->observes)
		return 0;
	/* one with a guard that comes back has not ceased to watch */
	if (set->leaving && has_guard(set))
		goto share;
	ret = set_get(&trampolines, limit);
	if (ret)
		return ret;
	if (has_guard(set)) {
		ret = set_get(&answers, limit);
		if (ret) {
			seal_set_put(&trampolines);
			return ret;
		}
	}
share:
	for (i = 0; i < set->nr_gates; i++)
		seal_share(set->gates[i].site);
	return 0;
}

/* The gates of @set are not there any more, or were not attached. */
static void set_unshare(struct seal_gate_set *set)
{
	unsigned int i;

	for (i = 0; i < set->nr_gates && !set->observes; i++)
		seal_unshare(set->gates[i].site);
}

/* Nobody needs to watch BPF trampolines for @set any more. */
static void set_unwatch(struct seal_gate_set *set)
{
	if (set->observes)
		return;
	if (has_guard(set))
		seal_set_put(&answers);
	seal_set_put(&trampolines);
}

/*
 * The guard of @set may go once no BPF trampoline shares: see to that. @missed: one
 * may have been told that it shares a function, and not that it no longer does.
 * @begin is of sharing_begin() before ftrace told them.
 */
static bool guard_settle(struct seal_gate_set *set, bool missed, u64 begin)
{
	return (none_shares(begin) && !missed) || settle_trampolines(set);
}

/* Something of a set that is leaving cannot be detached: it stays for ever. */
static void set_stay(struct seal_gate_set *set)
{
	list_del_init(&set->list);
	set->attached = true;
	set->leaving = false;
}

/* Could not be attached: undo guard_attach() and set_share(). */
static void set_undo(struct seal_gate_set *set)
{
	set_unshare(set);
	if (set->leaving) {
		/* calls of what was attached for a moment are waited for anew */
		list_move_tail(&set->list, &leaving);
		/* trampolines were told to share, and nobody noted their answers */
		set->missed = true;
		if (!has_guard(set))
			set_unwatch(set);
		return;
	}
	/* ftrace has told all trampolines before it refused the ops */
	if (has_guard(set) && guard_settle(set, true, 0))
		guard_detach(set);
	set_unwatch(set);
}

static int set_attach(struct seal_gate_set *set, const struct seal_limit *limit)
{
	int ret;

	ret = guard_attach(set, limit->reason);
	if (ret)
		return ret;
	ret = set_share(set, limit);
	if (ret) {
		if (!set->leaving)
			guard_detach(set);
		return ret;
	}
	ret = set->kprobes ? kprobes_attach(set, limit) :
			     ftrace_attach(set, limit);
	if (ret) {
		if (!seal_probes_stuck())
			set_undo(set);
		else if (set->leaving)
			set_stay(set);
		return ret;
	}
	WRITE_ONCE(set->attach_id, ++last_attach_id);
	set->attached = true;
	if (set->leaving)
		list_del(&set->list);
	set->leaving = false;
	list_add(&set->list, &attached);
	/* not at once: more sets may follow */
	if (set->guarded)
		mod_delayed_work(linger_queue, &linger,
				 min_t(unsigned long, linger_time(), HZ));
	return 0;
}

/* Does @set have an ops that its gates share, or that announces its kprobes? */
static bool has_ops(const struct seal_gate_set *set)
{
	return set->nr_sites && !(set->kprobes && set->observes);
}

static bool gates_leave(struct seal_gate_set *set)
{
	/* fails only if ftrace gave up; then nothing below succeeds either */
	if (guard_register(set)) {
		seal_probes_give_up();
		return false;
	}
	if (set->kprobes && !kprobes_detach(set, set->nr_gates))
		return false;
	/* if a kprobe is left, so is the ops that announces its redirection */
	return (!has_ops(set) || seal_ops_leave(&set->ops)) &&
	       (set->kprobes || hot_leave(set, set->nr_gates));
}

/*
 * Have the gates of @set called no more, and move it to the sets that are leaving. If
 * one of them cannot be detached, the set stays marked as attached, and from then on
 * no set is attached (seal_probes_stuck()).
 */
static void set_leave(struct seal_gate_set *set)
{
	bool left;

	WRITE_ONCE(set->fallocate, NULL);
	WRITE_ONCE(set->dirty_folio, NULL);
	set->sharing = sharing_begin();
	asking_begin();
	left = gates_leave(set);
	set->missed = asking_end();
	list_del_init(&set->list);
	if (!left)
		return;
	set->attached = false;
	set->leaving = true;
	list_add_tail(&set->list, &leaving);
	set_unshare(set);
	/* those that watch can leave together with the last set without a guard */
	if (!has_guard(set))
		set_unwatch(set);
}

/* No call of the gates of @set is under way. Its guard leaves as well. */
static bool gates_end(struct seal_gate_set *set)
{
	bool done;

	done = (!has_ops(set) || seal_ops_free(&set->ops)) &&
	       (set->kprobes || hot_free(set, set->nr_gates));
	if (!done || !has_guard(set))
		return done;
	done = guard_settle(set, set->missed, set->sharing) &&
	       (!set->guarded || guard_leave(set));
	set_unwatch(set);
	return done;
}

/*
 * The end of detaching, for all sets that are leaving and do not come back. The caller
 * holds sets_lock, which is given up while this waits: that takes as long as a task
 * runs in the kernel without a pause. A set that comes back takes itself out of the
 * list here.
 */
static void sets_end(void)
{
	struct seal_gate_set *set, *next;
	bool guards = false;
	LIST_HEAD(ending);

	if (list_empty(&leaving))
		return;
	list_splice_init(&leaving, &ending);
	mutex_unlock(&sets_lock);
	seal_ops_wait();
	mutex_lock(&sets_lock);
	list_for_each_entry_safe(set, next, &ending, list) {
		if (gates_end(set)) {
			guards |= has_guard(set);
			continue;
		}
		set_stay(set);
	}
	if (guards)
		seal_ops_wait();
	list_for_each_entry(set, &ending, list)
		if (has_guard(set))
			seal_ops_free(&set->guard);
	/* see seal_ops_free() */
	synchronize_rcu();
	list_for_each_entry_safe(set, next, &ending, list) {
		list_del_init(&set->list);
		set->leaving = false;
	}
}

static int set_get(struct seal_gate_set *set, const struct seal_limit *limit)
{
	int ret;

	if (seal_probes_stuck()) {
		strscpy(limit->reason, "an earlier probe could not be removed, reboot",
			SEAL_REASON_LEN);
		return -EIO;
	}
	if (!set->attached) {
		ret = set_resolve(set, limit->reason);
		if (!ret)
			ret = set_attach(set, limit);
		if (ret)
			return ret;
	}
	atomic_inc(&set->users);
	return 0;
}

static void attach_errand(struct seal_errand *errand)
{
	struct seal_gate_set *set;
	int ret;

	set = container_of(errand, struct set_errand, errand)->set;
	ret = set_lock(set, &errand->limit);
	if (!ret)
		ret = set_get(set, &errand->limit);
	/* under the lock, so that nobody finds a user that has gone */
	if (!seal_errand_end(errand, ret) && !ret)
		seal_set_put(set);
	mutex_unlock(&sets_lock);
}

/* If @set lingers without users, nothing has to be attached: get it at once. */
static bool set_reuse(struct seal_gate_set *set)
{
	bool there = false;

	/* nobody can be stopped with the lock */
	preempt_disable();
	if (mutex_trylock(&sets_lock)) {
		there = set->attached && !seal_probes_stuck();
		if (there)
			atomic_inc(&set->users);
		mutex_unlock(&sets_lock);
	}
	preempt_enable();
	return there;
}

int seal_set_get(struct seal_gate_set *set, const struct seal_limit *limit)
{
	/*
	 * A set that has users is attached, and stays so: nobody has to wait
	 * for those who attach or detach other sets.
	 */
	if (!seal_probes_stuck() && atomic_inc_not_zero(&set->users))
		return 0;
	return set_reuse(set) ? 0 : set_errand(set, attach_errand, limit);
}

void seal_set_put(struct seal_gate_set *set)
{
	/* before the count: a task that finds no user sees this time */
	WRITE_ONCE(set->idle_since, jiffies);
	/*
	 * If the worker is to look earlier, for another set, it looks then, and
	 * again for this one.
	 */
	if (atomic_dec_and_test(&set->users))
		queue_delayed_work(linger_queue, &linger, linger_time());
}

/* Are the gates of @set there, so that they do what its guard was for? */
static bool needs_no_guard(const struct seal_gate_set *set)
{
	return set->guarded && !seal_probes_stuck();
}

/* Is the time of @set over? If not, but it will be, @wait gets shorter. */
static bool is_due(const struct seal_gate_set *set, unsigned long *wait)
{
	unsigned long end;

	/* pairs with the barrier in seal_set_put() of the last user */
	if (atomic_read_acquire(&set->users))
		return false;
	end = READ_ONCE(set->idle_since) + linger_time();
	if (!time_before(jiffies, end))
		return true;
	*wait = min(*wait, end - jiffies);
	return false;
}

/*
 * Is there a set whose guard can go, or whose time is over? Else @wait gets the time
 * to the next one.
 */
static bool any_due(unsigned long *wait)
{
	struct seal_gate_set *set;

	*wait = ULONG_MAX;
	list_for_each_entry(set, &attached, list)
		if (needs_no_guard(set) || is_due(set, wait))
			return true;
	return false;
}

static void detach_due(void)
{
	struct seal_gate_set *set, *next;
	unsigned long wait = ULONG_MAX;
	bool unguarded = false;

	list_for_each_entry_safe(set, next, &attached, list) {
		if (is_due(set, &wait))
			set_leave(set);
		else if (needs_no_guard(set))
			unguarded |= guard_leave(set);
	}
	/* it may be registered again: that is after this */
	if (unguarded)
		seal_ops_wait();
}

/*
 * Detaching waits until every task has slept. A task that runs in the kernel without a
 * pause makes that take long, and whoever seals waits for it. Therefore the worker
 * first waits for such a moment, again and again until that takes little time. Until
 * then the gates stay attached, and a task that seals meanwhile finds them.
 */
#define MAX_SLEEP	(2 * HZ)

static bool all_sleep(void)
{
	unsigned long began = jiffies;

	synchronize_rcu_tasks();
	return time_before(jiffies, began + MAX_SLEEP);
}

static void linger_work(struct work_struct *work)
{
	unsigned long wait;
	bool sleep = false;

	mutex_lock(&sets_lock);
	/* of a filesystem whose module has gone */
	sets_end();
	if (any_due(&wait)) {
		mutex_unlock(&sets_lock);
		sleep = all_sleep();
		mutex_lock(&sets_lock);
		wait = HZ;
	}
	if (sleep) {
		detach_due();
		sets_end();
		/* sets that were used by those may be due now, or later */
		if (any_due(&wait))
			wait = 0;
	}
	/* one that could not come back */
	if (!list_empty(&leaving))
		wait = 0;
	if (wait != ULONG_MAX)
		mod_delayed_work(linger_queue, &linger, wait);
	mutex_unlock(&sets_lock);
}

/* Written with a shorter time: sets can be due that are waited for longer. */
static int linger_set(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_uint(val, kp);

	/* before the module's init, and after its exit, no set is attached */
	mutex_lock(&sets_lock);
	if (!ret && !list_empty(&attached))
		mod_delayed_work(linger_queue, &linger, 0);
	mutex_unlock(&sets_lock);
	return ret;
}

#if SEAL_LANDINGS && defined(CONFIG_SEAL_DEBUG)
void seal_landings_show(struct seq_file *m)
{
	struct seal_gate_set *set;
	char counted[96];
	unsigned int i;

	seal_landings_counted(counted, sizeof(counted));
	seq_printf(m, "used %d %s\n", seal_landings_used(), counted);
	mutex_lock(&sets_lock);
	list_for_each_entry(set, &attached, list) {
		for (i = 0; i < set->nr_gates && !set->observes; i++) {
			struct seal_gate *gate = &set->gates[i];
			unsigned long past = gate->site + MCOUNT_INSN_SIZE;
			/* where a call that passes is sent */
			unsigned long to = gate->landing &&
				!seal_step_skipped(SEAL_STEP_LANDINGS) ?
				gate->landing : past;

			if (gate->site)
				seq_printf(m, "%s %s %s %s %s %ps\n", set->name,
					   gate->symbol,
					   seal_landing_lands(to) ? "endbr" :
					   "no-endbr",
					   seal_landing_leads(to, past) ?
					   "leads" : "astray",
					   set->guarded ? "guarded" : "alone",
					   (void *)to);
		}
	}
	mutex_unlock(&sets_lock);
}
#endif

static bool is_owner(const char *module)
{
	static const char *const owners[] = { SEAL_XFS_MODULE, SEAL_EXT4_MODULE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(owners); i++)
		if (owners[i] && !strcmp(owners[i], module))
			return true;
	return false;
}

/*
 * A module is about to be unloaded. If it is that of a filesystem, none of its
 * files is open, and the sets on its functions have no user.
 */
static int module_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	struct seal_gate_set *set, *next;
	struct module *module = data;

	/* others have no functions with gates, and need not wait */
	if (event != MODULE_STATE_GOING || !is_owner(module_name(module)))
		return NOTIFY_DONE;
	mutex_lock(&sets_lock);
	seal_module_goes();
	list_for_each_entry_safe(set, next, &attached, list)
		if (set->module && !strcmp(set->module, module_name(module)) &&
		    !WARN_ON_ONCE(atomic_read(&set->users)))
			set_leave(set);
	/* whoever unloads the module does not wait for that */
	if (!list_empty(&leaving))
		mod_delayed_work(linger_queue, &linger, 0);
	mutex_unlock(&sets_lock);
	return NOTIFY_DONE;
}

/* The highest priority: runs before ftrace forgets the module's functions. */
static struct notifier_block module_notifier = {
	.notifier_call	= module_event,
	.priority	= INT_MAX,
};

int seal_sets_init(void)
{
	int ret;

	linger_queue = alloc_ordered_workqueue("seal_linger", WQ_MEM_RECLAIM);
	if (!linger_queue)
		return -ENOMEM;
	seal_landings_init();
	ret = register_module_notifier(&module_notifier);
	if (ret)
		destroy_workqueue(linger_queue);
	return ret;
}

/* Detach all sets without users. Returns false if there is none. */
static bool detach_idle(void)
{
	struct seal_gate_set *set, *next;
	bool any;

	mutex_lock(&sets_lock);
	/* the trampolines are watched since before the others, so they leave last */
	list_for_each_entry_safe(set, next, &attached, list)
		if (!atomic_read(&set->users))
			set_leave(set);
	any = !list_empty(&leaving);
	sets_end();
	mutex_unlock(&sets_lock);
	return any;
}

void seal_sets_exit(void)
{
	/* what the worker has begun is over then */
	cancel_delayed_work_sync(&linger);
	/* what watches trampolines has users until the guards have gone */
	while (detach_idle())
		;
	/* there is nothing left for it, but the last sets have asked for it */
	cancel_delayed_work_sync(&linger);
	destroy_workqueue(linger_queue);
	unregister_module_notifier(&module_notifier);
	/* sets_end() has waited for tasks on their way into it */
	synchronize_srcu(&updates);
	seal_probes_stay();
}
