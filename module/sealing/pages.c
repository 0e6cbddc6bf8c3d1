// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page cache of a file whose map is frozen.
 *
 * Gates see calls that are about to make a page dirty. Three kinds of pages
 * become dirty without such a call:
 *
 * - pages to which somebody has a reference in order to write to them later:
 *   direct reads into a mapping, AIO, RDMA. They are marked dirty when the
 *   transfer ends;
 * - pages of ext4 whose buffers are mapped to unwritten blocks: a short write
 *   leaves them so, and a store then calls no get_block function;
 * - pages in the same folio as a page that is stored to.
 *
 * Write-back converts unwritten blocks and allocates holes. So when the gates
 * are shut, a page of a block that is not in place must not be in the cache,
 * and nobody may have a reference to it. A page that comes into the cache later
 * is clean, and passes a gate before it is dirty.
 *
 * A page is never waited for while a lock of the file is held, because the task
 * that has locked the page may wait for that lock (collapse_file() does). The
 * page is tried, and tried again after the locks were dropped.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "base/compat.h"
#include "base/debug.h"
#include "map/xfs_inode.h"
#include "sealing/folios.h"
#include "sealing/pages.h"
#include "table/entry.h"
#include "uapi/seal.h"

/* For how long a page that is in use is tried again. */
#define PATIENCE	(2 * HZ)
static const char not_in_place[] =
	"pages of blocks not in place are in use (pinned, or in a pipe)";
static const char collapses[] =
	"not all in place, and the kernel may collapse pages of it (READ_ONLY_THP_FOR_FS)";
static const char in_use[] = "pages of the file are in use, try again";

/* How often pages are tried while the locks are held. */
#define TRIES		3

/* Wait for direct I/O. The caller holds i_rwsem, so no new one begins. */
static int dio_wait(struct inode *inode, const struct seal_limit *limit)
{
	if (!limit) {
		inode_dio_wait(inode);
		return 0;
	}
	while (atomic_read(&inode->i_dio_count)) {
		usleep_range(50, 200);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (seal_limit_over(limit))
			return seal_limit_tell(limit, "direct I/O of the file does not end");
	}
	return 0;
}

int seal_pages_lock(struct inode *inode, struct seal_pages_locks *locks,
		    const struct seal_limit *limit)
{
	int ret = 0;

	*locks = (struct seal_pages_locks){ };
	if (!seal_step_skipped(SEAL_STEP_RWSEM))
		ret = seal_lock(&locks->rwsem, &inode->i_rwsem, false, limit,
				"the lock of the file");
	if (!ret && !seal_step_skipped(SEAL_STEP_INVALIDATE))
		ret = seal_lock(&locks->invalidate,
				&inode->i_mapping->invalidate_lock, false, limit,
				"the lock of the file's page cache");
	if (!ret && !seal_step_skipped(SEAL_STEP_DIO))
		ret = dio_wait(inode, limit);
	if (ret)
		seal_pages_unlock(locks);
	return ret;
}

void seal_pages_unlock(struct seal_pages_locks *locks)
{
	seal_unlock(&locks->invalidate);
	seal_unlock(&locks->rwsem);
}

/* Which folios have to leave the page cache, and which of them are there. */
struct scan {
	const struct seal_ranges *keep;	/* folios outside of it; NULL: none */
	bool	small;		/* and all large folios */
	pgoff_t	first, last;	/* from the first such folio to the last one */
	bool	found;
	bool	displaced;	/* some are outside of @keep */
};

/* Look through the cache. Waits for nothing, and locks no folio. */
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
			/* a page beyond EOF is not written back */
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

/* Drop the folios that @what describes, and note what is left. Map locked. */
static void drop(struct inode *inode, struct scan *what)
{
	struct address_space *mapping = inode->i_mapping;
	unsigned int try;

	scan(inode, what);
	for (try = 0; what->found && try < TRIES; try++) {
		u64 nr = (u64)what->last - what->first + 1;

		unmap_mapping_range(mapping, (loff_t)what->first << PAGE_SHIFT,
				    (loff_t)nr << PAGE_SHIFT, 0);
		/* skips folios that are locked, dirty or have references */
		invalidate_mapping_pages(mapping, what->first, what->last);
		scan(inode, what);
	}
}

/*
 * Prepare another try: write back dirty pages, and take folios out of lists of
 * other processors, which have references to them. Nothing is locked.
 */
static int clean(struct inode *inode, struct file *file, u64 start, u64 end,
		 bool again)
{
	int ret;

	ret = filemap_write_and_wait_range(inode->i_mapping, start, end - 1);
	if (ret || !again)
		return ret;
	seal_nap_holding(1, NULL);
	vfs_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

/*
 * Take all folios of [start, end) out of the cache, also those to which
 * somebody has a reference. The map is locked. False: some folios are locked or
 * dirty.
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
			     const struct seal_ranges *ranges,
			     struct seal_pages_locks *locks,
			     const struct seal_limit *limit)
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
		*locks = (struct seal_pages_locks){ };
		/* a direct read can hold i_rwsem as long as its owner likes */
		ret = limit ? seal_pages_lock(inode, locks, limit) :
			      seal_lock(&locks->invalidate,
					&inode->i_mapping->invalidate_lock,
					false, NULL, "");
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
		seal_pages_unlock(locks);
	}
	if (ret && limit)
		seal_pages_unlock(locks);
	return ret;
}

/* A grace period of RCU tasks: every task that was running has slept since. */
struct grace {
	struct rcu_head		rcu;
	struct completion	over;
	refcount_t		users;		/* the caller, and RCU */
};

static void grace_put(struct grace *grace)
{
	if (refcount_dec_and_test(&grace->users))
		kfree(grace);
}

static void grace_over(struct rcu_head *rcu)
{
	struct grace *grace = container_of(rcu, struct grace, rcu);

	complete(&grace->over);
	grace_put(grace);
}

/*
 * Wait until every task has slept. A kernel thread that runs without a pause can
 * make that take long, so there is a limit. The grace period may end after this
 * has returned: see seal_pages_exit().
 */
static int wait_for_tasks(const struct seal_limit *limit)
{
	struct grace *grace = kmalloc(sizeof(*grace), GFP_KERNEL_ACCOUNT);
	int ret = 0;

	if (!grace)
		return -ENOMEM;
	init_completion(&grace->over);
	refcount_set(&grace->users, 2);
	call_rcu_tasks(&grace->rcu, grace_over);
	while (!ret && !completion_done(&grace->over)) {
		ret = seal_nap_holding(5, limit);
		if (!ret && seal_limit_over(limit))
			ret = seal_limit_tell(limit, "a task of the kernel runs without a pause");
	}
	grace_put(grace);
	return ret;
}

void seal_pages_exit(void)
{
#ifdef CONFIG_TASKS_RCU
	rcu_barrier_tasks();
#else
	rcu_barrier();
#endif
}

int seal_pages_settle(struct seal_entry *entry, struct file *file,
		      const struct seal_ranges *keep, bool small,
		      const struct seal_limit *limit)
{
	struct inode *inode = entry->inode;
	unsigned long until = jiffies + PATIENCE;
	const bool by_block = SEAL_IOMAP_BLOCK_DIRTY || !seal_is_xfs(inode);
	struct seal_pages_locks locks;
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
		strscpy(limit->reason, collapses, SEAL_REASON_LEN);
		return -EOPNOTSUPP;
	}

	for (;;) {
		ret = clean(inode, file, 0, LLONG_MAX, again) ?:
		      seal_pages_lock(inode, &locks, limit);
		if (ret)
			return ret;
		fresh = what.small && !entry->small_folios;
		if (fresh)
			seal_folios_restrict(entry);
		drop(inode, &what);
		seal_pages_unlock(&locks);

		if (!what.found && !fresh)
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
		again = what.found;
		/*
		 * Large folios that are in place may be in use all the time.
		 * If write-back is by the block, a large folio that is left
		 * can only cause a store next to a hole to be refused.
		 */
		if (!fresh && !what.displaced && by_block && ++tries == TRIES)
			return 0;
		if (time_before(jiffies, until)) {
			/* wait for readahead between its test and the lock */
			if (fresh && !by_block)
				ret = wait_for_tasks(limit);
			if (ret)
				return ret;
			continue;
		}
		return seal_limit_tell(limit, what.displaced ? not_in_place :
							       in_use);
	}
}
