// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks that lie ready in the copy-on-write fork of an XFS inode which was
 * never reflinked: an atomic write that was done out of place has left them, as
 * preallocation, or, if it failed half-way, as blocks that look written. The
 * next write-back of the range moves the file to them.
 *
 * Those that look written may also be under a write-back that has not ended. So
 * they are given up only where no page is being written: where no page is dirty
 * none will be before the locks are dropped, and write-back takes the lock of a
 * dirty folio before it looks at the fork.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "base/compat.h"
#include "map/xfs_inode.h"
#include "sealing/staging.h"

/* Dirty, or on its way to the disk: not if it could not be locked. */
static int cancel_below(struct inode *inode, struct folio *folio, u64 *pos)
{
	u64 start = folio_pos(folio), end = start + folio_size(folio);
	int ret = 0;

	if (!folio_test_dirty(folio) && !folio_test_writeback(folio))
		return 0;
	if (*pos < start)
		ret = seal_xfs_cancel_cow(inode, *pos, start);
	if (ret)
		return ret;
	if (!folio_trylock(folio))
		return -EAGAIN;
	ret = folio_test_writeback(folio) ? -EAGAIN :
	      seal_xfs_cancel_cow(inode, start, end);
	folio_unlock(folio);
	*pos = end;
	return ret;
}

int seal_staging_cancel(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio_batch batch;
	pgoff_t index = 0;
	u64 pos = 0;
	unsigned int i;
	int ret = 0;

	folio_batch_init(&batch);
	while ((mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) ||
		mapping_tagged(mapping, PAGECACHE_TAG_WRITEBACK)) && !ret &&
	       filemap_get_folios(mapping, &index, -1, &batch)) {
		for (i = 0; !ret && i < folio_batch_count(&batch); i++)
			ret = cancel_below(inode, batch.folios[i], &pos);
		folio_batch_release(&batch);
		cond_resched();
	}
	return ret ?: seal_xfs_cancel_cow(inode, pos, U64_MAX);
}
