/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks that the next write would move to. */
#ifndef SEAL_STAGING_H
#define SEAL_STAGING_H

struct inode;

/*
 * With the map locked (pages.h): give up all blocks that lie ready for copying
 * in an inode that is not reflinked. 0; -EAGAIN: some of its pages are being
 * written, wait for them without the locks and come again; or an error.
 */
int seal_staging_cancel(struct inode *inode);

#endif /* SEAL_STAGING_H */
