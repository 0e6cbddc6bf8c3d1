// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last line of ext4: the functions to which ext4_map_blocks(), if it is to
 * create blocks, turns from its cache of extents. iomap_begin, the get_block
 * functions and fallocate lead here. The error is passed on by
 * ext4_map_blocks(), which holds nothing but the lock of the map by then, and
 * its callers stop their journal handle.
 *
 * Calls that must not be refused have flags of their own: write-back of
 * reserved blocks, conversion at the end of I/O, and calls that may not fail.
 *
 * A cached write only reserves: for a hole it first asks for space, and its
 * caller can handle the answer that there is none.
 *
 * Not caught are cached writes and stores to unwritten blocks (the blocks exist
 * already), and everything that frees or moves blocks.
 */
#include <linux/bits.h>

#include "base/owners.h"
#include "gates/last.h"
#include "gates/sets.h"

/* EXT4_GET_BLOCKS_*, the same in all reviewed kernels */
#define BLOCKS_CREATE		BIT(0)
#define BLOCKS_DELALLOC_RESERVE	BIT(2)
#define BLOCKS_CONVERT		BIT(4)
#define BLOCKS_METADATA_NOFAIL	BIT(5)
#define BLOCKS_MUST_PASS	(BLOCKS_DELALLOC_RESERVE | BLOCKS_CONVERT | \
				 BLOCKS_METADATA_NOFAIL)

/* ext4_{ext,ind}_map_blocks(handle, inode, map, flags) */
static int refuse_ext4(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned int flags = seal_last_arg(regs, 3, unsigned int);

	if (!(flags & BLOCKS_CREATE) || flags & BLOCKS_MUST_PASS)
		return 0;
	return seal_last_refuses(kp, seal_last_arg(regs, 1, struct inode *)) ?
	       seal_last_refuse(regs) : 0;
}

/* ext4_da_reserve_space(inode, ...) */
static int refuse_reserve(struct kprobe *kp, struct pt_regs *regs)
{
	return seal_last_refuses(kp, seal_last_arg(regs, 0, struct inode *)) ?
	       seal_last_refuse(regs) : 0;
}

static struct seal_gate ext4_last[] = {
	SEAL_LAST("ext4_ext_map_blocks", refuse_ext4),
	SEAL_LAST("ext4_ind_map_blocks", refuse_ext4),
	SEAL_LAST("ext4_da_reserve_space", refuse_reserve),
};

struct seal_gate_set seal_ext4_last = {
	.name		= "ext4-last",
	.module		= SEAL_EXT4_MODULE,
	.gates		= ext4_last,
	.nr_gates	= ARRAY_SIZE(ext4_last),
	.kprobes	= true,
};
