// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of gates: attaches a set for its first user. A worker detaches it, after the
 * set has been without users for linger_ms.
 *
 * A set is detached in steps. Its gates leave: they are called no more, but calls may
 * be under way. The worker waits for these, without any lock, and frees the gates. A
 * set that is needed again meanwhile comes back from wherever it is.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "base/errand.h"
#include "base/lock.h"
#include "base/owners.h"
#include "probes/attach.h"
#include "probes/gate.h"
#include "probes/guard.h"
#include "probes/landing.h"
#include "probes/lookup.h"
#include "probes/ops.h"
#include "probes/probe.h"
#include "probes/set.h"
#include "probes/share.h"
#include "probes/symbol.h"
#include "probes/trampoline.h"
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
 * Sets whose gates have left, or of which some could not be attached, and the others
 * have left: what ftrace has of them is not free yet.
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
	while (set->leaving && !seal_set_known(set)) {
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
		ret = seal_set_lookup(set, errand->limit.reason);
	mutex_unlock(&sets_lock);
	seal_errand_end(errand, ret);
}

struct look_up_errand {
	struct seal_errand	errand;
	unsigned int		nr;
	struct seal_gate_set	*sets[];
};

static void look_up_errand(struct seal_errand *errand)
{
	struct look_up_errand *lu;
	int ret;

	lu = container_of(errand, struct look_up_errand, errand);
	mutex_lock(&sets_lock);
	ret = seal_sets_lookup(lu->sets, lu->nr, errand->limit.reason);
	mutex_unlock(&sets_lock);
	seal_errand_end(errand, ret);
}

int seal_sets_look_up(struct seal_gate_set *const *sets, unsigned int nr,
		      const struct seal_limit *limit)
{
	struct look_up_errand *lu;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!atomic_read(&sets[i]->users) && !seal_set_known(sets[i]))
			break;
	if (i == nr)
		return 0;
	lu = kzalloc(struct_size(lu, sets, nr + 2), GFP_KERNEL_ACCOUNT);
	if (!lu)
		return -ENOMEM;
	lu->errand.run = look_up_errand;
	memcpy(lu->sets, sets, nr * sizeof(*sets));
	/* what watches BPF trampolines comes with the first set that redirects */
	lu->sets[nr++] = &seal_trampolines;
	if (seal_landings_used())
		lu->sets[nr++] = &seal_answers;
	lu->nr = nr;
	return seal_errand_do(&lu->errand, limit,
			      "the kernel takes long to attach or detach other gates");
}

int seal_set_resolve(struct seal_gate_set *set, const struct seal_limit *limit,
		     unsigned int *found)
{
	int ret;

	/* as in seal_set_get(): no reason to wait for others */
	if (atomic_read(&set->users) || seal_set_known(set))
		return 0;
	ret = set_errand(set, resolve_errand, limit);
	*found = READ_ONCE(set->nr_found);
	return ret;
}

static int set_get(struct seal_gate_set *set, const struct seal_limit *limit);

/* BPF programs have to share the functions that @set redirects, see share.c. */
static int set_share(struct seal_gate_set *set, const struct seal_limit *limit)
{
	unsigned int i;
	int ret;

	if (set->observes)
		return 0;
	/* one with a guard that comes back has not ceased to watch */
	if (!set->watched) {
		ret = set_get(&seal_trampolines, limit);
		if (ret)
			return ret;
		ret = seal_guard_used(set) ? set_get(&seal_answers, limit) : 0;
		if (ret) {
			seal_set_put(&seal_trampolines);
			return ret;
		}
		set->watched = true;
	}
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
	if (!set->watched)
		return;
	set->watched = false;
	if (seal_guard_used(set))
		seal_set_put(&seal_answers);
	seal_set_put(&seal_trampolines);
}

/*
 * The gates of @set have left, all or those that were attached before one was refused:
 * the worker does the rest. Trampolines that @missed to answer, because nobody was
 * asking, may share.
 */
static void set_left(struct seal_gate_set *set, bool missed)
{
	set->missed = missed;
	set->attached = false;
	set->leaving = true;
	list_add_tail(&set->list, &leaving);
	set_unshare(set);
	/* those that watch can leave together with the last set without a guard */
	if (!seal_guard_used(set))
		set_unwatch(set);
}

/* Something of a set that is leaving cannot be detached: it stays for ever. */
static void set_stay(struct seal_gate_set *set)
{
	list_del_init(&set->list);
	set->attached = true;
	set->leaving = false;
}

/* @set could not be attached; those of its gates that were have left. */
static void set_undo(struct seal_gate_set *set)
{
	/* else a trampoline may have been told to share */
	if (!set->watched)
		seal_guard_leave(set);
	if (seal_probes_stuck()) {
		if (set->leaving)
			set_stay(set);
		return;
	}
	/* calls of what was attached for a moment are waited for anew */
	if (set->leaving)
		list_del(&set->list);
	/* ftrace may have told trampolines to share before it refused */
	set_left(set, true);
	mod_delayed_work(linger_queue, &linger, 0);
}

static int set_attach(struct seal_gate_set *set, const struct seal_limit *limit)
{
	int ret = seal_guard_attach(set, limit->reason);

	if (!ret)
		ret = set_share(set, limit);
	if (!ret)
		ret = seal_gates_attach(set, limit);
	if (ret) {
		set_undo(set);
		return ret;
	}
	WRITE_ONCE(set->attach_id, ++last_attach_id);
	set->attached = true;
	if (set->leaving)
		list_del(&set->list);
	set->leaving = false;
	list_add(&set->list, &attached);
	/* not at once: more sets may follow */
	if (seal_guard_called(set))
		mod_delayed_work(linger_queue, &linger,
				 min_t(unsigned long, linger_time(), HZ));
	return 0;
}

/* Have the gates of @set leave; while they do so, its guard is called. */
static bool gates_leave(struct seal_gate_set *set)
{
	char reason[SEAL_REASON_LEN];

	/* fails only if ftrace gave up; then nothing below succeeds either */
	if (seal_guard_attach(set, reason)) {
		seal_probes_give_up();
		return false;
	}
	return seal_gates_leave(set);
}

/*
 * Have the gates of @set called no more, and move it to the sets that are leaving. If
 * one of them cannot be detached, the set stays marked as attached, and from then on
 * no set is attached (seal_probes_stuck()).
 */
static void set_leave(struct seal_gate_set *set)
{
	bool left, missed;

	WRITE_ONCE(set->fallocate, NULL);
	WRITE_ONCE(set->dirty_folio, NULL);
	set->sharing = seal_sharing();
	seal_asking_begin();
	left = gates_leave(set);
	missed = seal_asking_end();
	list_del_init(&set->list);
	if (left)
		set_left(set, missed);
}

/*
 * No call of @set is under way that began before it left, and no update of a
 * trampoline. If BPF trampolines may share its functions, see to it that none does.
 */
static bool set_settle(struct seal_gate_set *set)
{
	if (!set->watched)
		return true;
	if ((set->missed || seal_sharing() != set->sharing) &&
	    !seal_trampolines_settle(set))
		return false;
	set_unwatch(set);
	return true;
}

/*
 * The next step of a set that is leaving; no call is under way of what had left before
 * this. Returns false if something of it stays for ever. If its guard leaves only now,
 * the set is leaving still.
 */
static bool set_step(struct seal_gate_set *set)
{
	if (!seal_gates_free(set) || !set_settle(set))
		return false;
	if (!seal_guard_called(set))
		return seal_guard_free(set);
	if (!seal_guard_leave(set))
		return false;
	list_move_tail(&set->list, &leaving);
	return true;
}

/*
 * A step of detaching, for all sets that are leaving and do not come back. The caller
 * holds sets_lock, which is given up while this waits: that takes as long as a task
 * runs in the kernel without a pause. A set that comes back takes itself out of the
 * list here. Returns false if there was none.
 */
static bool sets_step(void)
{
	struct seal_gate_set *set, *next;
	LIST_HEAD(ending);
	LIST_HEAD(scratches);

	if (!seal_ops_discarded(&scratches) && list_empty(&leaving))
		return false;
	list_splice_init(&leaving, &ending);
	mutex_unlock(&sets_lock);
	seal_ops_wait();
	seal_updates_wait();
	mutex_lock(&sets_lock);
	seal_ops_free_list(&scratches);
	list_for_each_entry_safe(set, next, &ending, list)
		if (!set_step(set))
			set_stay(set);
	/* see seal_ops_free() */
	synchronize_rcu();
	list_for_each_entry_safe(set, next, &ending, list) {
		list_del_init(&set->list);
		set->leaving = false;
	}
	return true;
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
		ret = seal_set_lookup(set, limit->reason);
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
	return seal_guard_called(set) && !seal_probes_stuck();
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

	list_for_each_entry_safe(set, next, &attached, list) {
		if (is_due(set, &wait))
			set_leave(set);
		else if (needs_no_guard(set))
			seal_guard_leave(set);
	}
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
	/* of a filesystem whose module has gone, or what was refused */
	sets_step();
	if (any_due(&wait)) {
		mutex_unlock(&sets_lock);
		sleep = all_sleep();
		mutex_lock(&sets_lock);
		wait = HZ;
	}
	if (sleep) {
		detach_due();
		sets_step();
		/* sets that were used by those may be due now, or later */
		if (any_due(&wait))
			wait = 0;
	}
	/* a guard, or a set that could not come back */
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
					   seal_guard_called(set) ? "guarded" : "alone",
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
	any = sets_step();
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
	/* sets_step() has waited for tasks on their way into it */
	seal_updates_wait();
	seal_probes_stay();
}
