/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tripwires: probes on the functions that change an extent map in memory, deep
 * below the gates. They refuse nothing. If one is hit for a sealed inode, a
 * gate is missing or was bypassed, and the seal is marked broken.
 */
#ifndef SEAL_TRIPWIRE_H
#define SEAL_TRIPWIRE_H

struct inode;
struct seal_entry;
struct seal_gate;

/*
 * The map of @inode, which may be sealed or not, is about to be changed by the
 * function that the tripwire @gate is on. In its handler.
 */
void seal_trip(struct seal_gate *gate, struct inode *inode);

/* The seal of @entry was found broken, not by a tripwire; @when says where. */
void seal_report_broken(struct seal_entry *entry, const char *when);

/*
 * Is the size of a sealed file what it was sealed with? It can grow inside a
 * block without any change of the map. With the table locked.
 */
void seal_trip_size(struct seal_entry *entry);

#endif /* SEAL_TRIPWIRE_H */
