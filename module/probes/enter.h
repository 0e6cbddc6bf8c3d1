/* SPDX-License-Identifier: GPL-2.0-only */
/* The callbacks of those ops of a set that do not belong to one gate alone. */
#ifndef SEAL_ENTER_H
#define SEAL_ENTER_H

struct ftrace_ops;
struct ftrace_regs;

/* Of the ops that the gates of a set share. */
void seal_enter_set(unsigned long ip, unsigned long parent,
		    struct ftrace_ops *ops, struct ftrace_regs *call);

/* Of the ops beside kprobes, which decide. */
void seal_enter_announced(unsigned long ip, unsigned long parent,
			  struct ftrace_ops *ops, struct ftrace_regs *call);

/* Of the guard. */
void seal_enter_guard(unsigned long ip, unsigned long parent,
		      struct ftrace_ops *ops, struct ftrace_regs *call);

#endif /* SEAL_ENTER_H */
