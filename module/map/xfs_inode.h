/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts about XFS inodes that their VFS inodes do not show. */
#ifndef SEAL_XFS_INODE_H
#define SEAL_XFS_INODE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_limit;

bool seal_is_xfs(const struct inode *inode);

/*
 * Would XFS write a store to byte @offset of @inode, which is in a written
 * block, to another block? False on other filesystems. Flushes dirty data. May
 * sleep.
 */
bool seal_xfs_redirects(struct inode *inode, u64 offset);

/*
 * Learn at which offset the VFS inode lies in the XFS inode: functions of XFS
 * are passed the XFS inode, and their gates need the other. @file is an open
 * file of XFS, which pins the module. The work is done once for each load of
 * the module. Returns 0 or an error, for most errors with the reason of @limit.
 * Sleeps.
 */
int seal_xfs_measure(struct file *file, const struct seal_limit *limit);

/* The VFS inode inside an XFS inode, after seal_xfs_measure(). */
struct inode *seal_xfs_vnode(void *xfs_inode);

/*
 * Can @inode have preallocated blocks in its copy-on-write fork without being
 * reflinked?
 */
bool seal_xfs_may_prealloc_cow(const struct inode *inode);

/*
 * Drop the blocks that the copy-on-write fork of @inode has for [start, end),
 * also those that are marked as written. seal_xfs_may_prealloc_cow() is true
 * for @inode, and it is not reflinked. The caller holds i_rwsem and the
 * invalidate lock exclusively and has called inode_dio_wait(); no page of the
 * range is in write-back, and none can get there. Returns 0 or an error of XFS.
 */
int seal_xfs_cancel_cow(struct inode *inode, u64 start, u64 end);

#endif /* SEAL_XFS_INODE_H */
