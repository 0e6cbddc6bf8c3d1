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
#include <linux/ptrace.h>
#include <linux/static_call.h>
#include <linux/types.h>

struct inode;
struct super_block;

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
	/* with users: operations eligible.c has looked up, or NULL */
	const void		*fallocate;	/* this is gated */
	const void		*dirty_folio;	/* this does not journal data */
};

/* A filesystem type, the gates that cover it and what it takes to use them. */
struct seal_fs {
	const char		*name;
	const char		*module;
	const char		*fallocate;	/* as kallsyms prints it */
	struct seal_gate_set	*set;
	struct seal_gate_set	*tripwires;
	unsigned int		sealed;		/* entries that use it */
	/* with the gates attached, look at the first inode; 0 or -errno */
	int			(*prove)(struct inode *inode, char *reason);
};

extern struct seal_gate_set seal_vfs_gates;
extern struct seal_gate_set seal_xfs_gates;
extern struct seal_gate_set seal_ext4_gates;

extern struct seal_fs seal_filesystems[];
extern const unsigned int seal_nr_filesystems;

/* The supported filesystem of an inode; NULL with @reason filled in. */
struct seal_fs *seal_fs_of(struct inode *inode, char *reason);

/* Arm the gates of a filesystem for one more user; 0 or -errno + reason. */
int seal_fs_get(struct seal_fs *fs, struct inode *inode, char *reason);
void seal_fs_put(struct seal_fs *fs);

/* Can the gates of @fs be placed on this kernel? enum seal_fs_state, -ENOMEM. */
int seal_fs_probe(struct seal_fs *fs, char *reason);
bool seal_fs_attached(struct seal_fs *fs);
unsigned int seal_fs_nr_gates(struct seal_fs *fs);

/* Calls the gates of @fs were not called for. */
unsigned long seal_fs_missed(struct seal_fs *fs);

/* Do probes fire at the moment, and the hook if there is one? */
bool seal_gates_armed(void);

/* The same for the gate that every write passes, tried on no file. */
bool seal_write_gate_armed(void);

/* Address behind the probed instruction of a function; 0 if there is none. */
unsigned long seal_resolve(const char *module, const char *symbol);

/* Wait until every wrapper that was entered before has left; -EINTR if killed. */
int seal_drain_wrappers(void);

int seal_gates_init(void);
void seal_gates_exit(void);

/* --- for the handlers --- */

#define seal_arg(regs, n, type) \
	((type)regs_get_kernel_argument(regs, n))

static inline int seal_redirect(struct pt_regs *regs, void *to)
{
	instruction_pointer_set(regs, (unsigned long)to);
	return 1;
}

/*
 * The original of a wrapped gate: static_call(name)(...), and bind_name() for
 * the gate. The prototype has no body, it only gives the call its type.
 */
#define SEAL_ORIGINAL(name, ret, ...)					\
	ret name(__VA_ARGS__);						\
	DEFINE_STATIC_CALL_RET0(name, name);				\
	static void bind_##name(unsigned long original)			\
	{								\
		static_call_update(name, (typeof(name) *)original);	\
	}

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
