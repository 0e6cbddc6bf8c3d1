/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps that bring the map of one inode to rest, in the order in which
 * claim.c takes them.
 */
#ifndef SEAL_FREEZE_H
#define SEAL_FREEZE_H

struct file;
struct seal_entry;

/*
 * 0. With the gates still open, read the map once: entry->info for an early
 * check, entry->table with what is overwritten in place.
 */
int seal_freeze_look(struct seal_entry *entry, char *reason);

/* 1. Refuse from now on all that is not inside entry->table. */
int seal_freeze_shut(struct seal_entry *entry);

/*
 * 2. Wait for everything that passed before, make it durable. The wrappers
 * have been drained by the caller.
 */
int seal_freeze_settle(struct seal_entry *entry, struct file *file,
		       char *reason);

/*
 * 3. Read the map. 1: it is final, entry->info and entry->table are those of
 * the frozen map. 0: something passed that is not in place after all, the
 * table shrank, settle again.
 */
int seal_freeze_read(struct seal_entry *entry, char *reason);

/* Undo 1 to 3. The entry must still be in the table. */
void seal_thaw_map(struct seal_entry *entry);

#endif /* SEAL_FREEZE_H */
