/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gates: functions of the kernel that call a handler of this module first.
 *
 * The caller is ftrace. A handler looks at the arguments of the call and either
 * lets the function run, or sends the call to a function of this module that has
 * the same signature.
 *
 * All gates of a set share one ftrace_ops, and a gate is found by the address
 * that ftrace calls from. A hot gate has an ftrace_ops of its own, because ftrace
 * then makes a trampoline for it that needs no search.
 */
#ifndef SEAL_GATE_H
#define SEAL_GATE_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/static_call.h>
#include <linux/types.h>

#include "base/compat.h"

struct seal_gate;
struct seal_limit;

/* The handler of a gate. It runs with preemption on or off and must not sleep. */
typedef void (*seal_gate_fn)(struct seal_gate *gate, struct ftrace_regs *call);

enum seal_gate_kind {
	/*
	 * The call holds a lock that sealing takes exclusively. The handler
	 * decides, and a call that is refused goes to a function that does
	 * nothing but return the error.
	 */
	SEAL_GATE_REFUSES,
	/*
	 * The call holds no such lock yet. It goes to a wrapper, which decides
	 * and calls the original; sealing waits for those that are inside.
	 */
	SEAL_GATE_WRAPS,
	/* A wrapper that only asks holders to let go; it refuses nothing. */
	SEAL_GATE_WAITS,
	/* The handler only takes note of the call. */
	SEAL_GATE_OBSERVES,
	/* The same, and a call for a sealed inode means that the seal is broken. */
	SEAL_GATE_TRIPWIRE,
	/* A kprobe where allocation begins, behind the gates that refuse. */
	SEAL_GATE_LAST,
} __packed;

struct seal_gate {
	const char		*symbol;
	enum seal_gate_kind	kind;
	bool			core;		/* not in the module of its set */
	bool			optional;	/* the function may be missing */
	bool			skip;		/* debug build: lets everything pass */
	seal_gate_fn		enter;		/* shares the ops of its set, */
	ftrace_func_t		hook;		/* or has its own, @ops, */
	kprobe_pre_handler_t	probe;		/* or is a kprobe, @kp */
	void			(*bind)(unsigned long original);
	unsigned long		site;		/* of the call to ftrace; 0: missing */
	atomic64_t		hits;		/* calls refused, or seals broken */
	union {
		struct ftrace_ops	ops;
		struct kprobe		kp;
	};
};

/* Gates that share an ops: no set has more. */
#define SEAL_SET_MAX	16

struct seal_gate_set {
	const char		*name;
	const char		*module;	/* NULL: the kernel itself */
	struct seal_gate	*gates;
	unsigned int		nr_gates;
	bool			observes;	/* none of them redirects a call */
	bool			kprobes;	/* of the last line */

	/* The rest belongs to gate.c, under its lock. */
	atomic_t		users;		/* more of them: with the lock */
	bool			attached;	/* may be so without users, for a while */
	u64			attach_id;	/* each time another one */
	u64			waited_id;	/* calls older than that have ended */
	bool			resolved;	/* the sites are known ... */
	u64			modules_gone;	/* ... since then */
	unsigned long		idle_since;	/* jiffies, without users */
	struct list_head	list;		/* of those that are attached */
	struct ftrace_ops	ops;
	unsigned int		nr_sites;
	unsigned long		sites[SEAL_SET_MAX];
	struct seal_gate	*at_site[SEAL_SET_MAX];

	/*
	 * Operations of the filesystem that were looked up by name while the set
	 * was attached, or NULL; written and read without a lock (eligible.c).
	 */
	const void		*fallocate;	/* this is gated */
	const void		*dirty_folio;	/* this does not journal data */
};

/*
 * Attach the gates of @set for one more user. 0, or an error with the reason of
 * @limit filled in: -EBUSY, somebody else redirects one of the functions, or it
 * took others longer than @limit to attach or detach theirs; -ENOENT, a function
 * is missing; -EINTR, killed while waiting for another caller; -EIO, an earlier
 * probe could not be removed; -ENOMEM.
 */
int seal_set_get(struct seal_gate_set *set, const struct seal_limit *limit);

/*
 * One user less. A set without users is detached by a worker after the time
 * that the parameter linger_ms gives, so that whoever seals again soon finds it
 * attached. Waits for nobody.
 */
void seal_set_put(struct seal_gate_set *set);

/*
 * Are all functions of @set there? Nothing is attached. @missing gets the number
 * of functions that are not. Errors as above.
 */
int seal_set_resolve(struct seal_gate_set *set, const struct seal_limit *limit,
		     unsigned int *missing);

/* Keep sets from being attached or detached, to look at their gates. */
void seal_sets_lock(void);
void seal_sets_unlock(void);

/* Detaches every set; there is no user left. */
void seal_sets_exit(void);
int seal_sets_init(void);

/* --- for the handlers --- */

/* Argument @n, from 0 to 5, of the call. */
#define seal_arg(call, n, type)						\
	((type)seal_call_argument(call, n))

/* Send the call to @to instead. */
static __always_inline void seal_redirect(struct ftrace_regs *call, void *to)
{
	seal_call_redirect(call, (unsigned long)to);
}

/* The gate that an ops of its own belongs to. */
static __always_inline struct seal_gate *seal_hot_gate(struct ftrace_ops *ops)
{
	return container_of(ops, struct seal_gate, ops);
}

/* Define hook_@fn(), the ftrace function of a hot gate with the handler @fn(). */
#define SEAL_HOOK(fn)							\
static notrace void hook_##fn(unsigned long ip, unsigned long parent,	\
			      struct ftrace_ops *ops,			\
			      struct ftrace_regs *call)			\
{									\
	fn(seal_hot_gate(ops), call);					\
}

/*
 * The original of a wrapped gate: static_call(name)(...), and bind_name() for
 * the gate. The prototype has no body, it only gives the call its type. It is
 * entered behind its call to ftrace, so its gate does not see it. Never through
 * a pointer: many of these functions do not begin with ENDBR.
 */
#define SEAL_ORIGINAL(name, ret, ...)					\
	ret name(__VA_ARGS__);						\
	DEFINE_STATIC_CALL_RET0(name, name);				\
	static void bind_##name(unsigned long original)			\
	{								\
		static_call_update(name, (typeof(name) *)original);	\
	}

#define SEAL_GATE(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_REFUSES, .enter = fn }
#define SEAL_GATE_HOT(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_REFUSES, .hook = hook_##fn }
#define SEAL_GATE_WRAPPED(sym, fn, orig)				\
	{ .symbol = sym, .kind = SEAL_GATE_WRAPS, .enter = fn,		\
	  .bind = bind_##orig }
#define SEAL_GATE_WRAPPED_HOT(sym, fn, orig)				\
	{ .symbol = sym, .kind = SEAL_GATE_WRAPS, .hook = hook_##fn,	\
	  .bind = bind_##orig }
/* Where the function was inlined into its callers nobody is asked. */
#define SEAL_GATE_WAITING(sym, fn, orig)				\
	{ .symbol = sym, .kind = SEAL_GATE_WAITS, .enter = fn,		\
	  .bind = bind_##orig, .optional = true }
#define SEAL_OBSERVER(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_OBSERVES, .enter = fn }
#define SEAL_TRIPWIRE(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_TRIPWIRE, .enter = fn }
/* The compiler may have inlined it into its only caller. */
#define SEAL_TRIPWIRE_OPTIONAL(sym, fn)					\
	{ .symbol = sym, .kind = SEAL_GATE_TRIPWIRE, .enter = fn,	\
	  .optional = true }

#endif /* SEAL_GATE_H */
