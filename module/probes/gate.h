/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gates: functions of the kernel that call a handler of this module first.
 *
 * ftrace calls the handler. The handler looks at the arguments of the call and
 * either lets the function run, or sends the call to a function of this module
 * that has the same signature.
 *
 * All gates of a set share one ftrace_ops, and a gate is found by the address
 * that ftrace is called from. A hot gate has an ftrace_ops of its own, because
 * ftrace then makes a trampoline for it alone, and nothing has to be searched.
 */
#ifndef SEAL_GATE_H
#define SEAL_GATE_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/types.h>

#include "base/compat.h"
#include "base/debug.h"
#include "probes/landing.h"
#include "probes/ops.h"

struct seal_gate;

/* The handler of a gate. It may run with preemption off and must not sleep. */
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
	/* An observer; a call for a sealed inode means a broken seal. */
	SEAL_GATE_TRIPWIRE,
	/* A kprobe where allocation begins, behind the gates that refuse. */
	SEAL_GATE_LAST,
} __packed;

struct seal_gate {
	const char		*symbol;	/* the gated function */
	enum seal_gate_kind	kind;
	bool			optional;	/* may be missing */
	bool			skip;		/* debug: lets all pass */
	/* one of the three: */
	seal_gate_fn		enter;		/* shares the ops of the set */
	ftrace_func_t		hook;		/* hot: has its own @ops */
	kprobe_pre_handler_t	probe;		/* a kprobe, @kp */
	/* the function ends in a jump to this one, which stacks show instead */
	const char		*tail;
	/* tells a wrapper where its original goes on behind the ftrace call */
	void			(*bind)(unsigned long original);
	/* address of its call to ftrace; 0: the function is missing */
	unsigned long		site;
	unsigned long		landing;	/* 0: it has none, landing.h */
	atomic64_t		hits;		/* refused, or broken seals */
	struct seal_ops		ops;		/* of a hot gate */
	struct kprobe		kp;		/* finds the function; see @probe */
};

/* No set has more gates than this that share an ops, */
#define SEAL_SET_MAX	16
/* nor more than this in all. */
#define SEAL_GATES_MAX	(2 * SEAL_SET_MAX)

struct seal_gate_set {
	const char		*name;
	const char		*module;	/* NULL: the kernel itself */
	struct seal_gate	*gates;
	unsigned int		nr_gates;
	bool			observes;	/* its gates redirect nothing */
	bool			kprobes;	/* its gates are kprobes */

	/* The rest belongs to set.c and what it calls, under sets_lock. */
	/* from 0 to 1 under the lock only; without it while it is not 0 */
	atomic_t		users;
	bool			attached;	/* lingers without users */
	bool			leaving;	/* its ops may not be free yet */
	bool			watched;	/* trampoline.c is attached for it */
	u64			attach_id;	/* new at each attach */
	/* calls older than the attach with this number have ended */
	u64			waited_id;
	/* the sites are known, and right for this seal_modules_gone() */
	bool			resolved;
	u64			modules_gone;
	unsigned long		idle_since;	/* jiffies, without users */
	struct list_head	list;		/* attached, or leaving */
	struct seal_ops		ops;		/* shared by the gates */
	struct seal_ops		guard;		/* guard.c */
	bool			missed;		/* while it leaves: trampoline.c */
	u64			sharing;	/* the same */
	unsigned int		nr_found;	/* functions in its module */
	unsigned int		nr_sites;
	unsigned long		sites[SEAL_SET_MAX];
	struct seal_gate	*at_site[SEAL_SET_MAX];

	/*
	 * Addresses of operations of the filesystem, which eligible.c looks up
	 * by name and keeps while the set is attached; NULL: not looked up yet.
	 * They are written and read without a lock.
	 */
	const void		*fallocate;	/* the one that has a gate */
	const void		*dirty_folio;	/* one that journals nothing */
};

/* --- for the handlers --- */

/* Argument @n, from 0 to 5, of the call. */
#define seal_arg(call, n, type)						\
	((type)seal_call_argument(call, n))

/* Send the call to @to instead. */
static __always_inline void seal_redirect(struct ftrace_regs *call, void *to)
{
	seal_call_redirect(call, (unsigned long)to);
}

/*
 * Send the call to the wrapper @to, with a reference to the module, because the
 * wrapper may sleep for any time: rmmod says EBUSY instead of waiting for it.
 * Once rmmod has begun there is no reference to be had, and the call is let
 * alone: no file is sealed any more, and rmmod must not wait for calls that
 * come all the time.
 */
static __always_inline void seal_wrap(struct ftrace_regs *call, void *to)
{
	/*
	 * As try_module_get(), without the call and its trace point. Once rmmod has
	 * begun, there is no reference left.
	 */
#ifdef CONFIG_MODULE_UNLOAD
	if (unlikely(!atomic_inc_not_zero(&THIS_MODULE->refcnt)))
		return;
#endif
	seal_redirect(call, to);
}

/* The last thing that each wrapper does, however it ends. */
static __always_inline void seal_unwrap(void)
{
#ifdef CONFIG_MODULE_UNLOAD
	atomic_dec(&THIS_MODULE->refcnt);
#endif
}

/*
 * The handler of @gate, which is on the call to ftrace at @site, has decided.
 * If the call passes, send it to the landing. If somebody else has redirected
 * it already, leave that as it is.
 */
static __always_inline void seal_land(const struct seal_gate *gate,
				      unsigned long site,
				      struct ftrace_regs *call)
{
	if (!gate->landing)
		return;
	if (seal_call_target(call) == site + MCOUNT_INSN_SIZE &&
	    !seal_step_skipped(SEAL_STEP_LANDINGS))
		seal_call_redirect(call, gate->landing);
	seal_landing_check(gate->symbol, seal_call_target(call));
}

/* The hot gate that @ops belongs to. */
static __always_inline struct seal_gate *seal_hot_gate(struct ftrace_ops *ops)
{
	return container_of(ops, struct seal_gate, ops.ops);
}

/*
 * Define hook_@fn(), the ftrace callback of a hot gate with handler @fn(). What
 * landings need is apart, so that without them it costs one no-op.
 */
#define SEAL_HOOK(fn)							\
static noinline notrace void land_##fn(unsigned long ip,		\
				       struct seal_gate *gate,		\
				       struct ftrace_regs *call)	\
{									\
	fn(gate, call);							\
	seal_land(gate, ip, call);					\
}									\
									\
static notrace void hook_##fn(unsigned long ip, unsigned long parent,	\
			      struct ftrace_ops *ops,			\
			      struct ftrace_regs *call)			\
{									\
	if (seal_landings_used())					\
		land_##fn(ip, seal_hot_gate(ops), call);		\
	else								\
		fn(seal_hot_gate(ops), call);				\
}

/*
 * The original of a wrapped function. A wrapper calls static_call(name)(...),
 * and the engine calls bind_name() with the address. The prototype has no body;
 * it only gives the call its type. The original is entered behind its call to
 * ftrace, so its gate does not see the call. It must not be called through a
 * pointer, because many of these functions do not begin with ENDBR.
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
/* The function may end in a jump to @to, which then stands on the stack. */
#define SEAL_GATE_WRAPPED_TAIL(sym, fn, orig, to)			\
	{ .symbol = sym, .kind = SEAL_GATE_WRAPS, .enter = fn,		\
	  .bind = bind_##orig, .tail = to }
/* If the function was inlined into its callers, there is no gate to wait in. */
#define SEAL_GATE_WAITING(sym, fn, orig)				\
	{ .symbol = sym, .kind = SEAL_GATE_WAITS, .enter = fn,		\
	  .bind = bind_##orig, .optional = true }
#define SEAL_OBSERVER(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_OBSERVES, .enter = fn }
/* Where the kernel has no such function there is nothing to take note of. */
#define SEAL_OBSERVER_OPTIONAL(sym, fn)					\
	{ .symbol = sym, .kind = SEAL_GATE_OBSERVES, .enter = fn,	\
	  .optional = true }
#define SEAL_TRIPWIRE(sym, fn)						\
	{ .symbol = sym, .kind = SEAL_GATE_TRIPWIRE, .enter = fn }
/* A tripwire on a function that may have been inlined into its caller. */
#define SEAL_TRIPWIRE_OPTIONAL(sym, fn)					\
	{ .symbol = sym, .kind = SEAL_GATE_TRIPWIRE, .enter = fn,	\
	  .optional = true }

#endif /* SEAL_GATE_H */
