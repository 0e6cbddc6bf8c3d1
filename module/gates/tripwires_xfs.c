// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tripwires of XFS, on the functions of the extent tree in memory, through
 * which every change of a map goes. They are global and in a file of their own,
 * so no caller has an inlined copy.
 *
 * An overwrite in place does not call them. They are also called when extents
 * are read from disk, but that happens once per inode in memory, before it is
 * sealed.
 */
#include "base/owners.h"
#include "gates/sets.h"
#include "gates/tripwire.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"

/* bits of the state argument, the same since 4.11 */
#define BMAP_ATTRFORK	BIT(8)
#define BMAP_COWFORK	BIT(9)

/* The copy-on-write fork and the attribute fork are not the map of a file. */
static void trip_data_fork(struct seal_gate *gate, struct ftrace_regs *call,
			   unsigned int state)
{
	if (!(state & (BMAP_ATTRFORK | BMAP_COWFORK)))
		seal_trip(gate, seal_xfs_vnode(seal_arg(call, 0, void *)));
}

/* xfs_iext_insert(ip, cur, irec, state) */
static void enter_insert(struct seal_gate *gate, struct ftrace_regs *call)
{
	trip_data_fork(gate, call, seal_arg(call, 3, unsigned int));
}

/* xfs_iext_remove(ip, cur, state) */
static void enter_remove(struct seal_gate *gate, struct ftrace_regs *call)
{
	trip_data_fork(gate, call, seal_arg(call, 2, unsigned int));
}

/* xfs_iext_update_extent(ip, state, cur, new) */
static void enter_update(struct seal_gate *gate, struct ftrace_regs *call)
{
	trip_data_fork(gate, call, seal_arg(call, 1, unsigned int));
}

/*
 * xfs_swap_extent_forks(tp, ip, tip, ...) exchanges whole forks without
 * touching an extent. The compiler drops arguments that it does not need, so
 * the inodes may be in other registers. Each of the first four arguments is
 * looked up in the table; nothing is dereferenced.
 */
static void enter_swap(struct seal_gate *gate, struct ftrace_regs *call)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		seal_trip(gate, seal_xfs_vnode(seal_arg(call, i, void *)));
}

/*
 * No tripwire sees a bmap repair, which builds a new fork aside and installs
 * it. While a file is sealed, the gate on xfs_scrub_metadata() refuses every
 * repair on its filesystem, and there is no other way to start one.
 */
static struct seal_gate tripwires[] = {
	SEAL_TRIPWIRE("xfs_iext_insert", enter_insert),
	SEAL_TRIPWIRE("xfs_iext_remove", enter_remove),
	SEAL_TRIPWIRE("xfs_iext_update_extent", enter_update),
	SEAL_TRIPWIRE_OPTIONAL("xfs_swap_extent_forks.constprop.0", enter_swap),
};

struct seal_gate_set seal_xfs_tripwires = {
	.name		= "xfs-tripwire",
	.module		= SEAL_XFS_MODULE,
	.gates		= tripwires,
	.nr_gates	= ARRAY_SIZE(tripwires),
	.observes	= true,
};
