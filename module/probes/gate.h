/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gates: kprobes at the entry of functions through which a block map changes.
 *
 * A gate's handler lets the call pass (0) or redirects it to a function of the
 * same signature in this module. Two kinds:
 *
 * - entered with a lock held that sealing takes exclusively (i_rwsem or the
 *   invalidate lock): the handler decides, and redirects to a function that
 *   does nothing but return the error;
 * - entered without such a lock: every call is redirected to a wrapper that
 *   decides inside an SRCU section and calls the rest of the original, behind
 *   the probed instruction, by a static call. Sealing waits for the SRCU
 *   readers. An indirect call would need an ENDBR the target does not have.
 */
#ifndef SEAL_GATE_H
#define SEAL_GATE_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct inode;

struct seal_gate {
	const char		*symbol;
	kprobe_pre_handler_t	handler;
	void			(*bind)(unsigned long original);
	ftrace_func_t		hook;		/* the same without a kprobe */
	struct kprobe		kp;		/* disabled if hooked */
	struct ftrace_ops	ops;		/* if hooked, see hook.c */
	char			target[72];	/* module:symbol */
	atomic64_t		hits;		/* calls refused, or seals broken */
	bool			core;		/* not in the module of its set */
	bool			skip;		/* debug build only */
	bool			watch;		/* a tripwire: refuses nothing */
	bool			counts;		/* looks on, refuses nothing */
	bool			waits;		/* for recalls; refuses nothing */
	bool			hooked;
	bool			optional;	/* may be missing */
	bool			absent;		/* is missing */
};

struct seal_gate_set {
	const char		*name;
	const char		*module;	/* NULL: the kernel itself */
	struct seal_gate	*gates;
	unsigned int		nr_gates;
	unsigned int		users;
	/* do the gates that are not kprobes fire at the moment? */
	bool			(*armed)(void);
	/* with users: operations that were looked up by name, or NULL */
	const void		*fallocate;	/* this is gated */
	const void		*dirty_folio;	/* this does not journal data */
};

/* A filesystem type, the gates that cover it and what it takes to use them. */
struct seal_fs {
	const char		*name;
	const char		*module;
	const char		*fallocate;	/* as kallsyms prints it */
	struct seal_gate_set	*common;	/* in the kernel itself */
	struct seal_gate_set	*set;
	struct seal_gate_set	*tripwires;
	unsigned int		sealed;		/* entries that use it */
	/* with the gates attached, look at the first inode; 0 or -errno */
	int			(*prove)(struct inode *inode, char *reason);
};

/* Protects users counts and the probes. */
extern struct mutex seal_gates_lock;

/* Arm the gates of a filesystem for one more user; 0 or -errno + reason. */
int seal_fs_get(struct seal_fs *fs, struct inode *inode, char *reason);
void seal_fs_put(struct seal_fs *fs);

/* Can the gates of @fs be placed on this kernel? enum seal_fs_state, -ENOMEM. */
int seal_fs_probe(struct seal_fs *fs, char *reason);
bool seal_fs_attached(struct seal_fs *fs);
unsigned int seal_fs_nr_gates(struct seal_fs *fs);

/* Calls the gates of @fs were not called for. */
unsigned long seal_fs_missed(struct seal_fs *fs);

/*
 * Do probes fire at the moment, and the hook if there is one? The gates of @fs
 * are attached, or were a moment ago.
 */
bool seal_gates_armed(struct seal_fs *fs);

/* --- for the tables of gates --- */

#define SEAL_GATE(sym, hnd)						\
	{ .symbol = sym, .handler = hnd }
#define SEAL_GATE_HOOKED(sym, hnd, hk)					\
	{ .symbol = sym, .handler = hnd, .hook = hk }
#define SEAL_GATE_COUNTS(sym, hnd)					\
	{ .symbol = sym, .handler = hnd, .core = true, .counts = true }
#define SEAL_GATE_WRAPPED(sym, hnd, orig)				\
	{ .symbol = sym, .handler = hnd, .bind = bind_##orig }

/* A wrapper that only waits for a recall. Without it nobody is asked. */
#define SEAL_GATE_WAITS(sym, hnd, orig)					\
	{ .symbol = sym, .handler = hnd, .bind = bind_##orig,		\
	  .waits = true, .optional = true }

#endif /* SEAL_GATE_H */
