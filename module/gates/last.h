/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last line: kprobes on the iomap_begin path, where allocation begins.
 *
 * A path that nobody thought of, or that lost its gate, ends here with an error
 * instead of a broken seal. A write in place does not call these functions. The
 * kprobes have no post_handler, so they share their functions with kprobes of
 * anybody else, and an ftrace_ops beside them (attach.c) tells BPF and live
 * patches that calls are redirected. They are not the first line because root
 * can switch off all kprobes (kprobes/enabled in debugfs).
 *
 * Each kprobe is on a function whose callers all pass its error on, without
 * having changed anything before; last_xfs.c and last_ext4.c say how that was
 * shown.
 */
#ifndef SEAL_LAST_H
#define SEAL_LAST_H

#include <linux/kprobes.h>
#include <linux/types.h>

#include "probes/gate.h"

struct inode;

/* Do kprobes fire at the moment? The canary is attached. May sleep. */
bool seal_last_armed(void);

/* --- for the handlers --- */

/*
 * Must a call that would allocate for @inode be refused? Yes if the file is
 * sealed and this is not a change that its holder makes. What is refused is
 * counted, traced and told to listeners.
 */
bool seal_last_refuses(struct kprobe *kp, struct inode *inode);

/*
 * Send the call to a function that returns -ETXTBSY. Returns 1, which the
 * handler of the kprobe has to return.
 */
int seal_last_refuse(struct pt_regs *regs);

#define seal_last_arg(regs, n, type)					\
	((type)regs_get_kernel_argument(regs, n))

#define SEAL_LAST(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_LAST, .probe = fn }

#endif /* SEAL_LAST_H */
