/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recall: holders that asked for it are told before the map of their file is
 * changed, and have some time to let go.
 *
 * A task waits only where it holds no lock of the file yet, in the wrappers of
 * operations that change maps. When the wait is over, the gate that refuses
 * decides by what is true then.
 */
#ifndef SEAL_RECALL_H
#define SEAL_RECALL_H

#include <linux/types.h>

struct file;
struct inode;

/*
 * A wrapper that may wait calls these first and last, so that
 * seal_recall_exit() can wait for it. This is an SRCU read-side section, not an
 * entry of inside.c: sealing waits for the calls there, and must not wait for a
 * recall.
 */
int seal_recall_enter(void);
void seal_recall_leave(int cookie);

/*
 * If all holders of @inode can be asked, ask them and wait until none is left
 * or the time they were given is over. The same for @other, which may be NULL,
 * at the same time. Does nothing if @file, which may be NULL, is open with
 * O_NONBLOCK. @gate is the function whose gate refuses if the holders do not
 * let go. May sleep; the caller holds no lock of a file.
 *
 * Returns 0, or -ERESTARTNOINTR: the task is to be frozen; the wrapper returns
 * this in place of calling the original, and the system call begins anew when
 * the task goes on.
 */
int seal_recall(struct inode *inode, struct inode *other,
		const struct file *file, const char *gate);

/* Can holders of @inode be asked? Lets a handler do without the wrapper. */
bool seal_recallable(struct inode *inode);

/* Wait for wrappers that have called enter but not leave; no more will come. */
void seal_recall_exit(void);

#endif /* SEAL_RECALL_H */
