// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates of XFS.
 *
 * A letter says how a function was shown to see every call: [p] it is only
 * reached through a pointer in an operations table; [g] it is global and its
 * callers are in other translation units; [t] it is static with few callers, is
 * there as a symbol in all reviewed kernels, and a test calls it on each of
 * them.
 */
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/iomap.h>

#include "base/compat.h"
#include "base/owners.h"
#include "gates/decide.h"
#include "gates/fallocate.h"
#include "gates/inside.h"
#include "gates/recall.h"
#include "gates/sets.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "table/entry.h"

#if SEAL_XFS_ATOMIC_BEGIN
/*
 * xfs_atomic_write_cow_iomap_begin(inode) [p]: an atomic write that cannot be
 * done in place. Called with i_rwsem held shared.
 */
static void enter_atomic_cow(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = seal_arg(call, 0, struct inode *);

	if (unlikely(seal_flagged(inode)) && seal_gate_refuses_any(gate, inode))
		seal_redirect(call, seal_return_busy);
}
#elif SEAL_XFS_ATOMIC_NEXT
/*
 * xfs_atomic_write_cow_iomap_next(iter, iomap, srcmap) [p]: an atomic write
 * that cannot be done in place, with i_rwsem held shared. It is also called to
 * finish an iteration, but for a sealed file none begins.
 */
static void enter_atomic_cow(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = seal_arg(call, 0, struct iomap_iter *)->inode;

	if (unlikely(seal_flagged(inode)) && seal_gate_refuses_any(gate, inode))
		seal_redirect(call, seal_return_busy);
}
#endif

/*
 * xfs_free_eofblocks(ip) [g]: trims blocks beyond EOF in the background, at
 * close, and when space runs out. Called with i_rwsem held. All callers accept
 * 0 as "there was nothing to trim".
 */
static void enter_free_eofblocks(struct seal_gate *gate,
				 struct ftrace_regs *call)
{
	struct inode *inode = seal_xfs_vnode(seal_arg(call, 0, void *));

	if (unlikely(seal_flagged(inode)) && seal_gate_refuses_any(gate, inode))
		seal_redirect(call, seal_return_zero);
}

#if SEAL_XFS_EXCHANGE
/* the first two members of struct xfs_exchrange */
struct exchrange {
	struct file	*file1;
	struct file	*file2;
};

/*
 * xfs_exchrange_prep(fxr, ip1, ip2) [t]: exchange-range and commit-range, with
 * i_rwsem and the invalidate lock of both files held.
 */
static void enter_exchrange(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct exchrange *fxr = seal_arg(call, 0, struct exchrange *);
	struct inode *inode1 = file_inode(fxr->file1);
	struct inode *inode2 = file_inode(fxr->file2);

	if ((seal_flagged(inode1) && seal_gate_refuses_any(gate, inode1)) ||
	    (seal_flagged(inode2) && seal_gate_refuses_any(gate, inode2)))
		seal_redirect(call, seal_return_busy);
}
#endif

/* --- entered without a lock: wrappers --- */

static struct seal_gate xfs_gates[];

enum xfs_wrapped {
	WRAP_FALLOCATE,
	WRAP_SWAP_EXTENTS,
	WRAP_MAP_BLOCKS,
	WRAP_COMMIT_BLOCKS,
#if SEAL_XFS_REPAIR
	WRAP_SCRUB,
#endif
};

static bool refuses(enum xfs_wrapped gate, struct inode *inode)
{
	return seal_flagged(inode) &&
	       seal_gate_refuses_any(&xfs_gates[gate], inode);
}

/* The same, but a change that this module makes for a holder passes. */
static bool refuses_others(enum xfs_wrapped gate, struct inode *inode)
{
	return seal_flagged(inode) && !seal_changing(inode) &&
	       seal_gate_refuses_any(&xfs_gates[gate], inode);
}

/*
 * xfs_file_fallocate() [p]: all modes and all callers. A gate on its check for
 * layouts would not do: that holds both locks, but drops them while it waits.
 */
SEAL_FALLOCATE(xfs, &xfs_gates[WRAP_FALLOCATE])

/* xfs_swap_extents(ip, tip, sxp) [g]: XFS_IOC_SWAPEXT, xfs_fsr. */
SEAL_ORIGINAL(seal_xfs_swap_extents, int, void *ip, void *tip, void *sxp);

static noinline int wrap_swap_extents(void *ip, void *tip, void *sxp)
{
	struct inode *inode = seal_xfs_vnode(ip), *temp = seal_xfs_vnode(tip);
	struct seal_inside own[2], *inside[2];
	int recall = seal_recall_enter();
	int ret = seal_recall(inode, temp, NULL, "xfs_swap_extents");

	if (ret)
		goto out;
	inside[0] = seal_inside_enter(inode, &own[0]);
	inside[1] = seal_inside_enter(temp, &own[1]);
	if (refuses(WRAP_SWAP_EXTENTS, inode) ||
	    refuses(WRAP_SWAP_EXTENTS, temp))
		ret = -ETXTBSY;
	else
		ret = static_call(seal_xfs_swap_extents)(ip, tip, sxp);
	seal_inside_leave(inside[1], &own[1]);
	seal_inside_leave(inside[0], &own[0]);
out:
	seal_recall_leave(recall);
	seal_unwrap();
	return ret;
}

static void enter_swap_extents(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_wrap(call, wrap_swap_extents);
}

/* xfs_fs_map_blocks() [p]: a pNFS client asks for blocks to read or write. */
SEAL_ORIGINAL(seal_xfs_map_blocks, int, struct inode *inode, loff_t offset,
	      u64 length, struct iomap *iomap, bool write, u32 *generation);

static noinline int wrap_map_blocks(struct inode *inode, loff_t offset,
				    u64 length, struct iomap *iomap,
				    bool write, u32 *generation)
{
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	int ret = -ETXTBSY;

	if (!refuses(WRAP_MAP_BLOCKS, inode))
		ret = static_call(seal_xfs_map_blocks)(inode, offset, length,
						       iomap, write,
						       generation);
	seal_inside_leave(inside, &own);
	seal_unwrap();
	return ret;
}

static void enter_map_blocks(struct seal_gate *gate, struct ftrace_regs *call)
{
	/* a client that only reads changes no map */
	if (!seal_arg(call, 4, bool))
		return;
	seal_wrap(call, wrap_map_blocks);
}

/* xfs_fs_commit_blocks() [p]: converts blocks, and may move the end. */
SEAL_ORIGINAL(seal_xfs_commit_blocks, int, struct inode *inode,
	      struct iomap *maps, int nr, unsigned long size_or_attr);

static noinline int wrap_commit_blocks(struct inode *inode, struct iomap *maps,
				       int nr, unsigned long size_or_attr)
{
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	int ret = -ETXTBSY;

	if (!refuses_others(WRAP_COMMIT_BLOCKS, inode))
		ret = static_call(seal_xfs_commit_blocks)(inode, maps, nr,
							  size_or_attr);
	seal_inside_leave(inside, &own);
	seal_unwrap();
	return ret;
}

static void enter_commit_blocks(struct seal_gate *gate,
				struct ftrace_regs *call)
{
	seal_wrap(call, wrap_commit_blocks);
}

/*
 * xfs_file_remap_range(in, pos, out, pos, len, flags) [p]: called before the
 * locks are taken. Only a plain clone (no flags) waits: copy_file_range() falls
 * back to copying, and deduplication is not worth a wait.
 */
SEAL_ORIGINAL(seal_xfs_remap, loff_t, struct file *in, loff_t in_pos,
	      struct file *out, loff_t out_pos, loff_t len, unsigned int flags);

static noinline loff_t wrap_remap(struct file *in, loff_t in_pos,
				  struct file *out, loff_t out_pos, loff_t len,
				  unsigned int flags)
{
	int recall = seal_recall_enter();
	loff_t ret;

	ret = seal_recall(file_inode(out), file_inode(in), out,
			  "generic_remap_file_range_prep");
	if (!ret)
		ret = static_call(seal_xfs_remap)(in, in_pos, out, out_pos, len,
						  flags);
	seal_recall_leave(recall);
	seal_unwrap();
	return ret;
}

static void enter_remap(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *in = file_inode(seal_arg(call, 0, struct file *));
	struct inode *out = file_inode(seal_arg(call, 2, struct file *));

	if (seal_arg(call, 5, unsigned int))
		return;
	if (likely(!seal_recallable(in) && !seal_recallable(out)))
		return;
	seal_wrap(call, wrap_remap);
}

#if SEAL_XFS_REPAIR
/* struct xfs_scrub_metadata begins with type and flags */
#define SCRUB_FLAG_REPAIR	1

/*
 * xfs_scrub_metadata(file, sm) [t]: online check and repair. It is not known
 * here which file a repair rewrites, so every repair is refused on a filesystem
 * that has a sealed file.
 */
SEAL_ORIGINAL(seal_xfs_scrub, int, struct file *file, u32 *sm);

static noinline int wrap_scrub(struct file *file, u32 *sm)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct seal_inside own, *inside = seal_inside_enter(sb, &own);
	int ret = -ETXTBSY;

	if (!seal_gate_refuses_sb(&xfs_gates[WRAP_SCRUB], sb))
		ret = static_call(seal_xfs_scrub)(file, sm);
	seal_inside_leave(inside, &own);
	seal_unwrap();
	return ret;
}

static void enter_scrub(struct seal_gate *gate, struct ftrace_regs *call)
{
	/* a check takes long but changes nothing: SEAL need not wait for it */
	if (!(seal_arg(call, 1, u32 *)[1] & SCRUB_FLAG_REPAIR))
		return;
	seal_wrap(call, wrap_scrub);
}
#endif

/*
 * These functions have no gate: xfs_vn_setattr*() and truncate helpers (called
 * behind notify_change()), xfs_break_layouts() (called behind fallocate and
 * truncate), xfs_{buffered,direct}_write_iomap_begin() and the functions behind
 * them (called behind the gates of writes, faults, fallocate, truncate and
 * clone; a second gate on a path costs every write, and can hide the loss of
 * the first), xfs_reflink_end_cow(), xfs_iomap_write_unwritten(),
 * xfs_map_blocks() and all of libxfs (a refusal there loses data or shuts the
 * filesystem down), zoned and realtime paths (such inodes are not sealed).
 */
static struct seal_gate xfs_gates[] = {
	[WRAP_FALLOCATE] =
		SEAL_GATE_WRAPPED_HOT("xfs_file_fallocate", fallocate,
				      seal_xfs_fallocate),
	[WRAP_SWAP_EXTENTS] =
		SEAL_GATE_WRAPPED("xfs_swap_extents", enter_swap_extents,
				  seal_xfs_swap_extents),
	[WRAP_MAP_BLOCKS] =
		SEAL_GATE_WRAPPED("xfs_fs_map_blocks", enter_map_blocks,
				  seal_xfs_map_blocks),
	[WRAP_COMMIT_BLOCKS] =
		SEAL_GATE_WRAPPED("xfs_fs_commit_blocks", enter_commit_blocks,
				  seal_xfs_commit_blocks),
#if SEAL_XFS_REPAIR
	[WRAP_SCRUB] =
		SEAL_GATE_WRAPPED("xfs_scrub_metadata", enter_scrub,
				  seal_xfs_scrub),
#endif
	SEAL_GATE("xfs_free_eofblocks", enter_free_eofblocks),
#if SEAL_XFS_ATOMIC_BEGIN
	SEAL_GATE("xfs_atomic_write_cow_iomap_begin", enter_atomic_cow),
#elif SEAL_XFS_ATOMIC_NEXT
	SEAL_GATE("xfs_atomic_write_cow_iomap_next", enter_atomic_cow),
#endif
#if SEAL_XFS_EXCHANGE
	SEAL_GATE("xfs_exchrange_prep", enter_exchrange),
#endif
};

struct seal_gate_set seal_xfs_gates = {
	.name		= "xfs",
	.module		= SEAL_XFS_MODULE,
	.gates		= xfs_gates,
	.nr_gates	= ARRAY_SIZE(xfs_gates),
};

static struct seal_gate xfs_recalls[] = {
	SEAL_GATE_WAITING("xfs_file_remap_range", enter_remap, seal_xfs_remap),
};

struct seal_gate_set seal_xfs_recalls = {
	.name		= "xfs-recall",
	.module		= SEAL_XFS_MODULE,
	.gates		= xfs_recalls,
	.nr_gates	= ARRAY_SIZE(xfs_recalls),
};
