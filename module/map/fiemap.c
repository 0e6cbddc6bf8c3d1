// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fiemap operation of an inode, without waiting for other tasks for ever.
 *
 * ->fiemap() of XFS, and of ext4 after 6.12, first waits for i_rwsem, without a
 * limit, and no signal ends that wait. Then both do the same: they walk the extents
 * with a function of their own, which takes the lock that protects the extents. So
 * this code does the same in their place.
 *
 * XFS needs i_rwsem for nothing else (FIBMAP and lseek() do without it). ext4 puts
 * the extents that it reads into a cache. That must not happen while extents are
 * removed, so the caller must hold i_rwsem or the invalidate lock. This code takes
 * the invalidate lock, with a limit: no write holds it while it waits for memory
 * of its user.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/iomap.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/owners.h"
#include "map/fiemap.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "probes/symbol.h"

SEAL_ORIGINAL(seal_xfs_read_begin, int, struct inode *inode, loff_t offset,
	      loff_t length, unsigned int flags, struct iomap *iomap,
	      struct iomap *srcmap);
SEAL_ORIGINAL(seal_ext4_report_begin, int, struct inode *inode, loff_t offset,
	      loff_t length, unsigned int flags, struct iomap *iomap,
	      struct iomap *srcmap);

/* The functions must not be called through a pointer: static calls do it. */
static int xfs_begin(struct inode *inode, loff_t offset, loff_t length,
		     unsigned int flags, struct iomap *iomap,
		     struct iomap *srcmap)
{
	return static_call(seal_xfs_read_begin)(inode, offset, length, flags,
						iomap, srcmap);
}

/* XFS looks whether blocks are shared for a report alone, and for DAX. */
static int xfs_begin_places(struct inode *inode, loff_t offset, loff_t length,
			    unsigned int flags, struct iomap *iomap,
			    struct iomap *srcmap)
{
	return xfs_begin(inode, offset, length, flags & ~IOMAP_REPORT, iomap,
			 srcmap);
}

static int ext4_begin(struct inode *inode, loff_t offset, loff_t length,
		      unsigned int flags, struct iomap *iomap,
		      struct iomap *srcmap)
{
	return static_call(seal_ext4_report_begin)(inode, offset, length, flags,
						   iomap, srcmap);
}

struct reader {
	const char		*module;
	const char		*symbol;
	void			(*bind)(unsigned long original);
	struct iomap_ops	ops;
	struct iomap_ops	places;		/* without what is shared */
	bool			locks;		/* needs the invalidate lock */
	/* seal_modules_gone() when it was looked up, plus 1; 0: it was not */
	u64			known;
	bool			there;		/* this kernel has the function */
};

static struct reader readers[] = {
	{ .module = SEAL_XFS_MODULE, .symbol = "xfs_read_iomap_begin",
	  .bind = bind_seal_xfs_read_begin, .ops.iomap_begin = xfs_begin,
	  .places.iomap_begin = xfs_begin_places },
	{ .module = SEAL_EXT4_MODULE, .symbol = "ext4_iomap_begin_report",
	  .bind = bind_seal_ext4_report_begin, .ops.iomap_begin = ext4_begin,
	  .places.iomap_begin = ext4_begin,
	  .locks = true },
};

static struct reader *reader_of(const struct inode *inode)
{
	if (seal_is_xfs(inode))
		return &readers[0];
	return SEAL_EXT4_FIEMAP_LOCKS ? &readers[1] : NULL;
}

/*
 * Look up the function of @reader, and note whether this kernel has one. Returns
 * 0, or an error because of which it is not known. Several tasks may do this at
 * a time: all find the same, because their open files pin the module.
 */
static int reader_learn(struct reader *reader, const struct seal_limit *limit)
{
	u64 gone = seal_modules_gone();
	int ret;

	/* the open file pins the module: a result stays valid */
	if (smp_load_acquire(&reader->known) == gone + 1)
		return 0;
	ret = seal_symbol_bind(reader->module, reader->symbol, reader->bind,
			       limit);
	if (ret && ret != -ENOENT && ret != -EOPNOTSUPP)
		return ret;
	WRITE_ONCE(reader->there, !ret);
	/* pairs with the acquire above: publishes the rest */
	smp_store_release(&reader->known, gone + 1);
	return 0;
}

int seal_fiemap(struct inode *inode, struct fiemap_extent_info *fi, u64 start,
		u64 length, bool shared, const struct seal_limit *limit)
{
	struct reader *reader = reader_of(inode);
	const struct iomap_ops *ops;
	struct seal_lock lock;
	int ret;

	if (reader) {
		ret = reader_learn(reader, limit);
		if (ret)
			return ret;
	}
	if (!reader || !READ_ONCE(reader->there))
		return inode->i_op->fiemap(inode, fi, start, length);
	ops = shared ? &reader->ops : &reader->places;
	if (!reader->locks)
		return iomap_fiemap(inode, fi, start, length, ops);
	ret = seal_lock(&lock, &inode->i_mapping->invalidate_lock, true, limit,
			"the lock of the file's page cache");
	if (ret)
		return ret;
	ret = iomap_fiemap(inode, fi, start, length, ops);
	seal_unlock(&lock);
	return ret;
}
