// SPDX-License-Identifier: GPL-2.0-only
/*
 * Granted blocks.
 *
 * A grant says which blocks of a sealed file somebody else may write to,
 * through the device. The seal already sees to it that they stay where they
 * are. What is left to do here is to know whose they are, and to change their
 * state when they have been written: the one change of a sealed map there is.
 *
 * That change is exact: the map it leads to is computed before it is begun,
 * together with the table and the digest, so that nothing can fail once the
 * filesystem has done its part. Until the new table is published gates refuse
 * what the old one refused.
 *
 * The filesystem converts blocks by the operation it has for its pNFS server,
 * commit_blocks(). Its counterpart map_blocks() is not used: it drops the page
 * cache of the whole file, and warns if others write meanwhile. The map is
 * known here, and ->fallocate() allocates.
 *
 * Locks: mnt_want_write > entry->change_lock > session->lock > seal_table_lock, and
 * change_lock > i_rwsem > invalidate_lock.
 */
#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "claim.h"
#include "compat.h"
#include "events.h"
#include "freeze.h"
#include "grant.h"
#include "map.h"
#include "mode.h"
#include "trace.h"
#include "tripwire.h"
#include "xfs_inode.h"

/* Bytes that are allocated per call. */
#define STEP_ALLOCATE	BIT_ULL(30)
/* Extents that are converted per call. */
#define MAX_PIECES	65536
#define REREAD_TRIES	5

struct seal_grantee {
	struct list_head	list;
	struct seal_session	*session;	/* NULL: the sticky claim */
	struct seal_ranges	ranges;
	u64			grow_to;	/* COMMIT may move EOF up to here */
};

static int explain(char *reason, int error, const char *why)
{
	strscpy(reason, why, SEAL_REASON_LEN);
	return error;
}

bool seal_grant_changing(struct inode *inode)
{
	struct seal_entry *entry;
	bool own;

	rcu_read_lock();
	entry = seal_lookup(inode);
	own = entry && READ_ONCE(entry->changer) == current;
	rcu_read_unlock();
	return own;
}

/*
 * Between these two, what this task does to the map is what the holder asked
 * for. Reclaim within does not touch this inode: its locks are held.
 */
static void change_allow(struct seal_entry *entry)
{
	WRITE_ONCE(entry->changer, current);
}

static void change_forbid(struct seal_entry *entry)
{
	WRITE_ONCE(entry->changer, NULL);
}

/*
 * Cached pages hold whole blocks and whole blocks hold whole pages: what is
 * committed must not share a page with what is not.
 */
static u64 grant_unit(struct inode *inode)
{
	return max_t(u64, i_blocksize(inode), PAGE_SIZE);
}

static bool whole_units(struct inode *inode, u64 offset, u64 length)
{
	u64 unit = grant_unit(inode);

	return length && offset <= S64_MAX && length <= S64_MAX - offset &&
	       !(offset & (unit - 1)) && !(length & (unit - 1));
}

/* --- who has been granted what; under entry->change_lock --- */

static struct seal_grantee *grantee_find(struct seal_entry *entry,
					 struct seal_session *session)
{
	struct seal_grantee *grantee;

	list_for_each_entry(grantee, &entry->grantees, list)
		if (grantee->session == session)
			return grantee;
	return NULL;
}

static struct seal_grantee *grantee_get(struct seal_entry *entry,
					struct seal_session *session)
{
	struct seal_grantee *grantee = grantee_find(entry, session);

	if (grantee)
		return grantee;
	grantee = kzalloc(sizeof(*grantee), GFP_KERNEL_ACCOUNT);
	/* each commit reads the map: the probe is not removed in between */
	if (grantee && seal_map_get()) {
		kfree(grantee);
		grantee = NULL;
	}
	if (grantee) {
		grantee->session = session;
		list_add(&grantee->list, &entry->grantees);
	}
	return grantee;
}

static void grantee_free(struct seal_grantee *grantee)
{
	list_del(&grantee->list);
	seal_ranges_free(&grantee->ranges);
	kfree(grantee);
	seal_map_put();
}

/* Forget who has nothing, and tell the gates and STATUS what is granted. */
static void grants_settle(struct seal_entry *entry)
{
	struct seal_grantee *grantee, *next;
	u64 bytes = 0;

	list_for_each_entry_safe(grantee, next, &entry->grantees, list) {
		if (!grantee->ranges.nr)
			grantee_free(grantee);
		else
			bytes += seal_ranges_bytes(&grantee->ranges);
	}
	WRITE_ONCE(entry->granted, bytes);
	WRITE_ONCE(entry->unshared, bytes != 0);
}

typedef int (*ranges_op)(struct seal_ranges *out, const struct seal_ranges *a,
			 const struct seal_ranges *b);

/* Prepare @out = @ranges op [start, end). */
static int ranges_with(struct seal_ranges *out, ranges_op op,
		       const struct seal_ranges *ranges, u64 start, u64 end)
{
	struct seal_ranges one = { };
	int ret;

	ret = seal_ranges_add(&one, start, end) ?: op(out, ranges, &one);
	seal_ranges_free(&one);
	if (ret)
		seal_ranges_free(out);
	return ret;
}

static void ranges_replace(struct seal_ranges *old, struct seal_ranges *new)
{
	seal_ranges_free(old);
	*old = *new;
	memset(new, 0, sizeof(*new));
}

/*
 * Each session that ends leaves its grants to the sticky claim: make one of
 * them before they are looked at. NULL if there is none.
 */
static struct seal_grantee *grantee_sticky(struct seal_entry *entry)
{
	struct seal_grantee *grantee, *next, *sticky;

	sticky = grantee_find(entry, NULL);
	list_for_each_entry_safe(grantee, next, &entry->grantees, list) {
		struct seal_ranges both = { };

		if (grantee->session || grantee == sticky)
			continue;
		if (seal_ranges_union(&both, &sticky->ranges,
				      &grantee->ranges)) {
			seal_ranges_free(&both);
			return ERR_PTR(-ENOMEM);
		}
		ranges_replace(&sticky->ranges, &both);
		grantee_free(grantee);
	}
	return sticky;
}

/* --- changing a map --- */

/* The state after a change that did not go as computed: what is there now. */
static void change_reread(struct seal_entry *entry)
{
	struct seal_table *table;
	char reason[SEAL_REASON_LEN];
	struct seal_map_info info;
	int tries, ret = -ENOMEM;

	for (tries = 0; ret == -ENOMEM && tries < REREAD_TRIES; tries++) {
		table = kzalloc(sizeof(*table), GFP_KERNEL);
		if (!table)
			continue;
		ret = seal_map_reread(entry->inode, &info, &table->ranges,
				      reason);
		if (!ret) {
			seal_entry_publish(entry, table, &info);
			return;
		}
		seal_table_free(table);
	}
	/* what is told of the map is out of date: that is what broken means */
	atomic64_inc(&entry->changes);
	seal_report_broken(entry, "by its holder, and it cannot be read again");
}

/*
 * Allocate the holes of the range. vfs_fallocate() would ask for write access
 * to the filesystem again, which the caller has.
 */
static int allocate(struct seal_entry *entry, struct file *file, u64 start,
		    u64 end)
{
	int ret, err;

	if (IS_IMMUTABLE(entry->inode) || IS_APPEND(entry->inode))
		return -EPERM;
	change_allow(entry);
	ret = file->f_op->fallocate(file, FALLOC_FL_KEEP_SIZE, start,
				    end - start);
	change_forbid(entry);
	/* also if it has failed: a part may be allocated */
	err = vfs_fsync(file, 0);
	change_reread(entry);
	return ret ?: err;
}

/* --- granting --- */

static int refuse_range(struct seal_grant *grant, u32 state, u64 start, u64 end,
			const char *why)
{
	grant->bad_state = state;
	grant->bad_offset = start;
	grant->bad_length = end - start;
	return explain(grant->reason, -EBADFD, why);
}

/* Is there a hole in the range? 1, 0 or -errno. */
static int has_hole(struct inode *inode, u64 start, u64 end,
		    struct seal_map_extent *list)
{
	while (start < end) {
		int i, nr = seal_map_list(inode, start, end, list,
					  SEAL_GRANT_MAX_EXTENTS);

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
 * The extents of [start, end), checked: in @list their number, in @stop how
 * far they go.
 */
static int list_range(struct inode *inode, struct seal_grant *grant, u64 start,
		      u64 end, struct seal_map_extent *list, u64 *stop)
{
	u64 unit = grant_unit(inode), pos = start;
	int i, nr;

	nr = seal_map_list(inode, start, end, list, grant->nr_extents);
	if (nr < 0)
		return nr;
	/* there may be more of them */
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
		return explain(grant->reason, -ESTALE,
			       "the seal that is held on it was broken");
	if (entry->info.cow)
		return refuse_range(grant, SEAL_RANGE_COW,
				    entry->info.first_written,
				    entry->info.first_written_end,
				    "the inode was reflinked once: unshare the file before sealing");
	if (grant->flags & SEAL_GRANT_EXTEND &&
	    i_size_read(entry->inode) & (grant_unit(entry->inode) - 1))
		return explain(grant->reason, -EINVAL,
			       "the file ends within a block or page, its end cannot be moved");
	list_for_each_entry(other, &entry->grantees, list) {
		if (other->session == session ||
		    !seal_ranges_overlap(&other->ranges, start, end))
			continue;
		if (other->session)
			return explain(grant->reason, -EBUSY,
				       "blocks of the range are granted to another holder");
		if (!(grant->flags & SEAL_GRANT_TAKEOVER))
			return explain(grant->reason, -EBUSY,
				       "blocks of the range are granted to the sticky claim: take them over");
	}
	return 0;
}

/* Make it known; nothing has happened if it fails. */
static int grant_register(struct seal_entry *entry,
			  struct seal_session *session, u32 flags, u64 start,
			  u64 end)
{
	struct seal_grantee *grantee, *sticky;
	struct seal_ranges mine = { }, left = { };
	int ret;

	sticky = grantee_sticky(entry);
	if (IS_ERR(sticky))
		return PTR_ERR(sticky);
	grantee = grantee_get(entry, session);
	if (!grantee)
		return -ENOMEM;
	ret = ranges_with(&mine, seal_ranges_union, &grantee->ranges, start,
			  end);
	if (ret)
		return ret;
	if (sticky) {
		ret = ranges_with(&left, seal_ranges_subtract, &sticky->ranges,
				  start, end);
		if (ret) {
			seal_ranges_free(&mine);
			return ret;
		}
		ranges_replace(&sticky->ranges, &left);
	}
	ranges_replace(&grantee->ranges, &mine);
	if (flags & SEAL_GRANT_EXTEND)
		grantee->grow_to = max(grantee->grow_to, end);
	return 0;
}

static int grant_locked(struct seal_entry *entry, struct seal_session *session,
			struct file *file, struct seal_grant *grant,
			struct seal_grant_extent *extents,
			struct seal_map_extent *list)
{
	struct inode *inode = entry->inode;
	dev_t dev = inode->i_sb->s_bdev->bd_dev;
	u64 start = grant->offset, end = start + grant->length;
	int i, nr, ret;

	ret = grant_check(entry, session, grant, start, end);
	if (ret)
		return ret;

	/* whoever shares blocks has the locks: he is done, or will see this */
	WRITE_ONCE(entry->unshared, true);
	ret = seal_freeze_hand_out(entry, file, start, end,
				   !(grant->flags & SEAL_GRANT_WRITTEN),
				   grant->reason);
	if (ret)
		return ret;
	if (grant->flags & SEAL_GRANT_ALLOCATE) {
		end = min(end, start + STEP_ALLOCATE);
		ret = has_hole(inode, start, end, list);
		if (ret > 0)
			ret = allocate(entry, file, start, end);
		if (ret)
			return ret;
	}
	nr = list_range(inode, grant, start, end, list, &end);
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
	ret = grant_register(entry, session, grant->flags, start, end);
	if (ret)
		return ret;
	grant->nr_extents = nr;
	grant->done = end - start;
	return 0;
}

/* What both need that change blocks, or have somebody change them. */
static int may_change(struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
}

/* With the probe that maps are read by, and write access to the filesystem. */
static int change_enter(struct file *file)
{
	int ret = seal_map_get();

	if (ret)
		return ret == -ENOMEM || ret == -EIO ? ret : -EOPNOTSUPP;
	ret = mnt_want_write_file(file);
	if (ret)
		seal_map_put();
	return ret;
}

static void change_leave(struct file *file)
{
	mnt_drop_write_file(file);
	seal_map_put();
}

static int change_error(int error, char *reason)
{
	if (error == -EOPNOTSUPP && !reason[0])
		strscpy(reason, "kprobes or ftrace are switched off, the map cannot be read",
			SEAL_REASON_LEN);
	else if (error == -EACCES)
		strscpy(reason, "the file is not sealed by this session",
			SEAL_REASON_LEN);
	else if (error == -EBUSY && !reason[0])
		strscpy(reason, "somebody else holds the file sealed, too",
			SEAL_REASON_LEN);
	return error;
}

int seal_grant_blocks(struct seal_session *session, struct file *file,
		      struct seal_grant *grant,
		      struct seal_grant_extent *extents)
{
	const u32 grow = SEAL_GRANT_ALLOCATE | SEAL_GRANT_EXTEND;
	struct inode *inode = file_inode(file);
	struct seal_map_extent *list;
	struct seal_entry *entry;
	int ret;

	ret = may_change(file);
	if (ret)
		return explain(grant->reason, ret, ret == -EPERM ?
			       "granting blocks needs CAP_SYS_RAWIO" :
			       "the file is not open for writing");
	if (!whole_units(inode, grant->offset, grant->length))
		return explain(grant->reason, -EINVAL,
			       "the range is not whole blocks and whole pages");
	if (grant->offset + grant->length > inode->i_sb->s_maxbytes)
		return -EFBIG;
	if (seal_is_log_only())
		return explain(grant->reason, -EOPNOTSUPP,
			       "the module is in log-only mode: nothing stays where it is");
	if (IS_SWAPFILE(inode))
		return explain(grant->reason, -ETXTBSY,
			       "the kernel swaps to the file");
	if (!(grant->flags & SEAL_GRANT_WRITTEN) &&
	    !seal_can_commit_blocks(inode->i_sb))
		return explain(grant->reason, -EOPNOTSUPP,
			       "the filesystem cannot convert blocks it did not write: preallocate written ones, grant these");
	list = kvmalloc_array(SEAL_GRANT_MAX_EXTENTS, sizeof(*list),
			      GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	ret = change_enter(file);
	if (ret)
		goto out_free;

	entry = seal_change_begin(session, inode, grant->flags & grow);
	if (IS_ERR(entry)) {
		ret = PTR_ERR(entry);
	} else {
		ret = grant_locked(entry, session, file, grant, extents, list);
		grants_settle(entry);
		seal_change_end(entry, grant->flags & grow);
	}
	change_leave(file);
out_free:
	kvfree(list);
	return change_error(ret, grant->reason);
}

/* --- committing --- */

struct commit_job {
	u64			old_size;
	u64			size;		/* afterwards */
	struct seal_ranges	all;		/* as asked for */
	struct seal_ranges	unwritten;	/* what has to be converted */
	struct iomap		*pieces;	/* the same */
	struct seal_table	*table;		/* of the map it leads to */
	struct seal_map_info	info;
};

static int commit_ranges(struct commit_job *job, struct seal_entry *entry,
			 const struct seal_grantee *grantee,
			 struct seal_commit *commit,
			 const struct seal_commit_range *ranges)
{
	struct inode *inode = entry->inode;
	u64 last = 0;
	u32 i;
	int ret;

	for (i = 0; i < commit->nr_ranges; i++) {
		u64 start = ranges[i].offset, end = start + ranges[i].length;

		commit->bad_index = i;
		if (!whole_units(inode, start, ranges[i].length))
			return explain(commit->reason, -EINVAL,
				       "the range is not whole blocks and whole pages");
		if (start < last)
			return explain(commit->reason, -EINVAL,
				       "the ranges are not in order, or overlap");
		if (!grantee || !seal_ranges_cover(&grantee->ranges, start, end))
			return explain(commit->reason, -ENXIO,
				       "the range is not granted to this session");
		if (end > round_up(job->size, grant_unit(inode)))
			return explain(commit->reason, -EINVAL,
				       "the range is beyond the end of the file");
		ret = seal_ranges_add(&job->all, start, end);
		if (ret)
			return ret;
		last = end;
	}
	commit->bad_index = SEAL_NO_INDEX;
	return 0;
}

static int commit_size(struct commit_job *job, struct seal_entry *entry,
		       const struct seal_grantee *grantee,
		       struct seal_commit *commit)
{
	u64 unit = grant_unit(entry->inode);

	job->old_size = i_size_read(entry->inode);
	job->size = commit->new_size ?: job->old_size;
	if (job->size == job->old_size)
		return 0;
	if (job->size < job->old_size)
		return explain(commit->reason, -EINVAL,
			       "the size of the file can only grow");
	if ((job->size | job->old_size) & (unit - 1))
		return explain(commit->reason, -EINVAL,
			       "the old or the new end is within a block or page");
	if (!grantee || job->size > grantee->grow_to ||
	    !seal_ranges_cover(&grantee->ranges, job->size - unit, job->size))
		return explain(commit->reason, -ENXIO,
			       "the new end was not granted to this session");
	return 0;
}

/* Of what is asked for, what is unwritten up to EOF. */
static int commit_unwritten(struct commit_job *job, struct inode *inode)
{
	const unsigned int room = SEAL_GRANT_MAX_EXTENTS;
	u64 eof = round_up(job->size, (u64)i_blocksize(inode));
	struct seal_map_extent *list;
	struct seal_range range;
	u64 pos = 0;
	int i, nr, ret = 0;

	list = kvmalloc_array(room, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	while (!ret && seal_ranges_next(&job->all, pos, &range)) {
		range.end = min(range.end, eof);
		if (range.start >= range.end)
			break;
		nr = seal_map_list(inode, range.start, range.end, list, room);
		if (nr < 0) {
			ret = nr;
			break;
		}
		for (i = 0; !ret && i < nr; i++)
			if (list[i].state == SEAL_RANGE_UNWRITTEN)
				ret = seal_ranges_add(&job->unwritten,
						      list[i].start,
						      list[i].end);
		pos = nr == room ? list[nr - 1].end : range.end;
		if (job->unwritten.nr > MAX_PIECES)
			ret = -E2BIG;
	}
	kvfree(list);
	return ret;
}

static int commit_prepare(struct commit_job *job, struct seal_entry *entry,
			  struct seal_commit *commit)
{
	struct seal_map_change change = {
		.written	= &job->unwritten,
		.file_size	= job->size,
	};
	struct inode *inode = entry->inode;
	struct seal_range range;
	u64 pos = 0;
	u32 nr = 0;
	int ret;

	ret = commit_unwritten(job, inode);
	if (ret)
		return ret == -E2BIG ?
		       explain(commit->reason, ret,
			       "too many extents at once, commit a part of them") :
		       ret;

	if (job->unwritten.nr) {
		job->pieces = kvcalloc(job->unwritten.nr, sizeof(*job->pieces),
				       GFP_KERNEL_ACCOUNT);
		if (!job->pieces)
			return -ENOMEM;
		while (seal_ranges_next(&job->unwritten, pos, &range)) {
			job->pieces[nr].offset = range.start;
			job->pieces[nr++].length = range.end - range.start;
			pos = range.end;
		}
	}

	job->table = kzalloc(sizeof(*job->table), GFP_KERNEL_ACCOUNT);
	if (!job->table)
		return -ENOMEM;
	ret = seal_map_predict(inode, &job->info, &job->table->ranges,
			       commit->reason, &change);
	if (ret)
		return ret;
	/* as sealed: an inode does not become one while it is granted from */
	if (entry->info.cow)
		seal_map_redirected(&job->info, &job->table->ranges);
	return 0;
}

/* Has the filesystem done all it was told to, and said so rightly? */
static int commit_convert(struct commit_job *job, struct seal_entry *entry)
{
	struct inode *inode = entry->inode;
	struct seal_range range;
	u64 pos = 0;
	int ret;

	change_allow(entry);
	ret = seal_commit_blocks(inode, job->pieces, job->unwritten.nr,
				 job->size > job->old_size ? job->size : 0);
	change_forbid(entry);
	if (ret)
		return ret;
	if (i_size_read(inode) != job->size)
		return -EIO;
	while (seal_ranges_next(&job->unwritten, pos, &range)) {
		if (!seal_map_written(inode, range.start, range.end))
			return -EIO;
		pos = range.end;
	}
	/* the first written block there is tells whether it stays in place */
	if (entry->info.first_written == U64_MAX &&
	    job->info.first_written != U64_MAX &&
	    seal_xfs_redirects(inode, job->info.first_written))
		seal_map_redirected(&job->info, &job->table->ranges);
	return 0;
}

/*
 * Pages of the ranges that were read before they were converted show zeros.
 * What is unwritten cannot be dirty, so nothing is lost; of what was written
 * before, somebody may hold pages.
 */
static int commit_invalidate(struct commit_job *job, struct inode *inode)
{
	struct seal_range range;
	u64 pos = 0;
	int ret = 0;

	while (seal_ranges_next(&job->all, pos, &range)) {
		ret = seal_freeze_drop_pages(inode, range.start, range.end) ?:
		      ret;
		pos = range.end;
	}
	return ret;
}

static void commit_tell(const struct commit_job *job, struct seal_entry *entry)
{
	struct seal_range range;
	u64 pos = 0;

	while (seal_ranges_next(&job->all, pos, &range)) {
		seal_event_committed(entry, range.start, range.end);
		pos = range.end;
	}
}

static int commit_locked(struct commit_job *job, struct seal_entry *entry,
			 struct seal_session *session, struct file *file,
			 struct seal_commit *commit,
			 const struct seal_commit_range *ranges)
{
	struct seal_grantee *grantee = grantee_find(entry, session);
	struct inode *inode = entry->inode;
	bool change;
	int ret;

	if (seal_changes(entry))
		return explain(commit->reason, -ESTALE,
			       "the seal that is held on it was broken");
	ret = commit_size(job, entry, grantee, commit) ?:
	      commit_ranges(job, entry, grantee, commit, ranges) ?:
	      commit_prepare(job, entry, commit);
	if (ret)
		return ret;
	change = job->unwritten.nr || job->size != job->old_size;
	/* what COMMIT would make the end of the file must be a block of it */
	if (job->size != job->old_size &&
	    !seal_ranges_cover(&job->unwritten, job->size - 1, job->size) &&
	    !seal_map_written(inode, round_down(job->size - 1,
						(u64)i_blocksize(inode)),
			      job->size))
		return explain(commit->reason, -EINVAL,
			       "the block before the new end is not committed");

	/*
	 * What others wrote must be on disk before the map says that it is
	 * theirs, or a power cut in between shows what was there before. The
	 * log may be on another device.
	 */
	ret = blkdev_issue_flush(inode->i_sb->s_bdev);
	if (ret)
		return ret;
	ret = seal_freeze_modify(entry, file);
	if (ret)
		return ret;
	/* from here on to the end, whatever signal arrives */
	ret = change ? commit_convert(job, entry) : vfs_fsync(file, 0);

	seal_freeze_lock(inode);
	if (!ret) {
		ret = commit_invalidate(job, inode);
		if (ret)
			strscpy(commit->reason,
				"pages of blocks that were written before are in use, try again",
				SEAL_REASON_LEN);
		if (change) {
			commit->converted = seal_ranges_bytes(&job->unwritten);
			seal_entry_publish(entry, job->table, &job->info);
			job->table = NULL;
			trace_seal_committed(inode, job->info.digest);
		}
		if (change || !ret)
			commit_tell(job, entry);
	} else if (change) {
		strscpy(commit->reason, "the filesystem failed to convert all of the blocks",
			SEAL_REASON_LEN);
		commit_invalidate(job, inode);
	}
	seal_freeze_unlock(inode);
	/* reads the map, which takes the locks */
	if (ret && change && job->table)
		change_reread(entry);
	commit->generation = entry->generation;
	return ret;
}

int seal_grant_commit(struct seal_session *session, struct file *file,
		      struct seal_commit *commit,
		      const struct seal_commit_range *ranges)
{
	struct inode *inode = file_inode(file);
	struct commit_job *job;
	struct seal_entry *entry;
	bool grow;
	int ret;

	commit->bad_index = SEAL_NO_INDEX;
	ret = may_change(file);
	if (ret)
		return explain(commit->reason, ret, ret == -EPERM ?
			       "committing blocks needs CAP_SYS_RAWIO" :
			       "the file is not open for writing");
	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return -ENOMEM;
	ret = change_enter(file);
	if (ret)
		goto out_free;

	grow = commit->new_size && commit->new_size != i_size_read(inode);
	entry = seal_change_begin(session, inode, grow);
	if (IS_ERR(entry)) {
		ret = PTR_ERR(entry);
	} else {
		ret = commit_locked(job, entry, session, file, commit, ranges);
		seal_change_end(entry, grow);
	}
	change_leave(file);
	if (job->table)
		seal_table_free(job->table);
	seal_ranges_free(&job->all);
	seal_ranges_free(&job->unwritten);
	kvfree(job->pieces);
out_free:
	kfree(job);
	return change_error(ret, commit->reason);
}

/* --- releasing --- */

int seal_grant_release(struct seal_session *session, struct file *file,
		       const struct seal_release *release)
{
	bool sticky = release->flags & SEAL_RELEASE_STICKY;
	struct inode *inode = file_inode(file);
	struct seal_ranges left = { };
	struct seal_grantee *grantee;
	struct seal_entry *entry;
	u64 length = release->length;
	int ret = 0;

	if (!length)
		length = round_down(S64_MAX - min_t(u64, release->offset,
						    S64_MAX),
				    grant_unit(inode));
	if (!whole_units(inode, release->offset, length))
		return -EINVAL;
	entry = seal_change_begin(sticky ? NULL : session, inode, false);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	grantee = sticky ? grantee_sticky(entry) : grantee_find(entry, session);
	if (IS_ERR(grantee)) {
		ret = PTR_ERR(grantee);
	} else if (grantee) {
		ret = ranges_with(&left, seal_ranges_subtract, &grantee->ranges,
				  release->offset, release->offset + length);
		if (!ret)
			ranges_replace(&grantee->ranges, &left);
	}
	grants_settle(entry);
	seal_change_end(entry, false);
	return ret;
}

/*
 * Clients may be writing to what was granted: where there is a sticky claim,
 * it keeps the blocks.
 */
void seal_grants_leave(struct seal_entry *entry, struct seal_session *session)
{
	struct seal_grantee *grantee;

	mutex_lock(&entry->change_lock);
	grantee = grantee_find(entry, session);
	if (grantee && READ_ONCE(entry->sticky))
		grantee->session = NULL;
	else if (grantee)
		grantee_free(grantee);
	grants_settle(entry);
	mutex_unlock(&entry->change_lock);
}

void seal_grants_leave_sticky(struct seal_entry *entry)
{
	struct seal_grantee *grantee, *next;

	mutex_lock(&entry->change_lock);
	list_for_each_entry_safe(grantee, next, &entry->grantees, list)
		if (!grantee->session && !READ_ONCE(entry->sticky))
			grantee_free(grantee);
	grants_settle(entry);
	mutex_unlock(&entry->change_lock);
}

void seal_grants_drop(struct seal_entry *entry, struct seal_session *session)
{
	struct seal_grantee *grantee, *next;

	list_for_each_entry_safe(grantee, next, &entry->grantees, list)
		if (grantee->session == session)
			grantee_free(grantee);
	grants_settle(entry);
}

void seal_grants_free(struct seal_entry *entry)
{
	struct seal_grantee *grantee, *next;

	list_for_each_entry_safe(grantee, next, &entry->grantees, list)
		grantee_free(grantee);
}
