/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files can be sealed at all. */
#ifndef SEAL_ELIGIBLE_H
#define SEAL_ELIGIBLE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_fs;

/*
 * Return the filesystem type of @file if the file can be sealed, else an
 * ERR_PTR of -EOPNOTSUPP, -EBUSY or -EPERM, with @reason, of SEAL_REASON_LEN
 * bytes, filled in. @fs_flags gets the FS_*_FL of the file. May sleep.
 */
struct seal_fs *seal_eligible(struct file *file, u32 *fs_flags, char *reason);

/*
 * Keep the addresses of the operations of @inode that were checked by name, for
 * as long as the gates of @fs stay attached; the caller has attached them. A
 * check by name is slow, because the kernel goes through all symbols of a
 * module to find the name of a function. Does nothing after the first inode.
 */
void seal_eligible_learn(struct seal_fs *fs, const struct inode *inode);

#endif /* SEAL_ELIGIBLE_H */
