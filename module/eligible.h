/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be sealed at all. */
#ifndef SEAL_ELIGIBLE_H
#define SEAL_ELIGIBLE_H

#include <linux/types.h>

struct file;
struct seal_fs;

/*
 * The filesystem of @file if the file can be sealed, else an ERR_PTR with
 * @reason (SEAL_REASON_LEN) filled in: -EOPNOTSUPP, -EBUSY, -EPERM.
 * @fs_flags gets the FS_*_FL of the file.
 */
struct seal_fs *seal_eligible(struct file *file, u32 *fs_flags, char *reason);

#endif /* SEAL_ELIGIBLE_H */
