// SPDX-License-Identifier: GPL-2.0-only
/*
 * GRANT and RELEASE.
 *
 * A grant says which blocks of a sealed file others may write to, through the
 * device. The seal already keeps the blocks where they are. What is left to do
 * is to know to whom they are granted (grantee.c), and to change their state
 * when they have been written (commit.c).
 *
 * map_blocks(), which the filesystem has for the pNFS server, is not used: it
 * drops the page cache of the whole file, and warns if others write meanwhile.
 * The map is known here, and ->fallocate() allocates.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/slab.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/mode.h"
#include "changes/change.h"
#include "changes/grant.h"
#include "map/map.h"
#include "sealing/freeze.h"
#include "table/entry.h"
#include "table/grantee.h"

/* Bytes that one GRANT allocates at most. */
#define STEP_ALLOCATE	BIT_ULL(30)

/*
 * Allocate the holes of the range. Not by vfs_fallocate(), which would sleep in a
 * freeze, with the locks of the change held. A moment ago the lock of the file was
 * free.
 */
static int allocate(struct seal_entry *entry, struct file *file, u64 start,
		    u64 end)
{
	int ret, err;

	if (IS_IMMUTABLE(entry->inode) || IS_APPEND(entry->inode))
		return -EPERM;
	if (!seal_write_access(entry->inode->i_sb))
		return -EAGAIN;
	seal_change_allow(entry);
	ret = file->f_op->fallocate(file, FALLOC_FL_KEEP_SIZE, start,
				    end - start);
	seal_change_forbid(entry);
	sb_end_write(entry->inode->i_sb);
	/* that would mean a freeze, after which it is tried again */
	if (ret == -EAGAIN)
		ret = -EIO;
	/* also after a failure, because a part may have been allocated */
	err = vfs_fsync(file, 0);
	seal_change_reread(entry);
	return ret ?: err;
}

static int refuse_range(struct seal_grant *grant, u32 state, u64 start, u64 end,
			const char *why)
{
	grant->bad_state = state;
	grant->bad_offset = start;
	grant->bad_length = end - start;
	return seal_explain(grant->reason, -EBADFD, why);
}

/* Is there a hole in the range? 1, 0 or -errno. */
static int has_hole(struct inode *inode, u64 start, u64 end,
		    struct seal_map_extent *list,
		    const struct seal_limit *limit)
{
	while (start < end) {
		int i, nr = seal_map_list(inode, start, end, list,
					  SEAL_GRANT_MAX_EXTENTS, limit);

		if (nr < 0)
			return nr;
		for (i = 0; i < nr; i++) {
			if (list[i].start > start)
				return 1;
			start = list[i].end;
		}
		if (nr < SEAL_GRANT_MAX_EXTENTS)
			return start < end;
	}
	return 0;
}

/*
 * List the extents of [start, end) in @list, and check that they can be
 * granted. Returns their number or -errno; @stop gets their end, which is
 * before @end if there are more extents than @grant has room for.
 */
static int list_range(struct inode *inode, struct seal_grant *grant, u64 start,
		      u64 end, struct seal_map_extent *list, u64 *stop,
		      const struct seal_limit *limit)
{
	u64 unit = seal_grant_unit(inode), pos = start;
	int i, nr;

	nr = seal_map_list(inode, start, end, list, grant->nr_extents, limit);
	if (nr < 0)
		return nr;
	/* the list is full, so there may be more extents */
	if (nr == grant->nr_extents)
		end = round_down(list[nr - 1].end, unit);

	for (i = 0; i < nr && pos < end; i++) {
		struct seal_map_extent *e = &list[i];

		if (e->start > pos)
			break;
		e->end = min(e->end, end);
		if (e->state == SEAL_RANGE_UNWRITTEN &&
		    grant->flags & SEAL_GRANT_WRITTEN)
			return refuse_range(grant, e->state, e->start, e->end,
					    "unwritten blocks, written ones are asked for");
		if (e->state != SEAL_RANGE_UNWRITTEN &&
		    e->state != SEAL_RANGE_WRITTEN)
			return refuse_range(grant, e->state, e->start, e->end,
					    "shared blocks: unshare the file before sealing");
		if (i && e->state != list[i - 1].state && e->start & (unit - 1))
			return refuse_range(grant, SEAL_RANGE_UNWRITTEN,
					    e->start, e->end,
					    "written and unwritten blocks share a page");
		pos = e->end;
	}
	if (pos < end)
		return refuse_range(grant, SEAL_RANGE_HOLE, pos,
				    i < nr ? list[i].start : end,
				    "a hole has no blocks to grant: ask to allocate them");
	*stop = end;
	return i;
}

static int grant_check(struct seal_entry *entry, struct seal_session *session,
		       struct seal_grant *grant, u64 start, u64 end)
{
	struct seal_grantee *other;

	if (seal_changes(entry))
		return seal_explain(grant->reason, -ESTALE,
				    "the seal that is held on it was broken");
	if (entry->sum.cow)
		return refuse_range(grant, SEAL_RANGE_COW, start, end,
				    "the inode was reflinked once: unshare the file before sealing");
	if (grant->flags & SEAL_GRANT_EXTEND &&
	    i_size_read(entry->inode) & (seal_grant_unit(entry->inode) - 1))
		return seal_explain(grant->reason, -EINVAL,
				    "the file ends within a block or page, its end cannot be moved");
	list_for_each_entry(other, &seal_entry_change(entry)->grantees, list) {
		struct seal_session *owner = READ_ONCE(other->session);

		if (owner == session || READ_ONCE(other->gone) ||
		    !seal_ranges_overlap(&other->ranges, start, end))
			continue;
		if (owner)
			return seal_explain(grant->reason, -EBUSY,
					    "blocks of the range are granted to another holder");
		if (!(grant->flags & SEAL_GRANT_TAKEOVER))
			return seal_explain(grant->reason, -EBUSY,
					    "blocks of the range are granted to the lasting claim: take them over");
	}
	return 0;
}

static int grant_locked(struct seal_entry *entry, struct seal_session *session,
			struct file *file, struct seal_grant *grant,
			struct seal_grant_extent *extents,
			struct seal_map_extent *list,
			const struct seal_limit *limit)
{
	struct inode *inode = entry->inode;
	dev_t dev = inode->i_sb->s_bdev->bd_dev;
	u64 start = grant->offset, end = start + grant->length;
	int i, nr, ret;

	ret = grant_check(entry, session, grant, start, end);
	if (ret)
		return ret;

	/*
	 * The gate of reflinks reads this with i_rwsem held. The next call
	 * takes that lock: a reflink has finished then, or it sees this.
	 */
	WRITE_ONCE(seal_entry_change(entry)->unshared, true);
	ret = seal_freeze_hand_out(entry, file, start, end,
				   !(grant->flags & SEAL_GRANT_WRITTEN), limit);
	if (ret)
		return ret;
	if (grant->flags & SEAL_GRANT_ALLOCATE) {
		end = min(end, start + STEP_ALLOCATE);
		ret = has_hole(inode, start, end, list, limit);
		if (ret > 0)
			ret = allocate(entry, file, start, end);
		if (ret)
			return ret;
	}
	nr = list_range(inode, grant, start, end, list, &end, limit);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++)
		extents[i] = (struct seal_grant_extent) {
			.logical	= list[i].start,
			.length		= list[i].end - list[i].start,
			.physical	= list[i].physical,
			.dev_major	= MAJOR(dev),
			.dev_minor	= MINOR(dev),
			.state		= list[i].state,
		};
	ret = seal_grantee_add(entry, session, grant->flags, start, end);
	if (ret)
		return ret;
	/* it was dropped meanwhile: as if that had been a moment later */
	if (!seal_change_claimed(entry, session))
		seal_grants_leave_locked(entry, session);
	grant->nr_extents = nr;
	grant->done = end - start;
	return 0;
}

struct grant_job {
	struct seal_session		*session;
	struct file			*file;
	struct seal_grant		*grant;
	struct seal_grant_extent	*extents;
	struct seal_map_extent		*list;
};

static int grant_try(void *arg)
{
	const u32 grow = SEAL_GRANT_ALLOCATE | SEAL_GRANT_EXTEND;
	struct grant_job *job = arg;
	struct seal_grant *grant = job->grant;
	struct seal_entry *entry;
	struct seal_limit limit;
	int ret;

	grant->reason[0] = '\0';
	seal_limit_start(&limit, grant->reason);
	ret = seal_change_enter(job->file, &limit);
	if (ret)
		return ret;
	entry = seal_change_begin(job->session, file_inode(job->file),
				  grant->flags & grow, &limit);
	if (IS_ERR(entry)) {
		ret = PTR_ERR(entry);
	} else {
		ret = grant_locked(entry, job->session, job->file, grant,
				   job->extents, job->list, &limit);
		seal_grants_settle(entry);
		seal_change_end(entry, grant->flags & grow);
	}
	seal_change_leave();
	return ret;
}

int seal_grant_blocks(struct seal_session *session, struct file *file,
		      struct seal_grant *grant,
		      struct seal_grant_extent *extents)
{
	struct grant_job job = {
		.session	= session,
		.file		= file,
		.grant		= grant,
		.extents	= extents,
	};
	struct inode *inode = file_inode(file);
	int ret;

	ret = seal_may_change(file);
	if (ret)
		return seal_explain(grant->reason, ret, ret == -EPERM ?
				    "granting blocks needs CAP_SYS_RAWIO" :
				    "the file is not open for writing");
	if (!seal_grant_whole_units(inode, grant->offset, grant->length))
		return seal_explain(grant->reason, -EINVAL,
				    "the range is not whole blocks and whole pages");
	if (grant->offset + grant->length > inode->i_sb->s_maxbytes)
		return -EFBIG;
	if (seal_is_log_only())
		return seal_explain(grant->reason, -EOPNOTSUPP,
				    "the module is in log-only mode: nothing stays where it is");
	if (IS_SWAPFILE(inode))
		return seal_explain(grant->reason, -ETXTBSY,
				    "the kernel swaps to the file");
	if (!(grant->flags & SEAL_GRANT_WRITTEN) &&
	    !seal_can_commit_blocks(inode->i_sb))
		return seal_explain(grant->reason, -EOPNOTSUPP,
				    "the filesystem cannot convert blocks it did not write: preallocate written ones, grant these");
	job.list = kvmalloc_array(SEAL_GRANT_MAX_EXTENTS, sizeof(*job.list),
				  GFP_KERNEL_ACCOUNT);
	if (!job.list)
		return -ENOMEM;
	ret = seal_change_thawed(file, grant_try, &job);
	kvfree(job.list);
	return seal_change_error(ret, grant->reason);
}

int seal_grant_release(struct seal_session *session, struct file *file,
		       const struct seal_release *release)
{
	bool sticky = release->flags & SEAL_RELEASE_STICKY;
	struct inode *inode = file_inode(file);
	char reason[SEAL_REASON_LEN];
	struct seal_entry *entry;
	struct seal_limit limit;
	u64 length = release->length;
	int ret;

	if (!length)
		length = round_down(S64_MAX - min_t(u64, release->offset,
						    S64_MAX),
				    seal_grant_unit(inode));
	if (!seal_grant_whole_units(inode, release->offset, length))
		return -EINVAL;
	seal_limit_start(&limit, reason);
	entry = seal_change_begin(sticky ? NULL : session, inode, false,
				  &limit);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	ret = seal_grantee_remove(entry, sticky ? NULL : session,
				  release->offset, release->offset + length);
	seal_grants_settle(entry);
	seal_change_end(entry, false);
	return ret;
}
