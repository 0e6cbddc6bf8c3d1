/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of gates, and their wrappers, decide with. */
#ifndef SEAL_DECIDE_H
#define SEAL_DECIDE_H

#include <linux/types.h>

struct inode;
struct seal_entry;
struct seal_gate;
struct super_block;

/* Targets of a redirection, for every signature that returns in RAX. */
long seal_return_busy(void);		/* -ETXTBSY */
long seal_return_zero(void);		/* 0: there was nothing to do */

/* Is [start, end) of @inode in place, or the file not sealed? Counts nothing. */
bool seal_gate_in_place(struct inode *inode, u64 start, u64 end);

/*
 * Must @gate refuse an operation on [start, end) of @inode?
 * Counts and traces what it refuses. In the handler of a gate or in a wrapper.
 */
bool seal_gate_refuses(struct seal_gate *gate, struct inode *inode, u64 start,
		       u64 end);
/* The same for an operation that no sealed file allows. */
bool seal_gate_refuses_any(struct seal_gate *gate, struct inode *inode);
/* The same for an operation that can hurt any file of a filesystem. May sleep. */
bool seal_gate_refuses_sb(struct seal_gate *gate, struct super_block *sb);
/* The same for an operation that only hurts a file with in-place blocks. */
bool seal_gate_refuses_sharing(struct seal_gate *gate, struct inode *inode);

/*
 * fallocate() on a sealed file, in the wrappers of the filesystems. Done: it
 * would only allocate, and the whole range is in place and inside the file.
 * Asks nobody, counts nothing.
 */
bool seal_fallocate_done(struct inode *inode, int mode, loff_t offset,
			 loff_t len);
/*
 * What it returns when it is refused. Who frees or zeroes blocks and hears that
 * this is not supported writes zeros instead, and that works in place: QEMU,
 * loop, and others do so. Any other error makes them give up.
 */
long seal_fallocate_error(int mode);

/*
 * The gate refuses: count it, trace it, tell whoever listens. False if it lets
 * the call pass all the same, in log-only mode. In an RCU section.
 */
bool seal_gate_refuse(struct seal_gate *gate, struct seal_entry *entry,
		      u64 start, u64 end);

#endif /* SEAL_DECIDE_H */
