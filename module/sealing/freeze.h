/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps that bring the map of one inode to rest, in the order in which
 * sealing.c takes them.
 */
#ifndef SEAL_FREEZE_H
#define SEAL_FREEZE_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_entry;
struct seal_map_info;

/* 1. Be told from now on of everything that passes a gate. */
int seal_freeze_watch(struct seal_entry *entry);

/* Has anything? Then 2 to 4 are in vain without 1a and 1b. */
bool seal_freeze_opened(const struct seal_entry *entry);

/*
 * 1a. With the gates open, read the map once: entry->sum, and entry->table with
 * what is overwritten in place.
 */
int seal_freeze_look(struct seal_entry *entry, char *reason);

/* 1b. Refuse from now on all that is not inside entry->table. */
int seal_freeze_shut(struct seal_entry *entry);

/*
 * 2. Wait for everything that passed before, make it durable. The wrappers
 * have been drained by the caller. entry->layout_broken: somebody who passed
 * is without the lock, wait for it and begin again.
 */
int seal_freeze_settle(struct seal_entry *entry, struct file *file,
		       char *reason);

/*
 * 3. Read the map. 1: it was at rest, @info, entry->sum and entry->table are
 * its. 0: it was not, settle again; @reason may say why. With 1b: something passed
 * that is not in place after all, and the table shrank.
 */
int seal_freeze_read(struct seal_entry *entry, struct seal_map_info *info,
		     char *reason);

/*
 * 4. Drop what is cached of blocks that are not in place, and shut the gates
 * with the table that was read. 1: done. 0: something passed since 1, go on
 * with 1a, or the map changed, with 2.
 */
int seal_freeze_close(struct seal_entry *entry, struct file *file, char *reason);

/* Undo 1 to 4. The entry must still be in the table. */
void seal_thaw_map(struct seal_entry *entry);

/* --- for blocks that somebody else writes, see grant.c --- */

/*
 * [start, end) is about to be handed out: nothing of it is cached, whoever
 * shares blocks of the file has finished, set-id bits are gone.
 */
int seal_freeze_hand_out(struct seal_entry *entry, struct file *file, u64 start,
			 u64 end, bool unwritten, char *reason);

/* The contents change although nobody writes: set-id bits, timestamps. */
int seal_freeze_modify(struct seal_entry *entry, struct file *file);

#endif /* SEAL_FREEZE_H */
