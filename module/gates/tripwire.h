/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tripwires: ftrace handlers on the functions that change an extent map in
 * memory, deep below the gates. They refuse nothing. If one is hit for a sealed
 * inode, a gate is missing or was bypassed, and the seal is marked broken.
 */
#ifndef SEAL_TRIPWIRE_H
#define SEAL_TRIPWIRE_H

struct inode;
struct seal_entry;
struct seal_gate;

/*
 * The function that the tripwire @gate is on is about to change the map of
 * @inode, which may be sealed or not. For the handlers of tripwires.
 */
void seal_trip(struct seal_gate *gate, struct inode *inode);

/*
 * Report that the seal of @entry is broken. The caller, not a tripwire, has
 * found it so and counted the change; @when says when the map changed.
 */
void seal_report_broken(struct seal_entry *entry, const char *when);

/*
 * Mark the seal broken if the size of the file is not the one it was sealed
 * with: a file can grow inside a block without any change of its map. The
 * caller holds seal_table_lock.
 */
void seal_trip_size(struct seal_entry *entry);

#endif /* SEAL_TRIPWIRE_H */
