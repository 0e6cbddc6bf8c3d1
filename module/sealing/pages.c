// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page cache of a file whose map is frozen.
 *
 * Gates see who is about to make a page dirty. Three kinds of pages become
 * dirty without that:
 *
 * - those that somebody has got hold of to write to them later: direct reads
 *   into a mapping, AIO, RDMA. They are marked dirty when the transfer ends;
 * - those of ext4 whose buffers are mapped to unwritten blocks: a short write
 *   leaves them so, and a store then asks no get_block function;
 * - those that share a folio with a page that is stored to.
 *
 * Write-back converts what is unwritten and allocates what is a hole. So where
 * a block is not overwritten in place, no page of it may be in the cache, or in
 * anybody's hands, when the gates are shut; what comes into the cache later is
 * clean, and passes a gate before it is dirty.
 *
 * No page is waited for while a lock of the file is held: whoever has locked it
 * may wait for that lock (collapse_file() does). It is tried, and tried again
 * without the locks.
 */
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "base/compat.h"
#include "base/debug.h"
#include "map/xfs_inode.h"
#include "sealing/folios.h"
#include "sealing/pages.h"
#include "table/entry.h"
#include "uapi/seal.h"

/* How long a page that is in use is tried again. */
#define PATIENCE	(2 * HZ)
static const char not_in_place[] =
	"pages of blocks not in place are in use (pinned, or in a pipe)";
static const char collapses[] =
	"not all in place, and the kernel may collapse pages of it (READ_ONLY_THP_FOR_FS)";
static const char in_use[] = "pages of the file are in use, try again";

/* Times it is tried while the locks are held. */
#define TRIES		3

int seal_pages_lock(struct inode *inode, bool always)
{
	if (!seal_step_skipped(SEAL_STEP_RWSEM)) {
		if (always)
			inode_lock(inode);
		else if (down_write_killable(&inode->i_rwsem))
			return -EINTR;
	}
	if (!seal_step_skipped(SEAL_STEP_INVALIDATE))
		filemap_invalidate_lock(inode->i_mapping);
	if (!seal_step_skipped(SEAL_STEP_DIO))
		inode_dio_wait(inode);
	return 0;
}

void seal_pages_unlock(struct inode *inode)
{
	if (!seal_step_skipped(SEAL_STEP_INVALIDATE))
		filemap_invalidate_unlock(inode->i_mapping);
	if (!seal_step_skipped(SEAL_STEP_RWSEM))
		up_write(&inode->i_rwsem);
}

/* What of the page cache has to go, and what of that is there. */
struct scan {
	const struct seal_ranges *keep;	/* all but folios within this; NULL: none */
	bool	small;		/* all large folios */
	pgoff_t	first, last;	/* from the first such folio to the last one */
	bool	found;
	bool	displaced;	/* not all of them are in place */
};

/* Nothing is waited for, and no folio is locked. */
static void scan(struct inode *inode, struct scan *scan)
{
	struct address_space *mapping = inode->i_mapping;
	u64 eof = round_up(i_size_read(inode), (u64)i_blocksize(inode));
	struct folio_batch batch;
	pgoff_t index = 0;
	unsigned int i;

	scan->found = false;
	scan->displaced = false;
	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &index, -1, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];
			u64 from = folio_pos(folio);
			u64 to = min_t(u64, from + folio_size(folio), eof);
			bool large = folio_test_large(folio);
			/* a page behind the end is not written back */
			bool displaced = scan->keep && from < to &&
				!seal_ranges_cover(scan->keep, from, to);

			if (!displaced && !(large && scan->small))
				continue;
			if (!scan->found)
				scan->first = folio->index;
			scan->last = folio->index + folio_nr_pages(folio) - 1;
			scan->found = true;
			scan->displaced |= displaced;
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/* Drop what @what asks for, and say there what is left. With the map locked. */
static void drop(struct inode *inode, struct scan *what)
{
	struct address_space *mapping = inode->i_mapping;
	unsigned int try;

	scan(inode, what);
	for (try = 0; what->found && try < TRIES; try++) {
		u64 nr = (u64)what->last - what->first + 1;

		unmap_mapping_range(mapping, (loff_t)what->first << PAGE_SHIFT,
				    (loff_t)nr << PAGE_SHIFT, 0);
		/* passes over folios that are locked, dirty or referred to */
		invalidate_mapping_pages(mapping, what->first, what->last);
		scan(inode, what);
	}
}

/*
 * What was in the way may have gone: write back what is dirty, and take folios
 * out of lists of other processors, which refer to them. With nothing locked.
 */
static int clean(struct inode *inode, struct file *file, u64 start, u64 end,
		 bool again)
{
	int ret;

	ret = filemap_write_and_wait_range(inode->i_mapping, start, end - 1);
	if (ret || !again)
		return ret;
	schedule_timeout_killable(1);
	vfs_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

/*
 * Take all folios of [start, end) out of the cache, also those that somebody
 * refers to. With the map locked. False: some are locked or dirty.
 */
static bool detach(struct inode *inode, u64 start, u64 end)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t index = start >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct folio_batch batch;
	bool left = false;
	unsigned int i;

	unmap_mapping_range(mapping, start, end - start, 0);
	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &index, last, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];

			if (!folio_trylock(folio)) {
				left = true;
				continue;
			}
			if (folio_test_dirty(folio) || folio_test_writeback(folio))
				left = true;
			else if (folio->mapping == mapping)
				seal_remove_folio(mapping, folio);
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return !left;
}

int seal_pages_lock_detached(struct inode *inode, struct file *file,
			     const struct seal_ranges *ranges, bool always)
{
	unsigned long until = jiffies + PATIENCE;
	u64 pos, start = LLONG_MAX, end = 0;
	struct seal_range range;
	bool again = false, left;
	int ret, written;

	for (pos = 0; seal_ranges_next(ranges, pos, &range); pos = range.end) {
		start = min(start, range.start);
		end = range.end;
	}
	for (;; again = true) {
		written = end ? clean(inode, file, start, end, again) : 0;
		ret = seal_pages_lock(inode, always);
		if (ret)
			return ret;
		left = false;
		for (pos = 0; seal_ranges_next(ranges, pos, &range);
		     pos = range.end)
			left |= !detach(inode, range.start, range.end);
		ret = written;
		if (!ret && left &&
		    (time_after(jiffies, until) || fatal_signal_pending(current)))
			ret = -EBUSY;
		if (ret || !left)
			break;
		seal_pages_unlock(inode);
	}
	if (ret && !always)
		seal_pages_unlock(inode);
	return ret;
}

int seal_pages_settle(struct seal_entry *entry, struct file *file,
		      const struct seal_ranges *keep, bool small, char *reason)
{
	struct inode *inode = entry->inode;
	unsigned long until = jiffies + PATIENCE;
	const bool by_block = SEAL_IOMAP_BLOCK_DIRTY || !seal_is_xfs(inode);
	struct scan what = { };
	bool again = false, fresh;
	unsigned int tries = 0;
	int ret;

	if (IS_DAX(inode) || (!keep && entry->small_folios))
		return 0;
	if (!seal_step_skipped(SEAL_STEP_PAGES))
		what.keep = keep;
	what.small = small && !seal_step_skipped(SEAL_STEP_FOLIOS) &&
		     (entry->small_folios || seal_folios_allowed(inode));
	if (what.small && SEAL_COLLAPSE_UNASKED && !by_block) {
		strscpy(reason, collapses, SEAL_REASON_LEN);
		return -EOPNOTSUPP;
	}

	for (;;) {
		ret = clean(inode, file, 0, LLONG_MAX, again) ?:
		      seal_pages_lock(inode, false);
		if (ret)
			return ret;
		fresh = what.small && !entry->small_folios;
		if (fresh)
			seal_folios_restrict(entry);
		drop(inode, &what);
		seal_pages_unlock(inode);

		if (!what.found && !fresh)
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		again = what.found;
		/*
		 * Large folios of what is in place are in use all the time.
		 * Where write-back is by the block, all there is to fear of
		 * others is that a store next to a hole is refused.
		 */
		if (!fresh && !what.displaced && by_block && ++tries == TRIES)
			return 0;
		if (time_before(jiffies, until)) {
			/* who may add large ones and has not come to the lock */
			if (fresh && !by_block)
				synchronize_rcu_tasks();
			continue;
		}
		strscpy(reason, what.displaced ? not_in_place : in_use,
			SEAL_REASON_LEN);
		return -EBUSY;
	}
}
