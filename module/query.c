// SPDX-License-Identifier: GPL-2.0-only
/* STATUS and PLACES: what is known about a file, sealed or not. */
#include <linux/blk_types.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "base/lock.h"
#include "base/mode.h"
#include "map/map.h"
#include "gates/observers.h"
#include "gates/tripwire.h"
#include "probes/fs.h"
#include "query.h"
#include "table/claim.h"

static void query_map(struct seal_status *status,
		      const struct seal_map_sum *sum)
{
	const u32 all = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
			SEAL_REQ_UNSHARED;

	status->met = all & ~sum->unmet;
	status->file_size = sum->file_size;
	status->extents = sum->extents;
	status->written = sum->written;
	status->unwritten = sum->unwritten;
	status->shared = sum->shared;
	status->delalloc = sum->delalloc;
	status->hole = sum->hole;
	status->in_place = seal_map_in_place(sum);
	status->digest = sum->digest;
}

/* How often to try the lock of the file, which a task may hold for ever. */
#define LOCK_TRIES	10

/*
 * Set the flag of the inode again if a sealed file has lost it. Does nothing
 * without the lock, because the flag could be lost again at the same time.
 */
static bool query_repair(struct inode *inode)
{
	unsigned int tries;
	bool lost;

	for (tries = 0; !inode_trylock(inode); tries++) {
		if (tries == LOCK_TRIES)
			return false;
		usleep_range(500, 1000);
	}
	rcu_read_lock();
	lost = !seal_flagged(inode) && seal_lookup(inode);
	rcu_read_unlock();
	if (lost)
		set_mask_bits(&inode->i_flags, 0, S_SEALED);
	inode_unlock(inode);
	return lost;
}

/* Read the map of @inode now. */
static int read_map(struct inode *inode, struct seal_map_info *info)
{
	char reason[SEAL_REASON_LEN];
	struct seal_limit limit;
	int ret;

	seal_limit_start(&limit, reason);
	ret = seal_map_get(&limit);
	if (ret)
		return ret;
	ret = seal_map_read(inode, info, NULL, &limit);
	seal_map_put();
	return ret;
}

/*
 * SEAL did not find out what is shared, and that may have changed since. If it cannot
 * be found out, what is known of the seal is told all the same.
 */
static int query_shared(struct inode *inode, struct seal_status *status)
{
	struct seal_map_info info;
	int ret = read_map(inode, &info);

	if (ret == -EINTR)
		return ret;
	if (ret) {
		status->shared = status->written;
		status->written = 0;
	} else {
		status->written = info.sum.written;
		status->shared = info.sum.shared;
	}
	return 0;
}

int seal_query(struct seal_session *session, struct file *file,
	       struct seal_status *status)
{
	struct inode *inode = file_inode(file);
	struct block_device *bdev = inode->i_sb->s_bdev;
	dev_t dev = bdev ? bdev->bd_dev : inode->i_sb->s_dev;
	bool map = !(status->ask & SEAL_ASK_SEAL);
	const struct seal_change *change;
	struct seal_map_info info;
	struct seal_claim *claim;
	struct seal_entry *entry;
	struct seal_fs *fs = NULL;
	bool places = false;
	u64 switched = 0;
	int ret;

	status->dev_major = MAJOR(dev);
	status->dev_minor = MINOR(dev);

	mutex_lock(&session->lock);
	spin_lock(&seal_table_lock);
	claim = seal_session_find(session, inode);
	if (claim)
		status->flags |= seal_claim_revoked(claim) ? SEAL_STATUS_REVOKED :
							SEAL_STATUS_HELD;
	if (claim && seal_claim_recalled(claim))
		status->flags |= SEAL_STATUS_RECALLED;

	entry = seal_entry_find(inode);
	if (entry && entry->state == SEAL_ENTRY_SEALED) {
		const char *first;

		seal_trip_size(entry);
		status->flags |= SEAL_STATUS_SEALED;
		if (entry->sticky)
			status->flags |= SEAL_STATUS_STICKY;
		status->holders = seal_entry_holders(entry);
		status->refused = atomic64_read(&entry->refused);
		fs = seal_entry_fs(entry);
		status->missed = seal_fs_missed(fs);
		status->broken = seal_changes(entry);
		first = READ_ONCE(entry->first_change);
		if (status->broken && first)
			strscpy(status->first_broken, first,
				sizeof(status->first_broken));
		status->generation = entry->generation;
		switched = entry->switched;
		change = seal_entry_change(entry);
		if (change)
			status->granted = READ_ONCE(change->granted);
		if (map) {
			places = entry->sum.places;
			query_map(status, &entry->sum);
		}
	}
	spin_unlock(&seal_table_lock);
	mutex_unlock(&session->lock);

	if (fs) {
		if (!seal_flagged(inode) && query_repair(inode))
			status->flags |= SEAL_STATUS_REPAIRED;
		if (!seal_gates_armed(fs))
			status->flags |= SEAL_STATUS_DISARMED;
		if (switched != seal_kprobes_switched() ||
		    !seal_fs_last_armed(fs))
			status->flags |= SEAL_STATUS_LAPSED;
		if (status->missed)
			status->flags |= SEAL_STATUS_MISSED;
		if (status->broken)
			status->flags |= SEAL_STATUS_BROKEN;
		if (seal_is_log_only())
			status->flags |= SEAL_STATUS_LOG_ONLY;
		return places ? query_shared(inode, status) : 0;
	}
	if (!map)
		return 0;

	ret = filemap_write_and_wait(inode->i_mapping);
	if (ret)
		return ret;
	ret = read_map(inode, &info);
	if (!ret)
		query_map(status, &info.sum);
	return ret;
}

/* Has @session a claim on the file? Returns 0, -EACCES or -EOWNERDEAD. */
static int check_claim(struct seal_session *session, struct inode *inode)
{
	const struct seal_claim *claim;
	int ret = -EACCES;

	mutex_lock(&session->lock);
	spin_lock(&seal_table_lock);
	claim = seal_session_find(session, inode);
	if (claim)
		ret = seal_claim_revoked(claim) ? -EOWNERDEAD : 0;
	spin_unlock(&seal_table_lock);
	mutex_unlock(&session->lock);
	return ret;
}

static int copy_places(struct seal_places *places,
		       const struct seal_map_extent *extents, unsigned int nr)
{
	struct seal_place __user *to = u64_to_user_ptr(places->extents);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		const struct seal_place place = {
			.logical  = extents[i].start,
			.length   = extents[i].end - extents[i].start,
			.physical = extents[i].state == SEAL_RANGE_DELALLOC ?
				    0 : extents[i].physical,
			.state	  = extents[i].state,
		};

		if (copy_to_user(to + i, &place, sizeof(place)))
			return -EFAULT;
	}
	places->nr_extents = nr;
	return 0;
}

int seal_query_places(struct seal_session *session, struct file *file,
		      struct seal_places *places, unsigned int room)
{
	struct seal_map_extent *extents;
	struct seal_limit limit;
	int ret;

	ret = check_claim(session, file_inode(file));
	if (ret)
		return ret;
	seal_limit_start(&limit, places->reason);
	extents = kvmalloc_array(room, sizeof(*extents), GFP_KERNEL_ACCOUNT);
	if (!extents)
		return -ENOMEM;
	ret = seal_map_get(&limit);
	if (!ret) {
		ret = seal_map_list_places(file_inode(file), places->offset,
					   extents, room, &limit);
		seal_map_put();
	}
	if (ret >= 0)
		ret = copy_places(places, extents, ret);
	kvfree(extents);
	return ret;
}
