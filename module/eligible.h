/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be sealed at all. */
#ifndef SEAL_ELIGIBLE_H
#define SEAL_ELIGIBLE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_fs;
struct seal_gate_set;

/*
 * The filesystem of @file if the file can be sealed, else an ERR_PTR with
 * @reason (SEAL_REASON_LEN) filled in: -EOPNOTSUPP, -EBUSY, -EPERM.
 * @fs_flags gets the FS_*_FL of the file.
 */
struct seal_fs *seal_eligible(struct file *file, u32 *fs_flags, char *reason);

/*
 * The gates of @fs are attached for @inode, the first one: keep what was looked
 * up by name for it, as long as they stay. To find the name of a function of a
 * module the kernel goes through all symbols of that module. Called with the
 * sets of gates locked; so is the other one, before the gates are detached.
 */
void seal_eligible_learn(struct seal_fs *fs, const struct inode *inode);
void seal_eligible_forget(struct seal_gate_set *set);

#endif /* SEAL_ELIGIBLE_H */
