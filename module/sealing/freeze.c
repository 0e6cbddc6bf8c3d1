// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing the map of one inode to rest without disturbing in-place writers.
 *
 * A gate that must not refuse what is in place has to know the map, and reading
 * it takes long. So at first nothing is refused: the gates are watched. If
 * nobody came by from then on until all who had been there before were drained,
 * everything was written back, and the map was read, then the map that was read
 * is the frozen one, and the gates are shut with it.
 *
 * Somebody who does come by passes, and opens the gates by that. Then the table
 * to decide with is what an unlocked look finds to be in place, and the gates
 * are shut with that. A write inside it passes, so the map is at rest only if
 * all of the table really is in place once everything else has been drained and
 * written back. If not (the file changed between look and shut), the table is
 * cut down to what both agree on, and everything is drained again. Tables only
 * shrink, so this ends.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "base/compat.h"
#include "base/debug.h"
#include "map/xfs_inode.h"
#include "sealing/folios.h"
#include "sealing/freeze.h"
#include "sealing/pages.h"
#include "sealing/staging.h"
#include "table/entry.h"

static struct seal_table *table_read(struct seal_entry *entry,
				     struct seal_map_info *info, char *reason)
{
	struct seal_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = seal_map_read(entry->inode, info, &table->ranges, reason);
	if (ret) {
		seal_table_free(table);
		return ERR_PTR(ret);
	}
	return table;
}

/* i_flags is changed under i_rwsem, not always atomically. */
static int flag(struct seal_entry *entry, enum seal_gates_state gates)
{
	struct inode *inode = entry->inode;

	if (down_write_killable(&inode->i_rwsem))
		return -EINTR;
	/*
	 * Under the lock: who has passed and has it does not meet another
	 * state. The table comes first, see seal_gates_pass().
	 */
	smp_store_release(&entry->gates, gates);
	set_mask_bits(&inode->i_flags, 0, S_SEALED);
	up_write(&inode->i_rwsem);
	return 0;
}

int seal_freeze_watch(struct seal_entry *entry)
{
	return flag(entry, SEAL_GATES_WATCHED);
}

bool seal_freeze_opened(const struct seal_entry *entry)
{
	/* pairs with the exchange in seal_gates_pass() */
	return smp_load_acquire(&entry->gates) == SEAL_GATES_OPEN &&
	       !seal_step_skipped(SEAL_STEP_WATCH);
}

int seal_freeze_look(struct seal_entry *entry, char *reason)
{
	struct seal_map_info info;
	struct seal_table *table;
	int ret;

	ret = filemap_write_and_wait(entry->inode->i_mapping);
	if (ret)
		return ret;
	table = table_read(entry, &info, reason);
	if (IS_ERR(table))
		return PTR_ERR(table);
	entry->sum = info.sum;
	seal_table_publish(entry, table);
	return 0;
}

int seal_freeze_shut(struct seal_entry *entry)
{
	return flag(entry, SEAL_GATES_SHUT);
}

/* How long to wait for pages that are being written, without a lock. */
#define PATIENCE	(2 * HZ)

/* With the map locked. */
static int settle_locked(struct seal_entry *entry, bool staging, char *reason)
{
	struct inode *inode = entry->inode;

	if (seal_has_layout_lease(inode)) {
		strscpy(reason, "a pNFS client holds a layout of the file",
			SEAL_REASON_LEN);
		return -EBUSY;
	}
	if (inode->i_flags & S_LAYOUT_BROKEN &&
	    !seal_step_skipped(SEAL_STEP_LAYOUTS)) {
		set_mask_bits(&inode->i_flags, S_LAYOUT_BROKEN, 0);
		entry->layout_broken = true;
	}
	return staging ? seal_staging_cancel(inode) : 0;
}

int seal_freeze_settle(struct seal_entry *entry, struct file *file,
		       char *reason)
{
	struct inode *inode = entry->inode;
	bool shut = entry->gates == SEAL_GATES_SHUT;
	unsigned long until = jiffies + PATIENCE;
	bool staging = seal_xfs_may_prealloc_cow(inode) &&
		       !seal_step_skipped(SEAL_STEP_STAGING);
	int cow, ret;

	ret = filemap_write_and_wait(inode->i_mapping);
	if (ret)
		return ret;
	cow = shut ? entry->sum.cow : staging ? seal_map_redirects(inode) : 0;
	if (cow < 0)
		return cow;

	for (;;) {
		ret = seal_pages_lock(inode, false);
		if (ret)
			return ret;
		ret = settle_locked(entry, staging && !cow, reason);
		seal_pages_unlock(inode);
		if (ret != -EAGAIN)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, until)) {
			strscpy(reason, "pages are being written all the time, try again",
				SEAL_REASON_LEN);
			return -EBUSY;
		}
		ret = filemap_write_and_wait(inode->i_mapping);
		if (ret)
			return ret;
	}
	if (ret)
		return ret;

	ret = filemap_write_and_wait(inode->i_mapping);
	return ret ?: vfs_fsync(file, 0);
}

/* With a table that lets some writes pass: is it right, or what of it is? */
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
		     char *reason)
{
	struct seal_table *table;
	bool rests;

	if (seal_freeze_opened(entry))
		return 0;
	atomic64_set(&entry->changes, 0);
	table = table_read(entry, info, reason);
	if (IS_ERR(table))
		return PTR_ERR(table);

	/*
	 * A delayed allocation before EOF would still get its blocks; one
	 * beyond EOF has no data to be written and stays as it is.
	 */
	rests = !info->delalloc_at.state && !seal_changes(entry);
	/*
	 * ext4 keeps what a short write at the end had reserved, in no dirty
	 * page: only who writes there again gives it an address.
	 */
	if (info->delalloc_at.state)
		snprintf(reason, SEAL_REASON_LEN,
			 "a delayed block at offset %llu, with all data written back: write there, preallocate it, or punch it out",
			 info->delalloc_at.offset);
	if (entry->gates == SEAL_GATES_SHUT)
		return read_shut(entry, table, info, rests);

	entry->sum = info->sum;
	seal_table_publish(entry, table);
	return rests && !seal_freeze_opened(entry);
}

/*
 * What is cached of blocks that are not in place is dropped. Where there are
 * others as well, a folio must not span both kinds: a store to one page of it
 * would count as one to all of it.
 */
static int close_pages(struct seal_entry *entry, struct file *file, char *reason)
{
	const struct seal_ranges *ranges =
		&rcu_dereference_protected(entry->table, 1)->ranges;
	u64 eof = round_up(i_size_read(entry->inode),
			   (u64)i_blocksize(entry->inode));

	if (seal_ranges_cover(ranges, 0, eof))
		return 0;
	return seal_pages_settle(entry, file, ranges, !seal_ranges_empty(ranges),
				 reason);
}

int seal_freeze_close(struct seal_entry *entry, struct file *file, char *reason)
{
	int ret = close_pages(entry, file, reason);

	/* what is busy may be so because somebody has passed */
	if (ret == -EBUSY && seal_freeze_opened(entry)) {
		reason[0] = '\0';
		return 0;
	}
	if (ret)
		return ret;
	/* a page that was dropped had to be written before */
	if (seal_changes(entry))
		return 0;
	if (entry->gates == SEAL_GATES_SHUT)
		return 1;
	if (seal_step_skipped(SEAL_STEP_WATCH)) {
		/* as below, without looking */
		smp_store_release(&entry->gates, SEAL_GATES_SHUT);
		return 1;
	}
	/* from here on they refuse; who passed before has opened them */
	return cmpxchg(&entry->gates, SEAL_GATES_WATCHED, SEAL_GATES_SHUT) ==
	       SEAL_GATES_WATCHED;
}

int seal_freeze_hand_out(struct seal_entry *entry, struct file *file, u64 start,
			 u64 end, bool unwritten, char *reason)
{
	struct seal_ranges range = { };
	int ret;

	/* the file is a mixed one as soon as a part of this is committed */
	if (unwritten) {
		ret = seal_pages_settle(entry, file, NULL, true, reason);
		if (ret)
			return ret;
	}
	ret = seal_ranges_add(&range, start, end);
	if (ret)
		return ret;
	ret = seal_pages_lock_detached(entry->inode, file, &range, false);
	seal_ranges_free(&range);
	if (ret == -EBUSY)
		strscpy(reason, "pages of the range are in use, try again",
			SEAL_REASON_LEN);
	if (ret)
		return ret;
	ret = file_modified(file);
	seal_pages_unlock(entry->inode);
	return ret;
}

int seal_freeze_modify(struct seal_entry *entry, struct file *file)
{
	struct inode *inode = entry->inode;
	int ret;

	if (down_write_killable(&inode->i_rwsem))
		return -EINTR;
	ret = file_modified(file);
	up_write(&inode->i_rwsem);
	return ret;
}

/* Times to try the lock, and to look whether the flags have stayed. */
#define THAW_TRIES	10

/*
 * A process that ends comes here, and the lock may be held by somebody who never
 * gives it back: a write in place whose memory does not come. So the lock is only
 * tried. It keeps others from changing i_flags by a load and a store; without it,
 * look again a little later whether one of them has undone the change.
 */
void seal_thaw_map(struct seal_entry *entry)
{
	struct inode *inode = entry->inode;
	/* the next one to seal it has to wait instead */
	const unsigned int set = entry->layout_broken ? S_LAYOUT_BROKEN : 0;
	const unsigned int mask = S_SEALED | set;
	unsigned int tries;
	bool locked = false;

	for (tries = 0; tries < THAW_TRIES; tries++) {
		locked = inode_trylock(inode);
		set_mask_bits(&inode->i_flags, S_SEALED, set);
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
