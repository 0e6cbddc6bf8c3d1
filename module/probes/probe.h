/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a probe handler works with, finding functions, and removing probes so
 * that nothing of them is left behind.
 */
#ifndef SEAL_PROBE_H
#define SEAL_PROBE_H

#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/static_call.h>
#include <linux/types.h>

/* Probes that can be removed in one step. */
#define SEAL_MAX_PROBES		16

/* Unregister armed probes; they may live in memory that is used again. */
void seal_probes_remove(struct kprobe **probes, unsigned int nr);

static inline void seal_probe_remove(struct kprobe *probe)
{
	seal_probes_remove(&probe, 1);
}

/* One cannot be removed, its memory and code must stay for ever. */
void seal_probes_give_up(void);

/* Could a probe not be removed? Then no other may be placed any more. */
bool seal_probes_stuck(void);

/* Address behind the probed instruction of a function; 0 if there is none. */
unsigned long seal_resolve(const char *module, const char *symbol);

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

#endif /* SEAL_PROBE_H */
