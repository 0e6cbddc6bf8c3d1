// SPDX-License-Identifier: GPL-2.0-only
/* Observers: gates that only take note of a call. */
#include <linux/atomic.h>
#include <linux/fs.h>

#include "base/compat.h"
#include "gates/observers.h"
#include "gates/sets.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "table/entry.h"

/*
 * __break_lease(inode, mode, type), on later kernels (inode, flags). A write or
 * truncate that has passed its gate drops i_rwsem while it waits for a pNFS
 * client to return a layout. Before that it calls this function, with the lock
 * held. seal_freeze_settle() looks for the flag under the same lock.
 */
static void enter_break_lease(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = seal_arg(call, 0, struct inode *);

	if (seal_breaks_layout(seal_arg(call, 1, unsigned int),
			       seal_arg(call, 2, unsigned int)) &&
	    seal_is_xfs(inode))
		set_mask_bits(&inode->i_flags, 0, S_LAYOUT_BROKEN);
}

static atomic64_t switched;

u64 seal_kprobes_switched(void)
{
	return atomic64_read(&switched);
}

/*
 * write_enabled_file_bool(file, ...): somebody writes to kprobes/enabled in
 * debugfs. This is counted before the kprobes are switched.
 */
static void enter_switch(struct seal_gate *gate, struct ftrace_regs *call)
{
	atomic64_inc(&switched);
}

static struct seal_gate observers[] = {
	SEAL_OBSERVER("__break_lease", enter_break_lease),
	SEAL_OBSERVER("write_enabled_file_bool", enter_switch),
};

struct seal_gate_set seal_observers = {
	.name		= "observers",
	.gates		= observers,
	.nr_gates	= ARRAY_SIZE(observers),
	.observes	= true,
};
