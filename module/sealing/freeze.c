// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing the map of one inode to rest without disturbing in-place writers.
 *
 * A gate that lets writes in place pass has to know the map, and reading the
 * map takes long. So at first no call is refused: the gates are watched. If no
 * call passes a gate from then on until all earlier calls were drained,
 * everything was written back, and the map was read, then the map that was read
 * is the frozen one, and the gates are shut with it.
 *
 * A call that comes meanwhile passes, and thereby opens the gates. Then the map
 * is read without locks, and the gates are shut with its in-place ranges as the
 * table. Writes inside the table pass. So the map is at rest only if the whole
 * table is still in place after everything else was drained and written back.
 * If it is not (the file changed between reading and shutting), the table is
 * reduced to the ranges that are in both, and everything is drained again.
 * Tables only shrink, so this ends.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "base/compat.h"
#include "base/debug.h"
#include "base/lock.h"
#include "map/xfs_inode.h"
#include "sealing/folios.h"
#include "sealing/freeze.h"
#include "sealing/pages.h"
#include "sealing/staging.h"
#include "table/entry.h"

static struct seal_table *table_read(struct seal_entry *entry,
				     struct seal_map_info *info,
				     const struct seal_limit *limit)
{
	struct seal_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = seal_map_read_places(entry->inode, info, &table->ranges, limit);
	if (ret) {
		seal_table_free(table);
		return ERR_PTR(ret);
	}
	return table;
}

/* Takes i_rwsem, because others change i_flags under it, not atomically. */
static int flag(struct seal_entry *entry, enum seal_gates_state gates,
		const struct seal_limit *limit)
{
	struct inode *inode = entry->inode;
	struct seal_lock lock;
	int ret = seal_lock(&lock, &inode->i_rwsem, false, limit,
			    "the lock of the file");

	if (ret)
		return ret;
	/*
	 * Under the lock, so that a call that has passed its gate and still
	 * holds the lock never sees the state change. The release pairs with
	 * the acquire in seal_gates_pass(): the table was published before.
	 */
	smp_store_release(&entry->gates, gates);
	/* the shortcut of an earlier seal says nothing about this map */
	set_mask_bits(&inode->i_flags, S_ALL_IN_PLACE, S_SEALED);
	seal_unlock(&lock);
	return 0;
}

int seal_freeze_watch(struct seal_entry *entry, const struct seal_limit *limit)
{
	return flag(entry, SEAL_GATES_WATCHED, limit);
}

bool seal_freeze_opened(const struct seal_entry *entry)
{
	/* pairs with the cmpxchg() in seal_gates_pass() */
	return smp_load_acquire(&entry->gates) == SEAL_GATES_OPEN &&
	       !seal_step_skipped(SEAL_STEP_WATCH);
}

/* Its time is added to @limit: write-back is no wait for other tasks. */
static int write_back(struct inode *inode, struct seal_limit *limit)
{
	unsigned long began = jiffies;
	int ret = filemap_write_and_wait(inode->i_mapping);

	limit->end += jiffies - began;
	return ret;
}

int seal_freeze_look(struct seal_entry *entry, struct seal_limit *limit)
{
	struct seal_map_info info;
	struct seal_table *table;
	int ret;

	ret = write_back(entry->inode, limit);
	if (ret)
		return ret;
	table = table_read(entry, &info, limit);
	if (IS_ERR(table))
		return PTR_ERR(table);
	entry->sum = info.sum;
	seal_table_publish(entry, table);
	return 0;
}

int seal_freeze_shut(struct seal_entry *entry, const struct seal_limit *limit)
{
	return flag(entry, SEAL_GATES_SHUT, limit);
}

/* How long to wait, without a lock, for pages that are being written. */
#define PATIENCE	(2 * HZ)

/*
 * The part of seal_freeze_settle() that has the map locked (pages.h). -EAGAIN:
 * try again without the locks; @again says why.
 */
static int settle_locked(struct seal_entry *entry,
			 const struct seal_limit *limit, const char **again)
{
	struct inode *inode = entry->inode;
	int ret;

	if (seal_has_layout_lease(inode))
		return seal_limit_tell(limit, "a pNFS client holds a layout of the file");
	if (inode->i_flags & S_LAYOUT_BROKEN &&
	    !seal_step_skipped(SEAL_STEP_LAYOUTS)) {
		set_mask_bits(&inode->i_flags, S_LAYOUT_BROKEN, 0);
		entry->layout_broken = true;
	}
	if (!seal_xfs_may_prealloc_cow(inode) ||
	    seal_step_skipped(SEAL_STEP_STAGING))
		return 0;
	/*
	 * If writes are redirected, the blocks in the fork are those of dirty data,
	 * which would be written to shared blocks without them. No clone can be
	 * made while the locks are held.
	 */
	ret = seal_map_redirects(inode, limit);
	if (ret)
		return ret < 0 ? ret : 0;
	/* a transaction, which must not sleep in a freeze with the locks held */
	*again = "the filesystem is being frozen";
	if (!seal_write_access(inode->i_sb))
		return -EAGAIN;
	*again = "pages are being written all the time, try again";
	ret = seal_staging_cancel(inode);
	sb_end_write(inode->i_sb);
	return ret;
}

int seal_freeze_settle(struct seal_entry *entry, struct file *file,
		       struct seal_limit *limit)
{
	struct inode *inode = entry->inode;
	struct seal_pages_locks locks;
	const char *again = NULL;
	unsigned long began, until = jiffies + PATIENCE;
	int ret;

	ret = write_back(inode, limit);
	if (ret)
		return ret;

	for (;;) {
		ret = seal_pages_lock(inode, &locks, limit);
		if (ret)
			return ret;
		ret = settle_locked(entry, limit, &again);
		seal_pages_unlock(&locks);
		if (ret != -EAGAIN)
			break;
		if (seal_nap(1))
			return -EINTR;
		if (time_after(jiffies, until))
			return seal_limit_tell(limit, again);
		ret = write_back(inode, limit);
		if (ret)
			return ret;
	}
	if (ret)
		return ret;

	ret = write_back(inode, limit);
	began = jiffies;
	ret = ret ?: vfs_fsync(file, 0);
	limit->end += jiffies - began;
	return ret;
}

/*
 * The gates are shut, and writes inside the old table could pass. Was the whole
 * table in place (1), or has it to be reduced (0)? Takes over @table.
 */
static int read_shut(struct seal_entry *entry, struct seal_table *table,
		     const struct seal_map_info *info, bool rests)
{
	struct seal_table *old = rcu_dereference_protected(entry->table, 1);
	struct seal_table *both;
	int ret;

	if (rests && info->sum.cow == entry->sum.cow &&
	    seal_ranges_subset(&old->ranges, &table->ranges)) {
		entry->sum = info->sum;
		seal_table_publish(entry, table);
		return 1;
	}

	both = kzalloc(sizeof(*both), GFP_KERNEL_ACCOUNT);
	ret = both ? seal_ranges_intersect(&both->ranges, &old->ranges,
					   &table->ranges) : -ENOMEM;
	seal_table_free(table);
	if (ret) {
		if (both)
			seal_table_free(both);
		return ret;
	}
	entry->sum = info->sum;
	seal_table_publish(entry, both);
	return 0;
}

int seal_freeze_read(struct seal_entry *entry, struct seal_map_info *info,
		     const struct seal_limit *limit)
{
	struct seal_table *table;
	bool rests;

	if (seal_freeze_opened(entry))
		return 0;
	atomic64_set(&entry->changes, 0);
	table = table_read(entry, info, limit);
	if (IS_ERR(table))
		return PTR_ERR(table);

	/*
	 * A delayed allocation before EOF will still get its blocks. One beyond
	 * EOF has no data to be written and stays as it is.
	 */
	rests = !info->delalloc_at.state && !seal_changes(entry);
	/*
	 * ext4 keeps blocks that a short write at the end has reserved, without
	 * a dirty page: only another write there gives them an address.
	 */
	if (info->delalloc_at.state)
		snprintf(limit->reason, SEAL_REASON_LEN,
			 "a delayed block at offset %llu, with all data written back: write there, preallocate it, or punch it out",
			 info->delalloc_at.offset);
	if (entry->gates == SEAL_GATES_SHUT)
		return read_shut(entry, table, info, rests);

	entry->sum = info->sum;
	seal_table_publish(entry, table);
	return rests && !seal_freeze_opened(entry);
}

/*
 * Drop cached pages of blocks that are not in place. If the file has both kinds
 * of blocks, no folio may span both, because a store to one page makes the
 * whole folio dirty.
 */
static int close_pages(struct seal_entry *entry, struct file *file,
		       const struct seal_limit *limit)
{
	const struct seal_ranges *ranges =
		&rcu_dereference_protected(entry->table, 1)->ranges;
	u64 eof = round_up(i_size_read(entry->inode),
			   (u64)i_blocksize(entry->inode));

	if (seal_ranges_cover(ranges, 0, eof))
		return 0;
	return seal_pages_settle(entry, file, ranges, !seal_ranges_empty(ranges),
				 limit);
}

int seal_freeze_close(struct seal_entry *entry, struct file *file,
		      const struct seal_limit *limit)
{
	int ret = close_pages(entry, file, limit);

	/* pages may be busy because a call has passed: do another round */
	if (ret == -EBUSY && seal_freeze_opened(entry) &&
	    !seal_limit_over(limit)) {
		limit->reason[0] = '\0';
		return 0;
	}
	if (ret)
		return ret;
	/* a page had to be written back before it was dropped: read again */
	if (seal_changes(entry))
		return 0;
	if (entry->gates == SEAL_GATES_SHUT)
		return 1;
	if (seal_step_skipped(SEAL_STEP_WATCH)) {
		/* as below, but without noticing calls that have passed */
		smp_store_release(&entry->gates, SEAL_GATES_SHUT);
		return 1;
	}
	/*
	 * Pairs with the cmpxchg() in seal_gates_pass(): a call before this has
	 * opened the gates, and this fails; a call after this is decided by the
	 * table.
	 */
	return cmpxchg(&entry->gates, SEAL_GATES_WATCHED, SEAL_GATES_SHUT) ==
	       SEAL_GATES_WATCHED;
}

int seal_freeze_hand_out(struct seal_entry *entry, struct file *file, u64 start,
			 u64 end, bool unwritten,
			 const struct seal_limit *limit)
{
	struct seal_pages_locks locks;
	struct seal_ranges range = { };
	int ret;

	/* once a part is committed, the file has both kinds of blocks */
	if (unwritten) {
		ret = seal_pages_settle(entry, file, NULL, true, limit);
		if (ret)
			return ret;
	}
	ret = seal_ranges_add(&range, start, end);
	if (ret)
		return ret;
	limit->reason[0] = '\0';
	ret = seal_pages_lock_detached(entry->inode, file, &range, &locks,
				       limit);
	seal_ranges_free(&range);
	if (ret == -EBUSY && !limit->reason[0])
		seal_limit_tell(limit, "pages of the range are dirty, or locked, try again");
	if (ret)
		return ret;
	ret = -EAGAIN;
	if (seal_write_access(entry->inode->i_sb)) {
		ret = file_modified(file);
		sb_end_write(entry->inode->i_sb);
	}
	seal_pages_unlock(&locks);
	return ret;
}

int seal_freeze_modify(struct seal_entry *entry, struct file *file,
		       const struct seal_limit *limit)
{
	struct inode *inode = entry->inode;
	struct seal_lock lock;
	int ret = seal_lock(&lock, &inode->i_rwsem, false, limit,
			    "the lock of the file");

	if (ret)
		return ret;
	ret = -EAGAIN;
	if (seal_write_access(inode->i_sb)) {
		/* the file may grow by blocks that are not in place */
		set_mask_bits(&inode->i_flags, S_ALL_IN_PLACE, 0);
		ret = file_modified(file);
		if (ret)
			sb_end_write(inode->i_sb);
	}
	seal_unlock(&lock);
	return ret;
}

/* Times to try the lock that writers hold for a moment. */
#define SHORTCUT_TRIES	100

/*
 * The lock is only tried: it may be held for long, and without the shortcut the
 * table says the same.
 */
void seal_freeze_shortcut(struct seal_entry *entry)
{
	const struct seal_ranges *ranges =
		&rcu_dereference_protected(entry->table, 1)->ranges;
	struct inode *inode = entry->inode;
	unsigned int tries;

	for (tries = 0; !inode_trylock(inode); tries++) {
		if (tries == SHORTCUT_TRIES)
			return;
		cpu_relax();
	}
	if (seal_ranges_cover(ranges, 0, i_size_read(inode)))
		set_mask_bits(&inode->i_flags, 0, S_ALL_IN_PLACE);
	inode_unlock(inode);
}

/* How often to try the lock, and to look at the flags again. */
#define THAW_TRIES	10

/*
 * A process that ends calls this, and another task may hold the lock for ever:
 * a write in place whose memory never arrives. So the lock is only tried. It
 * keeps other tasks from changing i_flags by a load and a store. Without the
 * lock, look again a little later whether such a store has undone the change.
 */
void seal_thaw_map(struct seal_entry *entry)
{
	struct inode *inode = entry->inode;
	/* if this seal has not waited for it, the next one has to */
	const unsigned int set = entry->layout_broken ? S_LAYOUT_BROKEN : 0;
	const unsigned int clear = S_SEALED | S_ALL_IN_PLACE;
	const unsigned int mask = clear | set;
	unsigned int tries;
	bool locked = false;

	for (tries = 0; tries < THAW_TRIES; tries++) {
		locked = inode_trylock(inode);
		set_mask_bits(&inode->i_flags, clear, set);
		if (locked)
			break;
		usleep_range(500, 1000);
		if ((READ_ONCE(inode->i_flags) & mask) == set)
			break;
	}
	seal_folios_release(entry);
	if (locked)
		inode_unlock(inode);
}
