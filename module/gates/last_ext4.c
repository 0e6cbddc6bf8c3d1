// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last line of ext4: where ext4_map_blocks(), asked to create, turns from its
 * cache of extents to the map itself. iomap_begin and the get_block functions come
 * here, and fallocate; their error goes up through ext4_map_blocks(), which has
 * only the lock of the map by then, and the callers stop their handle.
 *
 * What must not be refused comes with flags of its own: write-back of what was
 * reserved, conversion at the end of I/O, and what may not fail.
 *
 * A cached write only reserves: the first thing it does for a hole is to ask for
 * space, and no space is an answer its caller knows.
 *
 * Not caught: cached writes and stores to unwritten blocks (they are there), and
 * whatever frees or moves blocks.
 */
#include <linux/bits.h>

#include "gates/last.h"
#include "gates/sets.h"

/* EXT4_GET_BLOCKS_*, the same in all reviewed kernels */
#define BLOCKS_CREATE		BIT(0)
#define BLOCKS_DELALLOC_RESERVE	BIT(2)
#define BLOCKS_CONVERT		BIT(4)
#define BLOCKS_METADATA_NOFAIL	BIT(5)
#define BLOCKS_MUST_PASS	(BLOCKS_DELALLOC_RESERVE | BLOCKS_CONVERT | \
				 BLOCKS_METADATA_NOFAIL)

/* (handle, inode, map, flags) */
static int refuse_ext4(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned int flags = seal_last_arg(regs, 3, unsigned int);

	if (!(flags & BLOCKS_CREATE) || flags & BLOCKS_MUST_PASS)
		return 0;
	return seal_last_refuses(kp, seal_last_arg(regs, 1, struct inode *)) ?
	       seal_last_refuse(regs) : 0;
}

/* (inode, ...) */
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
	.module		= "ext4",
	.gates		= ext4_last,
	.nr_gates	= ARRAY_SIZE(ext4_last),
	.kprobes	= true,
};
