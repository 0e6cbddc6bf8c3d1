/* SPDX-License-Identifier: GPL-2.0-only */
/* The fiemap operation of an inode, without waiting for other tasks for ever. */
#ifndef SEAL_FIEMAP_H
#define SEAL_FIEMAP_H

#include <linux/types.h>

struct fiemap_extent_info;
struct inode;
struct seal_limit;

/*
 * If not @shared, extents need not say that they are shared. On XFS that saves most
 * of the time: it searches the blocks that are shared in another tree.
 *
 * Returns what ->fiemap() returns; or -EBUSY: a lock of the file was not free before
 * the end of @limit, whose reason names the task that holds it; -EINTR: killed
 * while waiting for it. If @limit is NULL, waits as long as it takes.
 */
int seal_fiemap(struct inode *inode, struct fiemap_extent_info *fi, u64 start,
		u64 length, bool shared, const struct seal_limit *limit);

#endif /* SEAL_FIEMAP_H */
