// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tripwires of ext4: changes of the extent tree, of indirect blocks, and of
 * reservations for delayed allocation. An overwrite in place calls none of
 * these functions.
 */
#include "base/compat.h"
#include "base/owners.h"
#include "gates/sets.h"
#include "gates/tripwire.h"
#include "probes/gate.h"

/*
 * __ext4_ext_dirty(where, line, handle, inode, path) is called after every
 * change of an extent tree: insert, split, convert, remove, shift, swap.
 * Neighbours are merged only together with such a change.
 */
static void enter_ext_dirty(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_trip(gate, seal_arg(call, 3, struct inode *));
}

/* swap_inode_data(inode1, inode2): EXT4_IOC_SWAP_BOOT swaps the tree roots */
static void enter_swap_data(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_trip(gate, seal_arg(call, 0, struct inode *));
	seal_trip(gate, seal_arg(call, 1, struct inode *));
}

/* ext4_ind_truncate(handle, inode), ext4_ind_remove_space(handle, inode, ..) */
static void enter_ind_free(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_trip(gate, seal_arg(call, 1, struct inode *));
}

/* ext4_es_insert_delayed_{block,extent}(inode, ...): reserves for a hole */
static void enter_delay(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_trip(gate, seal_arg(call, 0, struct inode *));
}

/* struct ext4_allocation_request, the same in all reviewed kernels */
struct allocation_request {
	struct inode	*inode;
	unsigned int	len;
	u32		logical;
	u32		lleft;
	u32		lright;
	u64		goal;
	u64		pleft;
	u64		pright;
	unsigned int	flags;
};

#define MB_HINT_DATA	0x0020

/*
 * ext4_mb_new_blocks(handle, ar, errp) allocates. Blocks for data have the
 * hint; blocks for extended attributes and for the tree itself have not.
 */
static void enter_new_blocks(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct allocation_request *ar =
		seal_arg(call, 1, struct allocation_request *);

	if (ar->flags & MB_HINT_DATA)
		seal_trip(gate, ar->inode);
}

/*
 * No tripwire is on ext4_free_blocks(), since a caller that frees blocks of
 * data also changes the tree or uses the functions for indirect blocks; nor on
 * the cache of extents, which plain lookups fill; nor on migration, which
 * stores the same map in another way.
 */
static struct seal_gate tripwires[] = {
	SEAL_TRIPWIRE("__ext4_ext_dirty", enter_ext_dirty),
	SEAL_TRIPWIRE("swap_inode_data", enter_swap_data),
	SEAL_TRIPWIRE("ext4_ind_truncate", enter_ind_free),
	SEAL_TRIPWIRE("ext4_ind_remove_space", enter_ind_free),
	SEAL_TRIPWIRE("ext4_mb_new_blocks", enter_new_blocks),
	SEAL_TRIPWIRE(SEAL_EXT4_INSERT_DELAYED, enter_delay),
};

struct seal_gate_set seal_ext4_tripwires = {
	.name		= "ext4-tripwire",
	.module		= SEAL_EXT4_MODULE,
	.gates		= tripwires,
	.nr_gates	= ARRAY_SIZE(tripwires),
	.observes	= true,
};
