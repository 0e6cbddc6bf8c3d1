// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate engine: attaches sets of gates to functions of the kernel by ftrace,
 * and detaches them.
 *
 * Flags of an ftrace_ops that redirects calls:
 *
 * - IPMODIFY. ftrace lets only one such ops have a function. A live patch on it
 *   is refused, and a BPF trampoline is told to share, or is refused.
 * - PERMANENT. While the ops is registered, ftrace cannot be switched off
 *   (sysctl kernel.ftrace_enabled).
 * - Not SAVE_REGS: the arguments and the instruction pointer are enough.
 * - Not RECURSION: no handler calls anything that comes back to its function.
 *
 * An ops is registered anew each time its set is attached. To add a function
 * to an ops that is registered is not the same: only registering looks for BPF
 * trampolines that are on the function already, and tells them to share. (This
 * is why gates are not kprobes: kprobes have one such ops for all.)
 *
 * Detaching needs no memory. It waits until no task is in the trampoline or in
 * a handler (RCU tasks), which takes about a tenth of a second for each ops; so
 * a worker does it, and only after the set has been without users for a while.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "probes/gate.h"
#include "probes/probe.h"
#include "probes/share.h"
#include "probes/symbol.h"
#include "uapi/seal.h"

static unsigned int linger_ms = 1000;
module_param(linger_ms, uint, 0644);
MODULE_PARM_DESC(linger_ms, "how long gates stay attached after the last unseal");

/* Protects the sets. */
static DEFINE_MUTEX(sets_lock);

static u64 last_attach_id;

/* Sets that are attached, the last one first. */
static LIST_HEAD(attached);

static void linger_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(linger, linger_work);

void seal_sets_lock(void)
{
	mutex_lock(&sets_lock);
}

void seal_sets_unlock(void)
{
	mutex_unlock(&sets_lock);
}

/* The function of an ops that several gates share. */
static notrace void enter_set(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *call)
{
	struct seal_gate_set *set = container_of(ops, struct seal_gate_set, ops);
	unsigned int i;

	for (i = 0; i < set->nr_sites; i++) {
		if (set->sites[i] == ip) {
			set->at_site[i]->enter(set->at_site[i], call);
			return;
		}
	}
}

/* ftrace waits for a millisecond or more each time. */
#define MAX_TRIES	1000

/*
 * A BPF trampoline on one of the functions is asked to share it, and says EAGAIN
 * while somebody attaches a program to it or detaches one.
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

/* @ops may have been used before: what ftrace left in it is forgotten. */
static int ops_attach(struct ftrace_ops *ops, ftrace_func_t func, bool observes,
		      unsigned long *sites, unsigned int nr)
{
	int ret;

	*ops = (struct ftrace_ops){
		.func	= func,
		.flags	= FTRACE_OPS_FL_PERMANENT |
			  (observes ? 0 : FTRACE_OPS_FL_IPMODIFY),
	};
	ret = ftrace_set_filter_ips(ops, sites, nr, 0, 1);
	if (!ret)
		ret = ops_register(ops);
	if (ret)
		ftrace_free_filter(ops);
	return ret;
}

/* False: the ops and its functions must stay for ever. */
static bool ops_detach(struct ftrace_ops *ops)
{
	/* fails only if ftrace found its own code broken and gave up */
	if (unregister_ftrace_function(ops)) {
		seal_probes_give_up();
		return false;
	}
	ftrace_free_filter(ops);
	return true;
}

static void target(const struct seal_gate_set *set,
		   const struct seal_gate *gate, char *buf, size_t size)
{
	const char *module = gate->core ? NULL : set->module;

	snprintf(buf, size, "%s%s%s", module ?: "", module ? ":" : "",
		 gate->symbol);
}

/* In the place of a handler, to try whether ftrace takes it. */
static notrace void enter_nothing(unsigned long ip, unsigned long parent,
				  struct ftrace_ops *ops,
				  struct ftrace_regs *call)
{
}

/* An ops that only looks on is refused where ftrace is switched off. */
static bool ftrace_is_off(unsigned long site)
{
	struct ftrace_ops scratch;

	if (ops_attach(&scratch, enter_nothing, true, &site, 1))
		return true;
	ops_detach(&scratch);
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

static int gate_resolve(const struct seal_gate_set *set, struct seal_gate *gate)
{
	int ret;

	ret = seal_symbol_site(gate->core ? NULL : set->module, gate->symbol,
			       &gate->site);
	if (ret == -ENOENT && gate->optional)
		return 0;
	/* a wrapper must know where to go before a call reaches it */
	if (!ret && gate->bind)
		gate->bind(gate->site + MCOUNT_INSN_SIZE);
	return ret;
}

static int set_resolve(struct seal_gate_set *set, char *reason,
		       unsigned int *missing)
{
	u64 gone = seal_modules_gone();
	unsigned int i;
	int ret, first = 0;

	*missing = 0;
	if (set->resolved && (!set->module || set->modules_gone == gone))
		return 0;
	set->resolved = false;
	set->nr_sites = 0;
	for (i = 0; i < set->nr_gates; i++) {
		struct seal_gate *gate = &set->gates[i];

		ret = gate_resolve(set, gate);
		if (ret) {
			if (!first)
				first = explain(set, gate, ret, reason);
			/* go on: if all are missing, the module is not loaded */
			if (ret != -ENOENT)
				return ret;
			++*missing;
			continue;
		}
		/* those that share an ops */
		if (!gate->site || gate->hook)
			continue;
		if (WARN_ON_ONCE(set->nr_sites == SEAL_SET_MAX))
			return -E2BIG;
		set->sites[set->nr_sites] = gate->site;
		set->at_site[set->nr_sites++] = gate;
	}
	set->modules_gone = gone;
	set->resolved = !first;
	return first;
}

int seal_set_resolve(struct seal_gate_set *set, char *reason,
		     unsigned int *missing)
{
	int ret;

	mutex_lock(&sets_lock);
	*missing = 0;
	ret = set->attached ? 0 : set_resolve(set, reason, missing);
	mutex_unlock(&sets_lock);
	return ret;
}

/* The ops as a whole was refused: which of the functions is to blame? */
static int blame(const struct seal_gate_set *set, int error, char *reason)
{
	struct ftrace_ops scratch;
	unsigned int i;
	int ret;

	for (i = 0; i < set->nr_sites; i++) {
		unsigned long site = set->sites[i];

		ret = ops_attach(&scratch, enter_nothing, set->observes, &site, 1);
		if (ret)
			return explain(set, set->at_site[i], ret, reason);
		if (!ops_detach(&scratch))
			break;
	}
	/* whoever was in the way has gone meanwhile */
	snprintf(reason, SEAL_REASON_LEN,
		 "ftrace refuses the gates of %s (error %d): try again",
		 set->name, error);
	return error == -EAGAIN ? -EBUSY : error;
}

/* Attach the ops that the gates of @set share. */
static int shared_attach(struct seal_gate_set *set, ftrace_func_t func,
			 char *reason)
{
	int ret = ops_attach(&set->ops, func, set->observes, set->sites,
			     set->nr_sites);

	return ret && ret != -ENOMEM ? blame(set, ret, reason) : ret;
}

/* Detach the hot gates before the one with number @nr. */
static bool hot_detach(struct seal_gate_set *set, unsigned int nr)
{
	bool done = true;

	while (nr--)
		if (set->gates[nr].hook && set->gates[nr].site)
			done &= ops_detach(&set->gates[nr].ops);
	return done;
}

/* Unregister the kprobes before the one with number @nr. */
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
 * Without a post_handler: they share their functions with anybody's.
 *
 * Such a kprobe redirects a call without saying so. A BPF program at the exit of
 * the function would call the original all the same, and a live patch would
 * decide later than the kprobe where the call goes. So the set also has an ops
 * that says it, and does nothing.
 */
static int kprobes_attach(struct seal_gate_set *set, char *reason)
{
	unsigned int i;
	int ret;

	if (WARN_ON_ONCE(set->nr_gates > SEAL_MAX_PROBES))
		return -E2BIG;
	if (!set->observes) {
		ret = shared_attach(set, enter_nothing, reason);
		if (ret)
			return ret;
	}
	for (i = 0; i < set->nr_gates; i++) {
		struct seal_gate *gate = &set->gates[i];

		gate->kp = (struct kprobe){
			.addr		= (kprobe_opcode_t *)gate->site,
			.pre_handler	= gate->probe,
		};
		ret = register_kprobe(&gate->kp);
		if (ret) {
			kprobes_detach(set, i);
			if (!set->observes && !seal_probes_stuck())
				ops_detach(&set->ops);
			return explain(set, gate, ret, reason);
		}
	}
	return 0;
}

static int ftrace_attach(struct seal_gate_set *set, char *reason)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < set->nr_gates && !ret; i++) {
		struct seal_gate *gate = &set->gates[i];

		if (!gate->hook || !gate->site)
			continue;
		ret = ops_attach(&gate->ops, gate->hook, set->observes,
				 &gate->site, 1);
		if (ret) {
			hot_detach(set, i);
			return explain(set, gate, ret, reason);
		}
	}
	if (set->nr_sites) {
		ret = shared_attach(set, enter_set, reason);
		if (ret)
			hot_detach(set, set->nr_gates);
	}
	return ret;
}

#if SEAL_BPF_ASKS_LATE
/* bpf_trampoline_update(trampoline, ...): the caller holds its mutex. */
static void enter_trampoline(struct seal_gate *gate, struct ftrace_regs *call)
{
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

static int set_get(struct seal_gate_set *set, char *reason);
static void set_put(struct seal_gate_set *set);

/* BPF programs have to share the functions that @set redirects, see share.c. */
static int set_share(struct seal_gate_set *set, char *reason)
{
	unsigned int i;
	int ret;

	if (set->observes)
		return 0;
	ret = set_get(&trampolines, reason);
	if (ret)
		return ret;
	for (i = 0; i < set->nr_gates; i++)
		seal_share(set->gates[i].site);
	return 0;
}

static void set_unshare(struct seal_gate_set *set)
{
	unsigned int i;

	if (set->observes)
		return;
	for (i = 0; i < set->nr_gates; i++)
		seal_unshare(set->gates[i].site);
	set_put(&trampolines);
}

static int set_attach(struct seal_gate_set *set, char *reason)
{
	int ret;

	ret = set_share(set, reason);
	if (ret)
		return ret;
	ret = set->kprobes ? kprobes_attach(set, reason) :
			     ftrace_attach(set, reason);
	if (ret) {
		if (!seal_probes_stuck())
			set_unshare(set);
		return ret;
	}
	WRITE_ONCE(set->attach_id, ++last_attach_id);
	set->attached = true;
	list_add(&set->list, &attached);
	return 0;
}

/* What cannot be detached stays attached, and nothing is attached any more. */
static void set_detach(struct seal_gate_set *set)
{
	bool done = true;

	WRITE_ONCE(set->fallocate, NULL);
	WRITE_ONCE(set->dirty_folio, NULL);
	if (set->kprobes)
		done = kprobes_detach(set, set->nr_gates);
	/* what a probe that is still there redirects has to be known as such */
	if (done && set->nr_sites && !(set->kprobes && set->observes))
		done = ops_detach(&set->ops);
	if (!set->kprobes)
		done &= hot_detach(set, set->nr_gates);
	if (done)
		set_unshare(set);
	list_del_init(&set->list);
	set->attached = !done;
}

static int set_get(struct seal_gate_set *set, char *reason)
{
	unsigned int missing;
	int ret;

	if (seal_probes_stuck()) {
		strscpy(reason, "an earlier probe could not be removed, reboot",
			SEAL_REASON_LEN);
		return -EIO;
	}
	if (!set->attached) {
		ret = set_resolve(set, reason, &missing);
		if (!ret)
			ret = set_attach(set, reason);
		if (ret)
			return ret;
	}
	set->users++;
	return 0;
}

int seal_set_get(struct seal_gate_set *set, char *reason)
{
	int ret;

	/* who has the lock waits for the kernel only, not for other tasks */
	if (mutex_lock_killable(&sets_lock))
		return -EINTR;
	ret = set_get(set, reason);
	mutex_unlock(&sets_lock);
	return ret;
}

static unsigned long linger_time(void)
{
	return msecs_to_jiffies(READ_ONCE(linger_ms));
}

static void set_put(struct seal_gate_set *set)
{
	if (!--set->users) {
		set->idle_since = jiffies;
		mod_delayed_work(system_unbound_wq, &linger, linger_time());
	}
}

void seal_set_put(struct seal_gate_set *set)
{
	mutex_lock(&sets_lock);
	set_put(set);
	mutex_unlock(&sets_lock);
}

void seal_set_drop(struct seal_gate_set *set)
{
	mutex_lock(&sets_lock);
	if (!--set->users)
		set_detach(set);
	mutex_unlock(&sets_lock);
}

/* One set at a time, so that nobody waits for the lock for longer than that takes. */
static void linger_work(struct work_struct *work)
{
	unsigned long wait = ULONG_MAX, end;
	struct seal_gate_set *set;

	mutex_lock(&sets_lock);
	list_for_each_entry(set, &attached, list) {
		if (set->users)
			continue;
		end = set->idle_since + linger_time();
		if (!time_before(jiffies, end)) {
			set_detach(set);
			wait = 0;
			break;
		}
		wait = min(wait, end - jiffies);
	}
	if (wait != ULONG_MAX)
		mod_delayed_work(system_unbound_wq, &linger, wait);
	mutex_unlock(&sets_lock);
}

/* The filesystem's module is about to go; nothing of it can be in use. */
static int module_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	struct seal_gate_set *set, *next;
	struct module *module = data;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&sets_lock);
	seal_module_goes();
	list_for_each_entry_safe(set, next, &attached, list)
		if (set->module && !strcmp(set->module, module_name(module)) &&
		    !WARN_ON_ONCE(set->users))
			set_detach(set);
	mutex_unlock(&sets_lock);
	return NOTIFY_DONE;
}

/* Before ftrace forgets the functions of the module. */
static struct notifier_block module_notifier = {
	.notifier_call	= module_event,
	.priority	= INT_MAX,
};

int seal_sets_init(void)
{
	return register_module_notifier(&module_notifier);
}

void seal_sets_exit(void)
{
	struct seal_gate_set *set, *next;

	mutex_lock(&sets_lock);
	/* the trampolines are watched since before the others, so they come last */
	list_for_each_entry_safe(set, next, &attached, list)
		set_detach(set);
	mutex_unlock(&sets_lock);
	/* there is nothing left for it, but the last sets have asked for it */
	cancel_delayed_work_sync(&linger);
	unregister_module_notifier(&module_notifier);
}
