// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last line of XFS. In each of the reviewed kernels the functions below are
 * called from the iomap_begin methods, and the first one also from map_blocks
 * of the pNFS server. These callers have changed nothing yet; they drop their
 * locks and return the error at once.
 *
 * Not caught are blocks that exist and only change their state (unwritten
 * blocks are converted when the I/O ends, and a refusal there would lose data),
 * and everything that frees or moves blocks. Write-back of earlier writes
 * allocates elsewhere (xfs_bmapi_convert_delalloc()).
 */
#include "base/owners.h"
#include "gates/last.h"
#include "gates/sets.h"
#include "map/xfs_inode.h"

static int refuse_xfs(struct kprobe *kp, struct pt_regs *regs)
{
	struct inode *inode = seal_xfs_vnode(seal_last_arg(regs, 0, void *));

	return seal_last_refuses(kp, inode) ? seal_last_refuse(regs) : 0;
}

static struct seal_gate xfs_last[] = {
	/* (ip, offset_fsb, count_fsb, flags, ...): a hole, direct or DAX */
	SEAL_LAST("xfs_iomap_write_direct", refuse_xfs),
	/* (ip, whichfork, off, len, ...): a hole or shared blocks, cached */
	SEAL_LAST("xfs_bmapi_reserve_delalloc", refuse_xfs),
	/* (ip, imap, cmap, shared, ...): shared blocks, direct or DAX */
	SEAL_LAST("xfs_reflink_allocate_cow", refuse_xfs),
};

struct seal_gate_set seal_xfs_last = {
	.name		= "xfs-last",
	.module		= SEAL_XFS_MODULE,
	.gates		= xfs_last,
	.nr_gates	= ARRAY_SIZE(xfs_last),
	.kprobes	= true,
};
