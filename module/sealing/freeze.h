/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps that bring the map of one inode to rest, in the order in which
 * sealing.c takes them. The task that calls them owns the entry, which is in
 * state SEALING. They return 0 or -errno if nothing else is said, and sleep.
 * Each waits for others until the end of @limit at most: -EBUSY, and its reason
 * says for what. It is filled in for -EOPNOTSUPP, too. -EINTR: killed. The time
 * that write-back takes is added to @limit.
 */
#ifndef SEAL_FREEZE_H
#define SEAL_FREEZE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_entry;
struct seal_limit;
struct seal_map_info;

/* 1. From now on, notice every call that passes a gate. */
int seal_freeze_watch(struct seal_entry *entry, const struct seal_limit *limit);

/* Has a call passed a gate since step 1? If so, do 1a and 1b before step 2. */
bool seal_freeze_opened(const struct seal_entry *entry);

/*
 * 1a. Read the map once while the gates are open. entry->sum gets the summary,
 * and entry->table the in-place ranges.
 */
int seal_freeze_look(struct seal_entry *entry, struct seal_limit *limit);

/* 1b. From now on, refuse every call that is not inside entry->table. */
int seal_freeze_shut(struct seal_entry *entry, const struct seal_limit *limit);

/*
 * 2. Wait for calls that passed before, and write everything to disk. The
 * caller has drained the wrappers. If this sets entry->layout_broken, a call
 * that has passed may have dropped its lock: the caller waits for it and
 * repeats the round.
 */
int seal_freeze_settle(struct seal_entry *entry, struct file *file,
		       struct seal_limit *limit);

/*
 * 3. Read the map. Returns 1 if it was at rest: @info, entry->sum and
 * entry->table describe it. Returns 0 if it was not: settle again; the reason of
 * @limit may say why. After 1b, the table was reduced then, because a call may
 * have passed for a range that is not in place after all.
 */
int seal_freeze_read(struct seal_entry *entry, struct seal_map_info *info,
		     const struct seal_limit *limit);

/*
 * 4. Drop cached pages of blocks that are not in place, and shut the gates with
 * the table that was read. Returns 1 if that is done. Returns 0 if a call has
 * passed since step 1 (go on with 1a) or the map has changed (go on with 2).
 */
int seal_freeze_close(struct seal_entry *entry, struct file *file,
		      const struct seal_limit *limit);

/*
 * Undo 1 to 4. The entry must still be in the table. Takes no lock that another
 * task can hold for ever, and cannot fail.
 */
void seal_thaw_map(struct seal_entry *entry);

/* --- for blocks that others write, see grant.c; with change->lock held --- */

/*
 * [start, end) is about to be granted. After this, no page of it is cached, a
 * reflink that had passed its gate has finished, and set-id bits are removed.
 * -EAGAIN: the filesystem is frozen, or is about to be.
 */
int seal_freeze_hand_out(struct seal_entry *entry, struct file *file, u64 start,
			 u64 end, bool unwritten,
			 const struct seal_limit *limit);

/*
 * Contents change without a write: remove set-id bits, update timestamps. If this
 * succeeds, the caller has write access. -EAGAIN as above.
 */
int seal_freeze_modify(struct seal_entry *entry, struct file *file,
		       const struct seal_limit *limit);

/*
 * The map is final: if all of the file is in place, let gates know by a bit of the
 * inode. With the table lock held, which keeps the entry sealed.
 */
void seal_freeze_shortcut(struct seal_entry *entry);

#endif /* SEAL_FREEZE_H */
