/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recall: holders that asked for it are told before the map of their file is
 * changed, and have some time to let go.
 *
 * Only where nothing of the file is locked yet, in the wrappers of operations
 * that change maps. The gate that refuses comes behind and decides by what is
 * true then.
 */
#ifndef SEAL_RECALL_H
#define SEAL_RECALL_H

#include <linux/types.h>

struct file;
struct inode;

/*
 * Around a wrapper that may wait, so that the module stays until it has left.
 * Not the SRCU of the other wrappers: sealing waits for those.
 */
int seal_recall_enter(void);
void seal_recall_leave(int cookie);

/*
 * If all holders of @inode can be asked, ask them and wait until none is left,
 * or until the time they were given is over. Not if @file, which may be NULL,
 * is not to block. @gate: that refuses if they do not let go.
 */
void seal_recall(struct inode *inode, const struct file *file,
		 const char *gate);

/* Is there anybody to be asked? In a probe handler, to avoid the wrapper. */
bool seal_recallable(struct inode *inode);

/* Wait for those who are between enter and leave; nobody enters any more. */
void seal_recall_exit(void);

#endif /* SEAL_RECALL_H */
