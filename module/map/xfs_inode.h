/* SPDX-License-Identifier: GPL-2.0-only */
/* What the seal must know of XFS beyond what its VFS inodes show. */
#ifndef SEAL_XFS_INODE_H
#define SEAL_XFS_INODE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_limit;

bool seal_is_xfs(const struct inode *inode);

/*
 * Would XFS write block @offset (a written one) of @inode somewhere else?
 * False on other filesystems. Flushes dirty data. May sleep.
 */
bool seal_xfs_redirects(struct inode *inode, u64 offset);

/*
 * Learn where the VFS inode lies in the XFS inode, which the gates are given.
 * @file is a file of XFS; open, it keeps the module. Done once for each load of
 * the module. 0, or an error with the reason of @limit.
 */
int seal_xfs_measure(struct file *file, const struct seal_limit *limit);

struct inode *seal_xfs_vnode(void *xfs_inode);

/* Can it have copy-on-write preallocation without being reflinked? */
bool seal_xfs_may_prealloc_cow(const struct inode *inode);

/*
 * Drop that of [start, end), also where it looks written, of an inode that can
 * have it and is not reflinked. Caller holds i_rwsem and the invalidate lock
 * exclusively, after inode_dio_wait(), and no page of the range is in
 * write-back or can come there.
 */
int seal_xfs_cancel_cow(struct inode *inode, u64 start, u64 end);

#endif /* SEAL_XFS_INODE_H */
