/* SPDX-License-Identifier: GPL-2.0-only */
/* The fiemap operation of an inode, without waiting for others. */
#ifndef SEAL_FIEMAP_H
#define SEAL_FIEMAP_H

#include <linux/types.h>

struct fiemap_extent_info;
struct inode;
struct seal_limit;

/*
 * Results as of ->fiemap(); also -EBUSY: the lock of the file was not to be had
 * before the end of @limit, whose reason says who has it; -EINTR: killed while
 * waiting for it. @limit NULL: as long as it takes.
 */
int seal_fiemap(struct inode *inode, struct fiemap_extent_info *fi, u64 start,
		u64 length, const struct seal_limit *limit);

#endif /* SEAL_FIEMAP_H */
