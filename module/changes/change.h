/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A holder changes the map of a file that is sealed.
 *
 * Locks: write access > change->lock > session->lock > seal_table_lock, and
 * change->lock > i_rwsem > invalidate_lock.
 */
#ifndef SEAL_CHANGE_H
#define SEAL_CHANGE_H

#include <linux/string.h>
#include <linux/types.h>

#include "uapi/seal.h"

struct file;
struct inode;
struct seal_entry;
struct seal_limit;
struct seal_session;

/*
 * May this task change blocks of @file, or have somebody change them? 0;
 * -EBADF: not open for writing; -EPERM: CAP_SYS_RAWIO.
 */
int seal_may_change(struct file *file);

/*
 * With the probe that maps are read by, and write access to the filesystem; the
 * end of a freeze is waited for.
 */
int seal_change_enter(struct file *file, const struct seal_limit *limit);
void seal_change_leave(struct file *file);

/*
 * The entry of @inode that @session has a claim on (NULL: that has a sticky
 * claim), pinned, with the lock of its change taken. With @grow nobody else may
 * hold it, or join until the end. -EACCES: no such claim; -EBUSY: others hold
 * it; -EINTR; -ENOMEM.
 */
struct seal_entry *seal_change_begin(struct seal_session *session,
				     struct inode *inode, bool grow);
void seal_change_end(struct seal_entry *entry, bool grow);

/*
 * Between these two, what this task does to the map is what the holder asked
 * for. Reclaim within does not touch this inode: its locks are held.
 */
void seal_change_allow(struct seal_entry *entry);
void seal_change_forbid(struct seal_entry *entry);

/* After a change that did not go as computed: publish what is there now. */
void seal_change_reread(struct seal_entry *entry);

/* Say why in @reason, of SEAL_REASON_LEN, and return @error. */
static inline int seal_explain(char *reason, int error, const char *why)
{
	strscpy(reason, why, SEAL_REASON_LEN);
	return error;
}

/* The same for what seal_change_enter() and seal_change_begin() came to. */
int seal_change_error(int error, char *reason);

#endif /* SEAL_CHANGE_H */
