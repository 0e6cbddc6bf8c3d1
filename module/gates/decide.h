/* SPDX-License-Identifier: GPL-2.0-only */
/* How the handlers of gates, and wrappers, decide about a call. */
#ifndef SEAL_DECIDE_H
#define SEAL_DECIDE_H

#include <linux/types.h>

struct inode;
struct seal_entry;
struct seal_gate;
struct super_block;

/* Targets of a redirection, for every signature that returns in RAX. */
long seal_return_busy(void);		/* returns -ETXTBSY */
long seal_return_zero(void);		/* returns 0: nothing was to be done */

/* Is [start, end) of @inode in place, or @inode not sealed? Counts nothing. */
bool seal_gate_in_place(struct inode *inode, u64 start, u64 end);

/*
 * Must @gate refuse an operation on the bytes [start, end) of @inode? What it
 * refuses is counted, traced and told to listeners. For the handlers of gates
 * and for wrappers; never sleeps.
 */
bool seal_gate_refuses(struct seal_gate *gate, struct inode *inode, u64 start,
		       u64 end);
/* The same question for an operation that no sealed file allows. */
bool seal_gate_refuses_any(struct seal_gate *gate, struct inode *inode);
/*
 * The same question for an operation that can change any file of a filesystem.
 * A refusal is counted at the gate, but in no entry; there is no trace and no
 * event. May sleep.
 */
bool seal_gate_refuses_sb(struct seal_gate *gate, struct super_block *sb);
/* The same question for sharing blocks of @inode with another file. */
bool seal_gate_refuses_sharing(struct seal_gate *gate, struct inode *inode);

/* Debug build: is @gate switched off, so that every call passes it? */
bool seal_gate_skipped(const struct seal_gate *gate);

/*
 * For the wrappers of fallocate(): has the call nothing to do on a sealed file?
 * True if it would only allocate, and the whole range is in place and inside the
 * file. Asks no holder and counts nothing.
 */
bool seal_fallocate_done(struct inode *inode, int mode, loff_t offset,
			 loff_t len);
/*
 * The error of a fallocate() that is refused. A program that frees or zeroes
 * blocks and is told that this is not supported writes zeros instead, which works
 * in place: QEMU, loop devices and others do so. Any other error makes it fail.
 */
long seal_fallocate_error(int mode);

/*
 * @gate refuses a call: count it, trace it and tell listeners. Returns false if
 * the call passes all the same, in log-only mode. The caller is in an RCU
 * read-side section.
 */
bool seal_gate_refuse(struct seal_gate *gate, struct seal_entry *entry,
		      u64 start, u64 end);

#endif /* SEAL_DECIDE_H */
