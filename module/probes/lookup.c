// SPDX-License-Identifier: GPL-2.0-only
/* Finds the functions of a set in the kernel and in the modules of filesystems. */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>

#include "probes/gate.h"
#include "probes/landing.h"
#include "probes/lookup.h"
#include "probes/refusal.h"
#include "probes/symbol.h"

/* The functions of a set that are looked up together. */
struct lookup {
	struct kprobe	*kps[SEAL_GATES_MAX];
	unsigned int	nr;
};

static int gate_resolve(const struct seal_gate_set *set, struct seal_gate *gate,
			struct lookup *lookup)
{
	int ret;

	/* the gate is not attached, so its kprobe is free */
	ret = seal_symbol_begin(&gate->kp, set->module,
				gate->symbol, &gate->site);
	if (ret == -ENOENT && gate->optional)
		return 0;
	if (ret)
		return ret;
	lookup->kps[lookup->nr++] = &gate->kp;
	/* a wrapper must know its original before the first call reaches it */
	if (gate->bind)
		gate->bind(gate->site + MCOUNT_INSN_SIZE);
	if (!seal_landings_used() || set->observes)
		return 0;
	return seal_landing_bind(&gate->landing,
				 gate->site + MCOUNT_INSN_SIZE);
}

bool seal_set_known(const struct seal_gate_set *set)
{
	/* pairs with the release in seal_set_lookup() */
	return smp_load_acquire(&set->resolved) &&
	       (!set->module ||
		READ_ONCE(set->modules_gone) == seal_modules_gone());
}

/*
 * Look up the functions of all gates of @set. Returns an error after which the rest
 * is not looked for; @first gets the first error, if not all functions are there.
 */
static int gates_resolve(struct seal_gate_set *set, struct lookup *lookup,
			 int *first, char *reason)
{
	unsigned int i, found = 0;
	int ret;

	for (i = 0; i < set->nr_gates; i++) {
		struct seal_gate *gate = &set->gates[i];

		ret = gate_resolve(set, gate, lookup);
		if (ret) {
			if (!*first)
				*first = seal_refusal_explain(set, gate, ret,
							      reason);
			/* go on: if none is found, the module is not there */
			if (ret != -ENOENT)
				return ret;
			continue;
		}
		found += !!gate->site;
		/* the rest is for gates that share the ops of the set */
		if (!gate->site || gate->hook)
			continue;
		if (WARN_ON_ONCE(set->nr_sites == SEAL_SET_MAX))
			return -E2BIG;
		set->sites[set->nr_sites] = gate->site;
		set->at_site[set->nr_sites++] = gate;
	}
	WRITE_ONCE(set->nr_found, found);
	return 0;
}

int seal_set_lookup(struct seal_gate_set *set, char *reason)
{
	u64 gone = seal_modules_gone();
	struct lookup lookup = { };
	int ret, first = 0;

	if (seal_set_known(set))
		return 0;
	if (WARN_ON_ONCE(set->nr_gates > SEAL_GATES_MAX))
		return -E2BIG;
	WRITE_ONCE(set->resolved, false);
	set->nr_sites = 0;
	ret = gates_resolve(set, &lookup, &first, reason);
	seal_symbols_end(lookup.kps, lookup.nr);
	if (ret)
		return ret;
	WRITE_ONCE(set->modules_gone, gone);
	/* pairs with the acquire in seal_set_known() */
	smp_store_release(&set->resolved, !first);
	return first;
}
