/* SPDX-License-Identifier: GPL-2.0-only */
/* What the handlers of gates, and their wrappers, decide with. */
#ifndef SEAL_DECIDE_H
#define SEAL_DECIDE_H

#include <linux/types.h>

struct inode;
struct kprobe;
struct super_block;

/* Targets of a redirection, for every signature that returns in RAX. */
long seal_return_busy(void);		/* -ETXTBSY */
long seal_return_zero(void);		/* 0: there was nothing to do */

/*
 * Must the gate @kp refuse an operation on [start, end) of @inode?
 * Counts and traces what it refuses. In a probe handler or in a wrapper.
 */
bool seal_gate_refuses(struct kprobe *kp, struct inode *inode, u64 start,
		       u64 end);
/* The same for an operation that no sealed file allows. */
bool seal_gate_refuses_any(struct kprobe *kp, struct inode *inode);
/* The same for an operation that can hurt any file of a filesystem. May sleep. */
bool seal_gate_refuses_sb(struct kprobe *kp, struct super_block *sb);
/* The same for an operation that only hurts a file with in-place blocks. */
bool seal_gate_refuses_sharing(struct kprobe *kp, struct inode *inode);

int seal_wrapper_enter(void);
void seal_wrapper_leave(int cookie);

/* Wait until every wrapper that was entered before has left; -EINTR if killed. */
int seal_drain_wrappers(void);

/*
 * The same when no wrapper is entered any more, and until nothing of that
 * waiting is left.
 */
void seal_wrappers_exit(void);

#endif /* SEAL_DECIDE_H */
