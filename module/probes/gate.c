// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probe engine: arms and disarms the gate sets. Gates in the path of every
 * write are not kprobes where the kernel offers something cheaper (hook.c).
 *
 * Every probe has a post_handler. It does nothing, but with it kprobes
 * registers the ftrace hook as one that may change the instruction pointer
 * (IPMODIFY), so that a live patch or a BPF trampoline on the same function
 * is refused instead of silently bypassing the gate. A tripwire changes nothing
 * and has none.
 */
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "base/compat.h"
#include "probes/gate.h"
#include "probes/hook.h"
#include "probes/probe.h"
#include "uapi/seal.h"

DEFINE_MUTEX(seal_gates_lock);		/* see gate.h */

/*
 * A function nobody else calls, probed while any set is attached: if the
 * probe does not fire, no gate does.
 */
static unsigned long canary_hits;

static noinline void canary(void)
{
	/* not removed, not merged with another empty function */
	asm volatile("");
}

static int enter_canary(struct kprobe *kp, struct pt_regs *regs)
{
	WRITE_ONCE(canary_hits, canary_hits + 1);
	return 0;
}

static void gate_after(struct kprobe *kp, struct pt_regs *regs,
		       unsigned long flags)
{
}

static struct seal_gate canary_gate = SEAL_GATE("canary", enter_canary);

static struct seal_gate_set canary_set = {
	.name		= "canary",
	.module		= KBUILD_MODNAME,
	.gates		= &canary_gate,
	.nr_gates	= 1,
};

static DEFINE_MUTEX(canary_lock);

bool seal_gates_armed(struct seal_fs *fs)
{
	unsigned long before;
	bool armed;

	mutex_lock(&canary_lock);
	before = READ_ONCE(canary_hits);
	canary();
	armed = READ_ONCE(canary_hits) != before && fs->common->armed();
	mutex_unlock(&canary_lock);
	return armed;
}

static void gate_target(const struct seal_gate_set *set,
			const struct seal_gate *gate, char *buf, size_t size)
{
	const char *module = gate->core ? NULL : set->module;

	snprintf(buf, size, "%s%s%s", module ?: "", module ? ":" : "",
		 gate->symbol);
}

/*
 * The kprobe found the function, and is what is left if the hook cannot be
 * attached. Without memory there will be no kprobe either.
 */
static int gate_arm(struct seal_gate *gate)
{
	int ret;

	if (gate->hook && seal_hooks_wanted()) {
		ret = seal_hook_attach(&gate->ops, gate->hook,
				       (unsigned long)gate->kp.addr);
		gate->hooked = !ret;
		if (!ret || ret == -ENOMEM)
			return ret;
	}
	return enable_kprobe(&gate->kp);
}

static int gate_register(struct seal_gate_set *set, struct seal_gate *gate,
			 bool arm)
{
	int ret;

	/* its own probe may be the one that is still in the kernel's table */
	if (seal_probes_stuck())
		return -EIO;
	gate_target(set, gate, gate->target, sizeof(gate->target));
	memset(&gate->kp, 0, sizeof(gate->kp));
	gate->kp.symbol_name = gate->target;
	gate->kp.pre_handler = gate->handler;
	if (!gate->watch)
		gate->kp.post_handler = gate_after;
	gate->kp.flags = KPROBE_FLAG_DISABLED;

	ret = register_kprobe(&gate->kp);
	if (ret)
		return ret;
	/* a breakpoint would not be at the fentry call the wrappers skip */
	if (!kprobe_ftrace(&gate->kp)) {
		ret = -EOPNOTSUPP;
	} else if (arm) {
		/* a wrapper must know where to go before a call reaches it */
		if (gate->bind)
			gate->bind((unsigned long)gate->kp.addr +
				   MCOUNT_INSN_SIZE);
		ret = gate_arm(gate);
	}
	if (ret)
		unregister_kprobe(&gate->kp);
	return ret;
}

static void set_unregister(struct seal_gate_set *set, unsigned int nr)
{
	struct kprobe *probes[SEAL_MAX_PROBES];
	unsigned int i, present = 0;

	if (WARN_ON_ONCE(nr > ARRAY_SIZE(probes)))
		nr = ARRAY_SIZE(probes);
	for (i = 0; i < nr; i++) {
		if (set->gates[i].hooked)
			set->gates[i].hooked =
				!seal_hook_detach(&set->gates[i].ops);
		if (!set->gates[i].absent)
			probes[present++] = &set->gates[i].kp;
	}
	seal_probes_remove(probes, present);
}

/* @missing counts the gates whose function does not exist. */
static int set_register(struct seal_gate_set *set, bool arm, char *reason,
			unsigned int *missing)
{
	unsigned int i;
	int ret, first = 0;

	*missing = 0;
	for (i = 0; i < set->nr_gates; i++) {
		ret = gate_register(set, &set->gates[i], arm);
		set->gates[i].absent = ret == -ENOENT && set->gates[i].optional;
		if (!ret || set->gates[i].absent)
			continue;
		if (!first) {
			first = ret;
			if (seal_probes_stuck())
				strscpy(reason, "an earlier probe could not be removed, reboot",
					SEAL_REASON_LEN);
			else
				snprintf(reason, SEAL_REASON_LEN,
					 "no gate on %s (error %d)",
					 set->gates[i].target, ret);
		}
		set_unregister(set, i);
		if (ret != -ENOENT)
			return ret;
		/* go on from the next: all missing means not loaded */
		for (; i < set->nr_gates; i++) {
			if (set->gates[i].core ||
			    !seal_resolve(set->module, set->gates[i].symbol))
				(*missing)++;
		}
		return first;
	}
	return 0;
}

static int set_get(struct seal_gate_set *set, char *reason)
{
	unsigned int missing;
	int ret;

	if (set->users) {
		set->users++;
		return 0;
	}
	ret = set_register(set, true, reason, &missing);
	if (!ret)
		set->users = 1;
	return ret;
}

static void set_put(struct seal_gate_set *set)
{
	if (--set->users)
		return;
	WRITE_ONCE(set->fallocate, NULL);
	WRITE_ONCE(set->dirty_folio, NULL);
	set_unregister(set, set->nr_gates);
}

static bool kernel_supported(char *reason)
{
	if (!IS_ENABLED(CONFIG_X86_64)) {
		strscpy(reason, "only x86-64 kernels are supported",
			SEAL_REASON_LEN);
		return false;
	}
	if (!IS_ENABLED(CONFIG_KPROBES_ON_FTRACE) ||
	    !IS_ENABLED(CONFIG_HAVE_STATIC_CALL_INLINE)) {
		strscpy(reason, "the kernel lacks ftrace-based kprobes or static calls",
			SEAL_REASON_LEN);
		return false;
	}
	if (IS_ENABLED(CONFIG_LTO)) {
		strscpy(reason, "the kernel is built with LTO: gates may be inlined",
			SEAL_REASON_LEN);
		return false;
	}
	if (!SEAL_SERIES_REVIEWED) {
		strscpy(reason, "kernel series not reviewed (6.1, 6.12, 6.18, 7.2, 7.3 are)",
			SEAL_REASON_LEN);
		return false;
	}
	return true;
}

int seal_fs_get(struct seal_fs *fs, struct inode *inode, char *reason)
{
	int ret;

	if (!kernel_supported(reason))
		return -EOPNOTSUPP;

	mutex_lock(&seal_gates_lock);
	ret = set_get(&canary_set, reason);
	if (ret)
		goto out;
	ret = set_get(fs->common, reason);
	if (ret)
		goto out_canary;
	if (!fs->set->users && fs->prove) {
		ret = fs->prove(inode, reason);
		if (ret)
			goto out_vfs;
	}
	/* first, so that nothing passes a gate and goes unseen */
	ret = set_get(fs->tripwires, reason);
	if (ret)
		goto out_vfs;
	ret = set_get(fs->set, reason);
	if (ret)
		goto out_tripwires;
	if (!seal_gates_armed(fs)) {
		strscpy(reason, "kprobes (debugfs kprobes/enabled) or ftrace (sysctl) are off",
			SEAL_REASON_LEN);
		ret = -EOPNOTSUPP;
		goto out_set;
	}
	fs->sealed++;
	mutex_unlock(&seal_gates_lock);
	return 0;

out_set:
	set_put(fs->set);
out_tripwires:
	set_put(fs->tripwires);
out_vfs:
	set_put(fs->common);
out_canary:
	set_put(&canary_set);
out:
	mutex_unlock(&seal_gates_lock);
	return ret == -ENOMEM || ret == -EIO ? ret : -EOPNOTSUPP;
}

void seal_fs_put(struct seal_fs *fs)
{
	mutex_lock(&seal_gates_lock);
	fs->sealed--;
	set_put(fs->set);
	set_put(fs->tripwires);
	set_put(fs->common);
	set_put(&canary_set);
	mutex_unlock(&seal_gates_lock);
}

bool seal_fs_attached(struct seal_fs *fs)
{
	return READ_ONCE(fs->set->users) != 0;
}

unsigned int seal_fs_nr_gates(struct seal_fs *fs)
{
	return fs->set->nr_gates + fs->common->nr_gates;
}

static int set_probe(struct seal_gate_set *set, char *reason,
		     unsigned int *missing)
{
	int ret;

	*missing = 0;
	if (set->users)
		return 0;
	ret = set_register(set, false, reason, missing);
	if (!ret)
		set_unregister(set, set->nr_gates);
	return ret;
}

int seal_fs_probe(struct seal_fs *fs, char *reason)
{
	unsigned int missing;
	int ret, state = SEAL_FS_SUPPORTED;

	reason[0] = '\0';
	if (!kernel_supported(reason))
		return SEAL_FS_UNSUPPORTED;

	mutex_lock(&seal_gates_lock);
	missing = 0;
	ret = set_probe(fs->common, reason, &missing);
	if (!ret) {
		ret = set_probe(fs->set, reason, &missing);
		if (ret && missing == fs->set->nr_gates) {
			state = SEAL_FS_NOT_LOADED;
			snprintf(reason, SEAL_REASON_LEN,
				 "module %s is not loaded", fs->module);
		}
	}
	if (!ret)
		ret = set_probe(fs->tripwires, reason, &missing);
	mutex_unlock(&seal_gates_lock);
	/* what a lack of memory keeps from being known is not unsupported */
	if (ret == -ENOMEM)
		return ret;
	if (ret && state == SEAL_FS_SUPPORTED)
		state = SEAL_FS_UNSUPPORTED;
	return state;
}

static unsigned long set_missed(const struct seal_gate_set *set)
{
	unsigned long missed = 0;
	unsigned int i;

	for (i = 0; i < set->nr_gates; i++)
		missed += set->gates[i].kp.nmissed;
	return missed;
}

unsigned long seal_fs_missed(struct seal_fs *fs)
{
	return set_missed(fs->set) + set_missed(fs->common) +
	       set_missed(fs->tripwires);
}
