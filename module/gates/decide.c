// SPDX-License-Identifier: GPL-2.0-only
/* What gates decide: may this call pass? And the wrappers that decide inside. */
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "base/debug.h"
#include "base/mode.h"
#include "base/trace.h"
#include "gates/decide.h"
#include "probes/gate.h"
#include "table/entry.h"
#include "table/events.h"

DEFINE_STATIC_SRCU(wrappers_srcu);

long seal_return_busy(void)
{
	return -ETXTBSY;
}

long seal_return_zero(void)
{
	return 0;
}

/* --- decisions --- */

static struct seal_gate *gate_of(struct kprobe *kp)
{
	return container_of(kp, struct seal_gate, kp);
}

static bool refuse(struct seal_gate *gate, struct seal_entry *entry, u64 start,
		   u64 end)
{
	if (IS_ENABLED(CONFIG_SEAL_DEBUG) && READ_ONCE(gate->skip))
		return false;
	atomic64_inc(&gate->hits);
	atomic64_inc(&entry->refused);
	trace_seal_refused(entry->inode, gate->symbol, start, end);
	seal_event_refused(entry, gate->symbol, start, end);
	if (!seal_is_log_only())
		return true;
	seal_tell_passed(entry->inode, gate->symbol);
	return false;
}

static bool in_place(const struct seal_entry *entry, u64 start, u64 end)
{
	return seal_ranges_cover(&rcu_dereference(entry->table)->ranges, start,
				 end);
}

bool seal_gate_refuses(struct kprobe *kp, struct inode *inode, u64 start,
		       u64 end)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/* when the gates are shut there may be another table */
	if (entry && !in_place(entry, start, end) && !seal_gates_pass(entry) &&
	    !in_place(entry, start, end))
		refused = refuse(gate_of(kp), entry, start, end);
	rcu_read_unlock();
	return refused;
}

bool seal_gate_refuses_any(struct kprobe *kp, struct inode *inode)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	if (entry && !seal_gates_pass(entry))
		refused = refuse(gate_of(kp), entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

/* Nothing of the file is shared, and it has to stay so. */
static bool stays_unshared(const struct seal_entry *entry)
{
	const struct seal_change *change = seal_entry_change(entry);

	return change && READ_ONCE(change->unshared);
}

bool seal_gate_refuses_sharing(struct kprobe *kp, struct inode *inode)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/*
	 * An inode from which one block was shared gets all its writes
	 * redirected; harmless only if none was overwritten in place before.
	 * Until the file is sealed that may not be known yet. What is granted
	 * is overwritten by others.
	 */
	if (entry && !seal_gates_pass(entry) &&
	    (entry->state == SEAL_ENTRY_SEALING ||
	     stays_unshared(entry) ||
	     !seal_ranges_empty(&rcu_dereference(entry->table)->ranges)))
		refused = refuse(gate_of(kp), entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

bool seal_gate_refuses_sb(struct kprobe *kp, struct super_block *sb)
{
	struct seal_gate *gate = gate_of(kp);

	if (IS_ENABLED(CONFIG_SEAL_DEBUG) && READ_ONCE(gate->skip))
		return false;
	if (!seal_any_on(sb))
		return false;
	atomic64_inc(&gate->hits);
	if (!seal_is_log_only())
		return true;
	seal_tell_passed(d_inode(sb->s_root), gate->symbol);
	return false;
}

int seal_wrapper_enter(void)
	__acquires(&wrappers_srcu)
{
	return srcu_read_lock(&wrappers_srcu);
}

void seal_wrapper_leave(int cookie)
	__releases(&wrappers_srcu)
{
	srcu_read_unlock(&wrappers_srcu, cookie);
}

struct drain {
	struct rcu_head		rcu;
	struct completion	done;
	refcount_t		users;
};

static void drain_put(struct drain *drain)
{
	if (refcount_dec_and_test(&drain->users))
		kfree(drain);
}

static void drain_done(struct rcu_head *rcu)
{
	struct drain *drain = container_of(rcu, struct drain, rcu);

	complete(&drain->done);
	drain_put(drain);
}

/* A wrapper may sit in a long fallocate: stay killable. */
int seal_drain_wrappers(void)
{
	struct drain *drain;
	int ret;

	if (seal_step_skipped(SEAL_STEP_WRAPPERS))
		return 0;
	drain = kmalloc(sizeof(*drain), GFP_KERNEL);
	if (!drain)
		return -ENOMEM;
	init_completion(&drain->done);
	refcount_set(&drain->users, 2);
	call_srcu(&wrappers_srcu, &drain->rcu, drain_done);
	ret = wait_for_completion_killable(&drain->done);
	drain_put(drain);
	return ret ? -EINTR : 0;
}

void seal_wrappers_exit(void)
{
	synchronize_srcu(&wrappers_srcu);
	srcu_barrier(&wrappers_srcu);
}
