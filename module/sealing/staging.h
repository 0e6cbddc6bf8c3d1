/* SPDX-License-Identifier: GPL-2.0-only */
/* Copy-on-write blocks to which the next write would go. */
#ifndef SEAL_STAGING_H
#define SEAL_STAGING_H

struct inode;

/*
 * Drop all blocks in the copy-on-write fork of an inode that is not reflinked.
 * The caller has locked the map (pages.h). Returns 0; -EAGAIN: some pages are
 * being written, wait for them without the locks and call again; or an error.
 */
int seal_staging_cancel(struct inode *inode);

#endif /* SEAL_STAGING_H */
