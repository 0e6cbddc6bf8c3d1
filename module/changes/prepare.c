// SPDX-License-Identifier: GPL-2.0-only
/*
 * PREALLOC and UNSHARE: changing a map on request, before it is sealed, by
 * means that the kernel offers to every program.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/fsnotify.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/writeback.h>

#include "base/lock.h"
#include "changes/prepare.h"
#include "map/map.h"
#include "table/entry.h"

/* Bytes per call: at most a second of work, so that progress can be shown. */
#define STEP_ALLOCATE	BIT_ULL(30)
#define STEP_DATA	(64ULL << 20)
/* Bytes that are worked on while writers have to wait. */
#define STEP_LOCKED	(4ULL << 20)
/* Extents that one call looks at. */
#define STEP_EXTENTS	256

/* Others can change the file between two tries; give up after this many. */
#define MAX_TRIES	5

/*
 * List extents of [start, end). Returns the end of the part that the list
 * covers: if it is full, there may be more extents. @nr: number or -errno.
 */
static u64 list_step(struct inode *inode, u64 start, u64 end,
		     struct seal_map_extent *extents, int *nr)
{
	char reason[SEAL_REASON_LEN];
	struct seal_limit limit;

	seal_limit_start(&limit, reason);
	*nr = seal_map_list(inode, start, end, extents, STEP_EXTENTS, &limit);
	if (*nr == STEP_EXTENTS)
		end = extents[STEP_EXTENTS - 1].end;
	return end;
}

/*
 * Like vfs_fallocate(). That would sleep while the filesystem is frozen, and no
 * signal would end the sleep; this can be killed.
 */
static int allocate(struct file *file, int mode, u64 start, u64 end)
{
	struct inode *inode = file_inode(file);
	loff_t pos = start;
	int ret;

	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	if (IS_IMMUTABLE(inode) ||
	    (IS_APPEND(inode) && mode & ~FALLOC_FL_KEEP_SIZE))
		return -EPERM;
	if (IS_SWAPFILE(inode))
		return -ETXTBSY;
	ret = rw_verify_area(WRITE, file, &pos, end - start) ?:
	      seal_write_access_wait(inode->i_sb);
	if (ret)
		return ret;
	ret = file->f_op->fallocate(file, mode, start, end - start);
	if (!ret)
		fsnotify_modify(file);
	sb_end_write(inode->i_sb);
	return ret;
}

/* KEEP_SIZE, because the file may have been truncated since it was listed. */
static int fill_hole(struct file *file, u64 start, u64 end)
{
	if (start >= end)
		return 0;
	return allocate(file, FALLOC_FL_KEEP_SIZE, start, end);
}

/* Allocate the holes of [start, *end). If the list is full, *end is reduced. */
static int fill_holes(struct file *file, u64 start, u64 *end,
		      struct seal_map_extent *extents)
{
	u64 pos = start;
	int i, nr, ret;

	*end = list_step(file_inode(file), start, *end, extents, &nr);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++) {
		ret = fill_hole(file, pos, extents[i].start);
		if (ret)
			return ret;
		pos = extents[i].end;
	}
	return fill_hole(file, pos, *end);
}

/*
 * Make pages dirty without changing a byte: fault them in for writing through a
 * mapping. Write-back then writes their contents, which are zeros where nothing
 * was written, and the filesystem converts the extent. Nothing is overwritten,
 * so this is safe while others write to the file.
 */
static int dirty_pages(struct file *file, u64 start, u64 end)
{
	unsigned long addr, left;

	start = round_down(start, PAGE_SIZE);
	end = round_up(end, PAGE_SIZE);
	addr = vm_mmap(file, 0, end - start, PROT_READ | PROT_WRITE,
		       MAP_SHARED, start);
	if (IS_ERR_VALUE(addr))
		return (int)addr;
	left = fault_in_safe_writeable((char __user *)addr, end - start);
	vm_munmap(addr, end - start);
	if (fatal_signal_pending(current))
		return -EINTR;
	/* a fault gives no reason; it is not a lack of space: blocks exist */
	return left ? -EIO : 0;
}

/*
 * Take i_rwsem, and write access for one step. Without write access a freeze
 * would begin between two faults, and the second fault would wait for its end
 * with i_rwsem held: reads of the file would hang, and no signal would end it.
 * A freeze waits for the step instead; while there is one, this drops i_rwsem,
 * waits, and can be killed. So a freeze never waits for the owner of i_rwsem.
 */
static int write_begin(struct inode *inode)
{
	for (;;) {
		if (down_write_killable(&inode->i_rwsem))
			return -EINTR;
		if (seal_write_access(inode->i_sb))
			return 0;
		up_write(&inode->i_rwsem);
		if (seal_nap(20))
			return -EINTR;
	}
}

/*
 * A page that was faulted in before a direct write and written back after it
 * would overwrite the new data with zeros, so direct writers are kept out by
 * i_rwsem. Cached writes go to the same page and do no harm.
 */
static int write_pages(struct file *file, u64 start, u64 end)
{
	struct inode *inode = file_inode(file);
	int ret;

	ret = write_begin(inode);
	if (ret)
		return ret;
	inode_dio_wait(inode);
	ret = dirty_pages(file, start, end);
	if (!ret)
		ret = filemap_write_and_wait_range(file->f_mapping, start,
						   end - 1);
	sb_end_write(inode->i_sb);
	up_write(&inode->i_rwsem);
	return ret;
}

static int write_extent(struct file *file, u64 start, u64 end)
{
	int ret = 0;

	while (!ret && start < end) {
		u64 stop = min(end, round_down(start, STEP_LOCKED) + STEP_LOCKED);

		ret = write_pages(file, start, stop);
		start = stop;
	}
	return ret;
}

static int write_unwritten(struct file *file, u64 start, u64 end,
			   struct seal_map_extent *extents)
{
	struct address_space *mapping = file->f_mapping;
	struct inode *inode = file_inode(file);
	int tries;

	for (tries = 0; tries < MAX_TRIES; tries++) {
		bool found = false;
		u64 pos = start;

		/* blocks that a truncate left beyond EOF stay unwritten */
		end = min_t(u64, end, round_up((u64)i_size_read(inode),
					       i_blocksize(inode)));
		while (pos < end) {
			u64 stop;
			int i, nr, ret;

			ret = filemap_write_and_wait_range(mapping, pos,
							   end - 1);
			if (ret)
				return ret;
			stop = list_step(inode, pos, end, extents, &nr);
			if (nr < 0)
				return nr;
			for (i = 0; i < nr; i++) {
				if (extents[i].state != SEAL_RANGE_UNWRITTEN)
					continue;
				found = true;
				ret = write_extent(file, extents[i].start,
						   extents[i].end);
				/* the file was truncated: look again */
				if (ret == -EIO &&
				    i_size_read(inode) < extents[i].end)
					continue;
				/* the file was sealed: stores are refused */
				if (ret == -EIO && seal_flagged(inode))
					return -ETXTBSY;
				if (ret)
					return ret;
			}
			pos = stop;
		}
		if (!found)
			return 0;
	}
	/* others punch holes and refill them as fast as this writes */
	return -EBUSY;
}

static int check_file(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!S_ISREG(inode->i_mode) || !inode->i_op->fiemap)
		return -EOPNOTSUPP;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (IS_SWAPFILE(inode) || seal_is_sealed(inode))
		return -ETXTBSY;
	return 0;
}

/* Check a range and return its end; a length of 0 means up to EOF. */
static int check_range(struct inode *inode, u64 offset, u64 length, u64 *end)
{
	u64 size = i_size_read(inode);

	if (offset > S64_MAX || length > S64_MAX - offset)
		return -EINVAL;
	*end = length ? offset + length : max(offset, size);
	if (*end > inode->i_sb->s_maxbytes)
		return -EFBIG;
	return 0;
}

int seal_prealloc_step(struct file *file, u32 flags, u64 offset, u64 length,
		       u64 *done)
{
	bool extend = length && !(flags & SEAL_PREALLOC_KEEP_SIZE);
	struct inode *inode = file_inode(file);
	struct seal_map_extent *extents;
	u64 end, step;
	int ret;

	ret = check_file(file);
	if (!ret)
		ret = check_range(inode, offset, length, &end);
	if (ret)
		return ret;
	if (flags & SEAL_PREALLOC_WRITTEN) {
		if (!(file->f_mode & FMODE_READ))
			return -EBADF;
		/* blocks beyond EOF can only be unwritten */
		if (flags & SEAL_PREALLOC_KEEP_SIZE && end > i_size_read(inode))
			return -EINVAL;
	}
	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	*done = 0;
	if (offset >= end)
		return 0;

	extents = kvmalloc_array(STEP_EXTENTS, sizeof(*extents),
				 GFP_KERNEL_ACCOUNT);
	if (!extents)
		return -ENOMEM;

	step = flags & SEAL_PREALLOC_WRITTEN ? STEP_DATA : STEP_ALLOCATE;
	end = min(end, offset + step);
	ret = filemap_write_and_wait_range(file->f_mapping, offset, end - 1);
	if (!ret)
		ret = fill_holes(file, offset, &end, extents);
	/* a length of 0 ("up to EOF") never moves EOF */
	if (!ret && extend && end > i_size_read(inode))
		ret = allocate(file, 0, offset, end);
	if (!ret && (flags & SEAL_PREALLOC_WRITTEN))
		ret = write_unwritten(file, offset, end, extents);
	kvfree(extents);
	if (!ret)
		*done = end - offset;
	return ret;
}

/*
 * XFS redirects all writes to an inode with the reflink flag, whether blocks
 * are shared or not. Unsharing clears the flag as its last step; but since 6.12
 * not while the inode is dirty, and the data it has just written makes it
 * dirty. So write the inode and unshare one block once more.
 */
static int end_cow(struct file *file)
{
	const int mode = FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE;
	struct inode *inode = file_inode(file);
	char reason[SEAL_REASON_LEN];
	struct seal_map_info info;
	struct seal_limit limit;
	int tries, ret;

	for (tries = 0; tries < 4 * MAX_TRIES; tries++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = filemap_write_and_wait(inode->i_mapping);
		if (ret)
			return ret;
		seal_limit_start(&limit, reason);
		ret = seal_map_read(inode, &info, NULL, &limit);
		if (ret)
			return ret;
		/* done, or blocks outside the range are still shared */
		if (!info.sum.cow || info.sum.shared)
			return 0;
		ret = write_inode_now(inode, 1);
		if (ret)
			return ret;
		ret = allocate(file, mode, info.first_written,
			       info.first_written + i_blocksize(inode));
		if (ret)
			return ret;
	}
	return -EBUSY;
}

int seal_unshare_step(struct file *file, u64 offset, u64 length, u64 *done)
{
	const int mode = FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE;
	struct inode *inode = file_inode(file);
	struct seal_map_extent *extents;
	u64 end, whole_end;
	int i, nr, ret;

	ret = check_file(file);
	if (!ret)
		ret = check_range(inode, offset, length, &whole_end);
	if (ret)
		return ret;
	*done = 0;
	if (offset >= whole_end)
		return 0;

	extents = kvmalloc_array(STEP_EXTENTS, sizeof(*extents),
				 GFP_KERNEL_ACCOUNT);
	if (!extents)
		return -ENOMEM;

	end = min(whole_end, offset + STEP_DATA);
	ret = filemap_write_and_wait_range(file->f_mapping, offset, end - 1);
	if (ret)
		goto out;
	end = list_step(inode, offset, end, extents, &nr);
	ret = min(nr, 0);
	for (i = 0; i < nr && !ret; i++) {
		if (extents[i].state == SEAL_RANGE_SHARED)
			ret = allocate(file, mode, extents[i].start,
				       extents[i].end);
	}
	if (!ret && end == whole_end && end >= i_size_read(inode))
		ret = end_cow(file);
	if (!ret)
		*done = end - offset;
out:
	kvfree(extents);
	return ret;
}
