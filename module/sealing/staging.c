// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks in the copy-on-write fork of an XFS inode that was never reflinked. An
 * atomic write that was done out of place has left them: preallocated, or, if
 * it failed half-way, marked as written. The next write-back of the range moves
 * the file to them.
 *
 * Blocks that are marked as written may also belong to a write-back that has
 * not ended. So they are dropped only where no page is being written. A page
 * that is clean stays clean until the locks are dropped, and write-back locks a
 * dirty folio before it looks at the fork, so a dirty folio is locked
 * meanwhile.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "base/compat.h"
#include "map/xfs_inode.h"
#include "sealing/staging.h"

/*
 * If the folio is dirty or in write-back, drop the blocks before it, and then,
 * with the folio locked, those below it. -EAGAIN: it is being written, or
 * locked.
 */
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
