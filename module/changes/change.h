/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A holder changes the map of a sealed file.
 *
 * Locks: change->lock > session->lock > seal_table_lock, and change->lock >
 * i_rwsem > invalidate_lock.
 *
 * A freeze waits for everybody who has write access to the filesystem, and all
 * writers wait for the freeze. So nobody waits for one of these locks with write
 * access. It is only tried for when they are held (seal_write_access()), and given
 * up after the step that needs it. If it is not to be had, the operation fails with
 * -EAGAIN, gives up all of its locks, and begins again after the freeze.
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
 * May this task change blocks of @file, or have others change them? Returns 0;
 * -EBADF: @file is not open for writing; -EPERM: CAP_SYS_RAWIO is missing.
 */
int seal_may_change(struct file *file);

/*
 * Between these two the map gate is attached. Returns 0 or an error; the reason of
 * @limit is filled in only if the gate was refused, or could not be attached in
 * time.
 */
int seal_change_enter(struct file *file, const struct seal_limit *limit);
void seal_change_leave(void);

/*
 * Call @try for @arg until it returns something other than -EAGAIN; before it is
 * called again, wait for the end of a freeze. Returns what it returned, or -EINTR.
 */
int seal_change_thawed(struct file *file, int (*try)(void *arg), void *arg);

/*
 * Find the entry of @inode on which @session (NULL: the lasting claim) has a
 * claim, pin it, and take the lock of its change. With @grow nobody else may
 * hold the file, and nobody can join until seal_change_end(). Errors: -EACCES:
 * there is no such claim; -EOWNERDEAD: it was revoked; -EBUSY: others hold the
 * file, too, or one of them was changing the map until the end of @limit (the
 * reason says so); -EINTR; -ENOMEM.
 */
struct seal_entry *seal_change_begin(struct seal_session *session,
				     struct inode *inode, bool grow,
				     const struct seal_limit *limit);
void seal_change_end(struct seal_entry *entry, bool grow);

/* Between these two: is the claim of @session still there? */
bool seal_change_claimed(struct seal_entry *entry,
			 struct seal_session *session);

/*
 * Between these two, gates and tripwires let this task change the map, because
 * the holder asked for that. Memory reclaim by this task does not touch the
 * inode, whose locks are held.
 */
void seal_change_allow(struct seal_entry *entry);
void seal_change_forbid(struct seal_entry *entry);

/*
 * Read the map again and publish it, after a change whose result was not
 * computed before, or went wrong. If that fails, the seal counts as broken.
 */
void seal_change_reread(struct seal_entry *entry);

/* Store @why in @reason, of SEAL_REASON_LEN bytes, and return @error. */
static inline int seal_explain(char *reason, int error, const char *why)
{
	strscpy(reason, why, SEAL_REASON_LEN);
	return error;
}

/*
 * Explain in @reason an error of seal_change_enter() or seal_change_begin(), if
 * nothing else did, and return @error.
 */
int seal_change_error(int error, char *reason);

#endif /* SEAL_CHANGE_H */
