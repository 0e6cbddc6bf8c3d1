// SPDX-License-Identifier: GPL-2.0-only
/* What ftrace calls: finds the gate that a call has come to, and asks its handler. */
#include <linux/ftrace.h>

#include "probes/enter.h"
#include "probes/gate.h"
#include "probes/landing.h"

static __always_inline void enter_site(struct seal_gate_set *set,
				       unsigned long ip,
				       struct ftrace_regs *call, bool land)
{
	unsigned int i;

	for (i = 0; i < set->nr_sites; i++) {
		if (set->sites[i] == ip) {
			set->at_site[i]->enter(set->at_site[i], call);
			if (land)
				seal_land(set->at_site[i], ip, call);
			return;
		}
	}
}

static noinline notrace void enter_and_land(struct seal_gate_set *set,
					    unsigned long ip,
					    struct ftrace_regs *call)
{
	enter_site(set, ip, call, true);
}

void notrace seal_enter_set(unsigned long ip, unsigned long parent,
			    struct ftrace_ops *ops, struct ftrace_regs *call)
{
	struct seal_gate_set *set =
		container_of(ops, struct seal_gate_set, ops.ops);

	if (seal_landings_used())
		enter_and_land(set, ip, call);
	else
		enter_site(set, ip, call, false);
}

/* Send calls that pass the gates of @set to their landings; nothing else. */
static __always_inline void land_set(struct seal_gate_set *set, unsigned long ip,
				     struct ftrace_regs *call)
{
	unsigned int i;

	for (i = 0; i < set->nr_gates; i++) {
		if (set->gates[i].site == ip) {
			seal_land(&set->gates[i], ip, call);
			return;
		}
	}
}

void notrace seal_enter_announced(unsigned long ip, unsigned long parent,
				  struct ftrace_ops *ops,
				  struct ftrace_regs *call)
{
	if (seal_landings_used())
		land_set(container_of(ops, struct seal_gate_set, ops.ops), ip,
			 call);
}

void notrace seal_enter_guard(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *call)
{
	land_set(container_of(ops, struct seal_gate_set, guard.ops), ip, call);
}
