/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tripwires: probes on the functions that change an extent map in memory, deep
 * below the gates. They refuse nothing. If one is hit for a sealed inode, a
 * gate is missing or was bypassed, and the seal is marked broken.
 */
#ifndef SEAL_TRIPWIRE_H
#define SEAL_TRIPWIRE_H

struct inode;
struct kprobe;
struct pt_regs;
struct seal_entry;

/*
 * The map of @inode, which may be sealed or not, is about to be changed by the
 * function @kp sits on. In a probe handler.
 */
void seal_trip(struct kprobe *kp, struct pt_regs *regs, struct inode *inode);

/* The seal of @entry was found broken, not by a tripwire; @when says where. */
void seal_report_broken(struct seal_entry *entry, const char *when);

#define SEAL_TRIPWIRE(sym, hnd)						\
	{ .symbol = sym, .handler = hnd, .watch = true }
/* the compiler may have inlined it into its only caller */
#define SEAL_TRIPWIRE_OPTIONAL(sym, hnd)				\
	{ .symbol = sym, .handler = hnd, .watch = true, .optional = true }

#endif /* SEAL_TRIPWIRE_H */
