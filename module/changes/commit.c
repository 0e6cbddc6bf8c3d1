// SPDX-License-Identifier: GPL-2.0-only
/*
 * COMMIT: granted blocks that have been written become part of the file.
 *
 * The new map is computed before the change begins, together with its table and
 * digest, so that nothing can fail once the filesystem has done its part. Until
 * the new table is published, gates decide by the old one.
 *
 * The filesystem converts the blocks by commit_blocks(), the operation that it
 * has for the pNFS server.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/trace.h"
#include "changes/change.h"
#include "changes/commit.h"
#include "map/map.h"
#include "map/xfs_inode.h"
#include "sealing/freeze.h"
#include "sealing/pages.h"
#include "table/entry.h"
#include "table/events.h"
#include "table/grantee.h"

/* The most extents that one COMMIT converts. */
#define MAX_PIECES	65536

struct commit_job {
	u64			old_size;
	u64			size;		/* afterwards */
	struct seal_ranges	all;		/* as asked for */
	struct seal_ranges	unwritten;	/* to be converted */
	struct iomap		*pieces;	/* @unwritten, as iomaps */
	struct seal_table	*table;		/* of the new map */
	struct seal_map_info	info;		/* of the new map */
	struct seal_limit	limit;		/* for all waits together */
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
		if (!seal_grant_whole_units(inode, start, ranges[i].length))
			return seal_explain(commit->reason, -EINVAL,
					    "the range is not whole blocks and whole pages");
		if (start < last)
			return seal_explain(commit->reason, -EINVAL,
					    "the ranges are not in order, or overlap");
		if (!grantee || !seal_ranges_cover(&grantee->ranges, start, end))
			return seal_explain(commit->reason, -ENXIO,
					    "the range is not granted to this session");
		if (end > round_up(job->size, seal_grant_unit(inode)))
			return seal_explain(commit->reason, -EINVAL,
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
	u64 unit = seal_grant_unit(entry->inode);

	job->old_size = i_size_read(entry->inode);
	job->size = commit->new_size ?: job->old_size;
	if (job->size == job->old_size)
		return 0;
	if (job->size < job->old_size)
		return seal_explain(commit->reason, -EINVAL,
				    "the size of the file can only grow");
	if ((job->size | job->old_size) & (unit - 1))
		return seal_explain(commit->reason, -EINVAL,
				    "the old or the new end is within a block or page");
	if (!grantee || job->size > grantee->grow_to ||
	    !seal_ranges_cover(&grantee->ranges, job->size - unit, job->size))
		return seal_explain(commit->reason, -ENXIO,
				    "the new end was not granted to this session");
	return 0;
}

/* Find the unwritten parts of job->all before EOF. */
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
		nr = seal_map_list(inode, range.start, range.end, list, room,
				   &job->limit);
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
		if (seal_ranges_nr(&job->unwritten) > MAX_PIECES)
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
		       seal_explain(commit->reason, ret,
				    "too many extents at once, commit a part of them") :
		       ret;

	if (!seal_ranges_empty(&job->unwritten)) {
		job->pieces = kvcalloc(seal_ranges_nr(&job->unwritten),
				       sizeof(*job->pieces), GFP_KERNEL_ACCOUNT);
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
			       &job->limit, &change);
	if (ret)
		return ret;
	/* no block is shared while any is granted: cow stays what it was */
	if (entry->sum.cow)
		seal_map_redirected(&job->info, &job->table->ranges);
	return 0;
}

/*
 * Let the filesystem convert the blocks, and check that it has done all. Gives up
 * write access.
 */
static int commit_convert(struct commit_job *job, struct seal_entry *entry)
{
	struct inode *inode = entry->inode;
	struct seal_range range;
	u64 pos = 0;
	int ret;

	seal_change_allow(entry);
	ret = seal_commit_blocks(inode, job->pieces,
				 seal_ranges_nr(&job->unwritten),
				 job->size > job->old_size ? job->size : 0);
	seal_change_forbid(entry);
	sb_end_write(inode->i_sb);
	if (ret)
		return ret;
	if (i_size_read(inode) != job->size)
		return -EIO;
	while (seal_ranges_next(&job->unwritten, pos, &range)) {
		if (!seal_map_written(inode, range.start, range.end))
			return -EIO;
		pos = range.end;
	}
	/* only now is there a written block by which redirection can be seen */
	if (!entry->sum.written && !entry->sum.shared &&
	    job->info.first_written != U64_MAX &&
	    seal_xfs_redirects(inode, job->info.first_written))
		seal_map_redirected(&job->info, &job->table->ranges);
	return 0;
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
	struct seal_grantee *grantee = seal_grantee_find(entry, session);
	struct inode *inode = entry->inode;
	struct seal_pages_locks locks;
	int dropped, ret;
	bool change;

	if (seal_changes(entry))
		return seal_explain(commit->reason, -ESTALE,
				    "the seal that is held on it was broken");
	ret = commit_size(job, entry, grantee, commit) ?:
	      commit_ranges(job, entry, grantee, commit, ranges) ?:
	      commit_prepare(job, entry, commit);
	if (ret)
		return ret;
	change = !seal_ranges_empty(&job->unwritten) ||
		 job->size != job->old_size;
	/* the block before the new end must be written, now or before */
	if (job->size != job->old_size &&
	    !seal_ranges_cover(&job->unwritten, job->size - 1, job->size) &&
	    !seal_map_written(inode, round_down(job->size - 1,
						(u64)i_blocksize(inode)),
			      job->size))
		return seal_explain(commit->reason, -EINVAL,
				    "the block before the new end is not committed");

	/*
	 * What others wrote to the blocks must be on disk before the map says
	 * that the blocks are written, or a power cut in between would expose
	 * old contents. The log, which may be on another device, does not
	 * flush this one.
	 */
	ret = blkdev_issue_flush(inode->i_sb->s_bdev);
	if (ret)
		return ret;
	ret = seal_freeze_modify(entry, file, &job->limit);
	if (ret)
		return ret;
	/* from here to the end no signal stops this */
	if (change) {
		ret = commit_convert(job, entry);
	} else {
		sb_end_write(inode->i_sb);
		ret = vfs_fsync(file, 0);
	}

	/*
	 * Pages of the ranges that were read before the conversion show zeros:
	 * drop them. Pages of unwritten blocks cannot be dirty, so nothing is
	 * lost; pages of blocks that were written before may be. The page cache
	 * stays locked, so that no page is read in again before the table is
	 * published.
	 */
	dropped = seal_pages_lock_detached(inode, file, &job->all, &locks, NULL);
	if (!ret) {
		ret = dropped;
		if (ret)
			strscpy(commit->reason,
				"pages of blocks that were written before are dirty, or locked, try again",
				SEAL_REASON_LEN);
		if (change) {
			commit->converted = seal_ranges_bytes(&job->unwritten);
			seal_entry_publish(entry, job->table, &job->info.sum);
			job->table = NULL;
			trace_seal_committed(inode, job->info.sum.digest);
		}
		if (change || !ret)
			commit_tell(job, entry);
	} else if (change) {
		strscpy(commit->reason, "the filesystem failed to convert all of the blocks",
			SEAL_REASON_LEN);
	}
	seal_pages_unlock(&locks);
	/* without the locks, because reading the map takes them */
	if (ret && change && job->table)
		seal_change_reread(entry);
	commit->generation = entry->generation;
	return ret;
}

struct commit_call {
	struct seal_session		*session;
	struct file			*file;
	struct seal_commit		*commit;
	const struct seal_commit_range	*ranges;
};

static int commit_try(void *arg)
{
	const struct commit_call *call = arg;
	struct seal_commit *commit = call->commit;
	struct inode *inode = file_inode(call->file);
	struct commit_job *job;
	struct seal_entry *entry;
	bool grow;
	int ret;

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return -ENOMEM;
	commit->reason[0] = '\0';
	seal_limit_start(&job->limit, commit->reason);
	ret = seal_change_enter(call->file, &job->limit);
	if (ret)
		goto out_free;

	grow = commit->new_size && commit->new_size != i_size_read(inode);
	entry = seal_change_begin(call->session, inode, grow, &job->limit);
	if (IS_ERR(entry)) {
		ret = PTR_ERR(entry);
	} else {
		ret = commit_locked(job, entry, call->session, call->file,
				    commit, call->ranges);
		seal_change_end(entry, grow);
	}
	seal_change_leave();
	if (job->table)
		seal_table_free(job->table);
	seal_ranges_free(&job->all);
	seal_ranges_free(&job->unwritten);
	kvfree(job->pieces);
out_free:
	kfree(job);
	return ret;
}

int seal_grant_commit(struct seal_session *session, struct file *file,
		      struct seal_commit *commit,
		      const struct seal_commit_range *ranges)
{
	struct commit_call call = {
		.session	= session,
		.file		= file,
		.commit		= commit,
		.ranges		= ranges,
	};
	int ret;

	commit->bad_index = SEAL_NO_INDEX;
	ret = seal_may_change(file);
	if (ret)
		return seal_explain(commit->reason, ret, ret == -EPERM ?
				    "committing blocks needs CAP_SYS_RAWIO" :
				    "the file is not open for writing");
	ret = seal_change_thawed(file, commit_try, &call);
	return seal_change_error(ret, commit->reason);
}
