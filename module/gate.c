// SPDX-License-Identifier: GPL-2.0-only
/*
 * The probe engine: arms and disarms the gate sets and runs their decisions.
 * Those in the path of every write are not kprobes where the kernel offers
 * something cheaper (hook.c).
 *
 * Every probe has a post_handler. It does nothing, but with it kprobes
 * registers the ftrace hook as one that may change the instruction pointer
 * (IPMODIFY), so that a live patch or a BPF trampoline on the same function
 * is refused instead of silently bypassing the gate. A tripwire changes nothing
 * and has none.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "claim.h"
#include "compat.h"
#include "debug.h"
#include "eligible.h"
#include "events.h"
#include "gate.h"
#include "hook.h"
#include "mode.h"
#include "probe.h"
#include "recall.h"
#include "trace.h"
#include "tripwire.h"
#include "xfs_inode.h"

DEFINE_STATIC_SRCU(wrappers_srcu);

/* Protects users counts and the probes. */
static DEFINE_MUTEX(gates_lock);

struct seal_fs seal_filesystems[] = {
	{ .name = "xfs",  .module = "xfs",  .set = &seal_xfs_gates,
	  .tripwires = &seal_xfs_tripwires,
	  .fallocate = "xfs_file_fallocate [xfs]", .prove = seal_xfs_measure },
	{ .name = "ext4", .module = "ext4", .set = &seal_ext4_gates,
	  .tripwires = &seal_ext4_tripwires,
	  .fallocate = "ext4_fallocate [ext4]" },
	/* served by the ext4 module, with and without extents */
	{ .name = "ext3", .module = "ext4", .set = &seal_ext4_gates,
	  .tripwires = &seal_ext4_tripwires,
	  .fallocate = "ext4_fallocate [ext4]" },
	{ .name = "ext2", .module = "ext4", .set = &seal_ext4_gates,
	  .tripwires = &seal_ext4_tripwires,
	  .fallocate = "ext4_fallocate [ext4]" },
};

const unsigned int seal_nr_filesystems = ARRAY_SIZE(seal_filesystems);

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

static int enter_nothing(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static struct seal_gate canary_gate = SEAL_GATE("canary", enter_canary);

static struct seal_gate_set canary_set = {
	.name		= "canary",
	.module		= KBUILD_MODNAME,
	.gates		= &canary_gate,
	.nr_gates	= 1,
};

static DEFINE_MUTEX(canary_lock);

bool seal_gates_armed(void)
{
	unsigned long before;
	bool armed;

	mutex_lock(&canary_lock);
	before = READ_ONCE(canary_hits);
	canary();
	armed = READ_ONCE(canary_hits) != before && seal_write_gate_armed();
	mutex_unlock(&canary_lock);
	return armed;
}

long seal_return_busy(void)
{
	return -ETXTBSY;
}

long seal_return_zero(void)
{
	return 0;
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

	if (seal_hook_wanted(gate)) {
		ret = seal_hook_attach(gate, (unsigned long)gate->kp.addr);
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
			seal_hook_detach(&set->gates[i]);
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
	seal_eligible_forget(set);
	set_unregister(set, set->nr_gates);
}

unsigned long seal_resolve(const char *module, const char *symbol)
{
	unsigned long addr;
	char target[72];
	struct kprobe kp = {
		.symbol_name	= target,
		.pre_handler	= enter_nothing,
		.flags		= KPROBE_FLAG_DISABLED,
	};

	snprintf(target, sizeof(target), "%s%s%s", module ?: "",
		 module ? ":" : "", symbol);
	if (register_kprobe(&kp))
		return 0;
	/*
	 * Skip the call to ftrace at the entry: the code behind it is the
	 * whole function, and the probe does not see the call again.
	 */
	addr = kprobe_ftrace(&kp) ? (unsigned long)kp.addr + MCOUNT_INSN_SIZE : 0;
	unregister_kprobe(&kp);
	return addr;
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

struct seal_fs *seal_fs_of(struct inode *inode, char *reason)
{
	struct file_system_type *type = inode->i_sb->s_type;
	unsigned int i;

	for (i = 0; i < seal_nr_filesystems; i++) {
		struct seal_fs *fs = &seal_filesystems[i];

		if (strcmp(type->name, fs->name))
			continue;
		/* another module can serve the same name, as ext2 did */
		if (!type->owner || strcmp(module_name(type->owner), fs->module)) {
			snprintf(reason, SEAL_REASON_LEN,
				 "%s is not served by the module %s here",
				 fs->name, fs->module);
			return NULL;
		}
		return fs;
	}
	snprintf(reason, SEAL_REASON_LEN, "no gates for filesystem %s%s",
		 type->name, strcmp(type->name, "overlay") ? "" :
		 ": open the file on its upper layer");
	return NULL;
}

int seal_fs_get(struct seal_fs *fs, struct inode *inode, char *reason)
{
	int ret;

	if (!kernel_supported(reason))
		return -EOPNOTSUPP;

	mutex_lock(&gates_lock);
	ret = set_get(&canary_set, reason);
	if (ret)
		goto out;
	ret = set_get(&seal_vfs_gates, reason);
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
	if (!seal_gates_armed()) {
		strscpy(reason, "kprobes (debugfs kprobes/enabled) or ftrace (sysctl) are off",
			SEAL_REASON_LEN);
		ret = -EOPNOTSUPP;
		goto out_set;
	}
	if (!fs->sealed++)
		seal_eligible_learn(fs, inode);
	mutex_unlock(&gates_lock);
	return 0;

out_set:
	set_put(fs->set);
out_tripwires:
	set_put(fs->tripwires);
out_vfs:
	set_put(&seal_vfs_gates);
out_canary:
	set_put(&canary_set);
out:
	mutex_unlock(&gates_lock);
	return ret == -ENOMEM || ret == -EIO ? ret : -EOPNOTSUPP;
}

void seal_fs_put(struct seal_fs *fs)
{
	mutex_lock(&gates_lock);
	fs->sealed--;
	set_put(fs->set);
	set_put(fs->tripwires);
	set_put(&seal_vfs_gates);
	set_put(&canary_set);
	mutex_unlock(&gates_lock);
}

bool seal_fs_attached(struct seal_fs *fs)
{
	return READ_ONCE(fs->set->users) != 0;
}

unsigned int seal_fs_nr_gates(struct seal_fs *fs)
{
	return fs->set->nr_gates + seal_vfs_gates.nr_gates;
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

	mutex_lock(&gates_lock);
	missing = 0;
	ret = set_probe(&seal_vfs_gates, reason, &missing);
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
	mutex_unlock(&gates_lock);
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
	return set_missed(fs->set) + set_missed(&seal_vfs_gates) +
	       set_missed(fs->tripwires);
}

/* --- decisions --- */

static struct seal_gate *gate_of(struct kprobe *kp)
{
	return container_of(kp, struct seal_gate, kp);
}

static bool refuse(struct seal_gate *gate, struct seal_entry *entry, u64 start,
		   u64 end)
{
	if (IS_ENABLED(CONFIG_SEAL_DEBUG) && READ_ONCE(gate->skip))
		return false;
	atomic64_inc(&gate->hits);
	atomic64_inc(&entry->refused);
	trace_seal_refused(entry->inode, gate->symbol, start, end);
	seal_event_refused(entry, gate->symbol, start, end);
	if (!seal_is_log_only())
		return true;
	seal_tell_passed(entry->inode, gate->symbol);
	return false;
}

static bool in_place(const struct seal_entry *entry, u64 start, u64 end)
{
	return seal_ranges_cover(&rcu_dereference(entry->table)->ranges, start,
				 end);
}

bool seal_gate_refuses(struct kprobe *kp, struct inode *inode, u64 start,
		       u64 end)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/* when the gates are shut there may be another table */
	if (entry && !in_place(entry, start, end) && !seal_gates_pass(entry) &&
	    !in_place(entry, start, end))
		refused = refuse(gate_of(kp), entry, start, end);
	rcu_read_unlock();
	return refused;
}

bool seal_gate_refuses_any(struct kprobe *kp, struct inode *inode)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	if (entry && !seal_gates_pass(entry))
		refused = refuse(gate_of(kp), entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

/* Nothing of the file is shared, and it has to stay so. */
static bool stays_unshared(const struct seal_entry *entry)
{
	const struct seal_change *change = seal_entry_change(entry);

	return change && READ_ONCE(change->unshared);
}

bool seal_gate_refuses_sharing(struct kprobe *kp, struct inode *inode)
{
	struct seal_entry *entry;
	bool refused = false;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/*
	 * An inode from which one block was shared gets all its writes
	 * redirected; harmless only if none was overwritten in place before.
	 * Until the file is sealed that may not be known yet. What is granted
	 * is overwritten by others.
	 */
	if (entry && !seal_gates_pass(entry) &&
	    (entry->state == SEAL_ENTRY_SEALING ||
	     stays_unshared(entry) ||
	     !seal_ranges_empty(&rcu_dereference(entry->table)->ranges)))
		refused = refuse(gate_of(kp), entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

bool seal_gate_refuses_sb(struct kprobe *kp, struct super_block *sb)
{
	struct seal_gate *gate = gate_of(kp);

	if (IS_ENABLED(CONFIG_SEAL_DEBUG) && READ_ONCE(gate->skip))
		return false;
	if (!seal_any_on(sb))
		return false;
	atomic64_inc(&gate->hits);
	if (!seal_is_log_only())
		return true;
	seal_tell_passed(d_inode(sb->s_root), gate->symbol);
	return false;
}

int seal_wrapper_enter(void)
	__acquires(&wrappers_srcu)
{
	return srcu_read_lock(&wrappers_srcu);
}

void seal_wrapper_leave(int cookie)
	__releases(&wrappers_srcu)
{
	srcu_read_unlock(&wrappers_srcu, cookie);
}

struct drain {
	struct rcu_head		rcu;
	struct completion	done;
	refcount_t		users;
};

static void drain_put(struct drain *drain)
{
	if (refcount_dec_and_test(&drain->users))
		kfree(drain);
}

static void drain_done(struct rcu_head *rcu)
{
	struct drain *drain = container_of(rcu, struct drain, rcu);

	complete(&drain->done);
	drain_put(drain);
}

/* A wrapper may sit in a long fallocate: stay killable. */
int seal_drain_wrappers(void)
{
	struct drain *drain;
	int ret;

	if (seal_step_skipped(SEAL_STEP_WRAPPERS))
		return 0;
	drain = kmalloc(sizeof(*drain), GFP_KERNEL);
	if (!drain)
		return -ENOMEM;
	init_completion(&drain->done);
	refcount_set(&drain->users, 2);
	call_srcu(&wrappers_srcu, &drain->rcu, drain_done);
	ret = wait_for_completion_killable(&drain->done);
	drain_put(drain);
	return ret ? -EINTR : 0;
}

/* --- debugfs, and the switch of the debug build --- */

static struct seal_gate_set *const all_sets[] = {
	&seal_vfs_gates, &seal_xfs_gates, &seal_ext4_gates,
};

static struct seal_gate_set *const all_tripwires[] = {
	&seal_xfs_tripwires, &seal_ext4_tripwires,
};

static void sets_show(struct seq_file *m, struct seal_gate_set *const *sets,
		      unsigned int nr)
{
	unsigned int i, j;

	mutex_lock(&gates_lock);
	for (i = 0; i < nr; i++) {
		struct seal_gate_set *set = sets[i];

		if (!set->users)
			continue;
		for (j = 0; j < set->nr_gates; j++)
			if (!set->gates[j].absent && !set->gates[j].counts &&
			    !set->gates[j].waits)
				seq_printf(m, "%s %s %lld %lu %s\n", set->name,
					   set->gates[j].symbol,
					   atomic64_read(&set->gates[j].hits),
					   set->gates[j].kp.nmissed,
					   set->gates[j].hooked ? "ftrace" :
								  "kprobe");
	}
	mutex_unlock(&gates_lock);
}

static int gates_show(struct seq_file *m, void *v)
{
	sets_show(m, all_sets, ARRAY_SIZE(all_sets));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gates);

static int tripwires_show(struct seq_file *m, void *v)
{
	sets_show(m, all_tripwires, ARRAY_SIZE(all_tripwires));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tripwires);

static struct dentry *debug_dir;

#ifdef CONFIG_SEAL_DEBUG
static char skip_name[64];

static int skip_set(const char *val, const struct kernel_param *kp)
{
	unsigned int i, j;
	bool found = false;
	char name[64];

	strscpy(name, val, sizeof(name));
	strim(name);
	mutex_lock(&gates_lock);
	for (i = 0; i < ARRAY_SIZE(all_sets); i++) {
		for (j = 0; j < all_sets[i]->nr_gates; j++) {
			struct seal_gate *gate = &all_sets[i]->gates[j];
			bool skip = !strcmp(gate->symbol, name);

			WRITE_ONCE(gate->skip, skip);
			found |= skip;
		}
	}
	strscpy(skip_name, found ? name : "", sizeof(skip_name));
	mutex_unlock(&gates_lock);
	return found || !name[0] ? 0 : -ENOENT;
}

static int skip_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", skip_name);
}

static const struct kernel_param_ops skip_ops = {
	.set	= skip_set,
	.get	= skip_get,
};
module_param_cb(skip_gate, &skip_ops, NULL, 0600);
MODULE_PARM_DESC(skip_gate, "debug build: name of a gate that lets everything pass");
#endif

int seal_gates_init(void)
{
	debug_dir = debugfs_create_dir("seal", NULL);
	debugfs_create_file("gates", 0400, debug_dir, NULL, &gates_fops);
	debugfs_create_file("tripwires", 0400, debug_dir, NULL,
			    &tripwires_fops);
	return 0;
}

/*
 * No probe is left. A task may still be on its way from a probe into one of
 * our functions, inside a wrapper, or on its way out: wait for each in turn.
 */
void seal_gates_exit(void)
{
	debugfs_remove_recursive(debug_dir);
	synchronize_rcu_tasks();
	seal_recall_exit();
	synchronize_srcu(&wrappers_srcu);
	srcu_barrier(&wrappers_srcu);
	synchronize_rcu_tasks();
}
