/* SPDX-License-Identifier: GPL-2.0-only */
/* The filesystems whose files can be sealed. */
#ifndef SEAL_FILESYSTEMS_H
#define SEAL_FILESYSTEMS_H

#include "probes/fs.h"

struct inode;

extern struct seal_fs seal_filesystems[];
extern const unsigned int seal_nr_filesystems;

/* The supported filesystem of an inode; NULL with @reason filled in. */
struct seal_fs *seal_fs_of(struct inode *inode, char *reason);

/* What debugfs shows of gates, of the last line and of tripwires. */
void seal_filesystems_init(void);
void seal_filesystems_exit(void);

#endif /* SEAL_FILESYSTEMS_H */
