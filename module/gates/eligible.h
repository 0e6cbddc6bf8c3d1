/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be sealed at all. */
#ifndef SEAL_ELIGIBLE_H
#define SEAL_ELIGIBLE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_fs;

/*
 * The filesystem of @file if the file can be sealed, else an ERR_PTR with
 * @reason (SEAL_REASON_LEN) filled in: -EOPNOTSUPP, -EBUSY, -EPERM.
 * @fs_flags gets the FS_*_FL of the file.
 */
struct seal_fs *seal_eligible(struct file *file, u32 *fs_flags, char *reason);

/*
 * The gates of @fs are attached, by the caller: keep what was looked up by name
 * for @inode, the first one, as long as they stay. To find the name of a
 * function of a module the kernel goes through all symbols of that module.
 */
void seal_eligible_learn(struct seal_fs *fs, const struct inode *inode);

#endif /* SEAL_ELIGIBLE_H */
