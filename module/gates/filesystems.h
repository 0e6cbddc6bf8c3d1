/* SPDX-License-Identifier: GPL-2.0-only */
/* The filesystems whose files can be sealed. */
#ifndef SEAL_FILESYSTEMS_H
#define SEAL_FILESYSTEMS_H

#include "probes/fs.h"

struct inode;

extern struct seal_fs seal_filesystems[];
extern const unsigned int seal_nr_filesystems;

/*
 * The filesystem type of an inode, or NULL if it is not supported, with
 * @reason, of SEAL_REASON_LEN bytes, filled in.
 */
struct seal_fs *seal_fs_of(struct inode *inode, char *reason);

/* Create and remove the files of debugfs: gates, last, tripwires. */
void seal_filesystems_init(void);
void seal_filesystems_exit(void);

#endif /* SEAL_FILESYSTEMS_H */
