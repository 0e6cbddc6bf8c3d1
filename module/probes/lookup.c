// SPDX-License-Identifier: GPL-2.0-only
/* Finds the functions of a set in the kernel and in the modules of filesystems. */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "probes/gate.h"
#include "probes/landing.h"
#include "probes/lookup.h"
#include "probes/refusal.h"
#include "probes/symbol.h"

/*
 * The functions that are looked up together. Whoever gives up a kprobe waits for RCU,
 * and does so once for all of them.
 */
struct lookup {
	struct kprobe	**kps;
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

/* Look up the functions of one set. Returns as seal_set_lookup() does. */
static int set_resolve(struct seal_gate_set *set, struct lookup *lookup,
		       char *reason)
{
	u64 gone = seal_modules_gone();
	int ret, first = 0;

	WRITE_ONCE(set->resolved, false);
	set->nr_sites = 0;
	ret = gates_resolve(set, lookup, &first, reason);
	if (ret)
		return ret;
	WRITE_ONCE(set->modules_gone, gone);
	/* pairs with the acquire in seal_set_known() */
	smp_store_release(&set->resolved, !first);
	return first;
}

/* Is @set to be looked up, and can it be at this moment? */
static bool is_wanted(const struct seal_gate_set *set)
{
	return !set->attached && !set->leaving && !seal_set_known(set);
}

int seal_sets_lookup(struct seal_gate_set *const *sets, unsigned int nr,
		     char *reason)
{
	struct lookup lookup = { };
	unsigned int i, gates = 0;
	int ret = 0;

	for (i = 0; i < nr; i++)
		gates += is_wanted(sets[i]) ? sets[i]->nr_gates : 0;
	/* a set has no gates on some kernels, and is known all the same */
	lookup.kps = kmalloc_array(gates, sizeof(*lookup.kps), GFP_KERNEL);
	if (!lookup.kps)
		return -ENOMEM;
	for (i = 0; i < nr && !ret; i++)
		if (is_wanted(sets[i]))
			ret = set_resolve(sets[i], &lookup, reason);
	seal_symbols_end(lookup.kps, lookup.nr);
	kfree(lookup.kps);
	return ret;
}

int seal_set_lookup(struct seal_gate_set *set, char *reason)
{
	int ret = seal_sets_lookup(&set, 1, reason);

	/* the caller has seen to it that it can be looked up; see set_lock() */
	return ret || seal_set_known(set) ? ret : -EBUSY;
}
