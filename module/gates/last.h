/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last line: kprobes on the iomap_begin path, where allocation begins.
 *
 * A path that nobody thought of, or that lost its gate, ends here with an error
 * instead of a broken seal. What is in place does not come by. The probes have no
 * post_handler, so they share their functions with anybody's, and an ftrace_ops
 * beside them (gate.c) tells BPF and live patches that calls are redirected. They
 * are not the first line because debugfs (kprobes/enabled) switches them off.
 *
 * Each is on a function whose error all callers pass on without having changed
 * anything; the table of the filesystem says how that was shown.
 */
#ifndef SEAL_LAST_H
#define SEAL_LAST_H

#include <linux/kprobes.h>
#include <linux/types.h>

#include "probes/gate.h"

struct inode;

/* Do kprobes fire at the moment? */
bool seal_last_armed(void);

/* --- for the handlers --- */

/*
 * Must a call that would allocate for @inode be refused? The file is sealed, and
 * this is not a change that its holder makes. Counts and traces what it refuses.
 */
bool seal_last_refuses(struct kprobe *kp, struct inode *inode);

/* Send the call to a function that returns -ETXTBSY. For the return value. */
int seal_last_refuse(struct pt_regs *regs);

#define seal_last_arg(regs, n, type)					\
	((type)regs_get_kernel_argument(regs, n))

#define SEAL_LAST(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_LAST, .probe = fn }

#endif /* SEAL_LAST_H */
