// SPDX-License-Identifier: GPL-2.0-only
/* How gates decide whether a call may pass. */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>

#include "base/compat.h"
#include "base/mode.h"
#include "base/trace.h"
#include "gates/decide.h"
#include "probes/gate.h"
#include "table/entry.h"
#include "table/events.h"

long seal_return_busy(void)
{
	return -ETXTBSY;
}

long seal_return_zero(void)
{
	return 0;
}

bool seal_gate_skipped(const struct seal_gate *gate)
{
	return IS_ENABLED(CONFIG_SEAL_DEBUG) && READ_ONCE(gate->skip);
}

bool seal_gate_refuse(struct seal_gate *gate, struct seal_entry *entry,
		      u64 start, u64 end)
{
	if (seal_gate_skipped(gate))
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

bool seal_gate_in_place(struct inode *inode, u64 start, u64 end)
{
	const struct seal_entry *entry;
	bool ret;

	rcu_read_lock();
	entry = seal_lookup(inode);
	ret = !entry || in_place(entry, start, end);
	rcu_read_unlock();
	return ret;
}

bool seal_gate_refuses(struct seal_gate *gate, struct inode *inode, u64 start,
		       u64 end)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/* the table may have been replaced when the gates were shut */
	if (entry && !in_place(entry, start, end) && !seal_gates_pass(entry) &&
	    !in_place(entry, start, end))
		refused = seal_gate_refuse(gate, entry, start, end);
	rcu_read_unlock();
	return refused;
}

bool seal_gate_refuses_any(struct seal_gate *gate, struct inode *inode)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	if (entry && !seal_gates_pass(entry))
		refused = seal_gate_refuse(gate, entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

bool seal_fallocate_done(struct inode *inode, int mode, loff_t offset,
			 loff_t len)
{
	const struct seal_entry *entry;
	u64 end = (u64)offset + len;
	bool done;

	/* in log-only mode, calls that have passed may have changed the map */
	if (mode & ~FALLOC_FL_KEEP_SIZE || seal_is_log_only())
		return false;
	rcu_read_lock();
	entry = seal_lookup(inode);
	/*
	 * Before and after, the table may be out of date. Pairs
	 * with the barrier in jobs_commit(), after the last table.
	 */
	done = entry && smp_load_acquire(&entry->state) == SEAL_ENTRY_SEALED;
	done = done && end <= i_size_read(inode) &&
	       in_place(entry, offset, end);
	rcu_read_unlock();
	return done;
}

/* Instead of these, the caller can write zeros. */
#define ZEROING_MODES	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | \
			 FALLOC_FL_WRITE_ZEROES)

long seal_fallocate_error(int mode)
{
	return mode & ZEROING_MODES ? -EOPNOTSUPP : -ETXTBSY;
}

/* Must all blocks of the file stay unshared, because some are granted? */
static bool stays_unshared(const struct seal_entry *entry)
{
	const struct seal_change *change = seal_entry_change(entry);

	return change && READ_ONCE(change->unshared);
}

bool seal_gate_refuses_sharing(struct seal_gate *gate, struct inode *inode)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/*
	 * Once one block of an inode has been shared, XFS redirects all writes
	 * to the inode. That does no harm if nothing was in place before, but
	 * while the file is being sealed this may not be known yet. And granted
	 * blocks are overwritten by others, so they must not be shared.
	 */
	if (entry && !seal_gates_pass(entry) &&
	    (entry->state == SEAL_ENTRY_SEALING ||
	     stays_unshared(entry) ||
	     !seal_ranges_empty(&rcu_dereference(entry->table)->ranges)))
		refused = seal_gate_refuse(gate, entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

bool seal_gate_refuses_sb(struct seal_gate *gate, struct super_block *sb)
{
	if (seal_gate_skipped(gate))
		return false;
	if (!seal_any_on(sb))
		return false;
	atomic64_inc(&gate->hits);
	if (!seal_is_log_only())
		return true;
	seal_tell_passed(d_inode(sb->s_root), gate->symbol);
	return false;
}
