// SPDX-License-Identifier: GPL-2.0-only
/* What the seal must know of XFS beyond what its VFS inodes show. */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "base/compat.h"
#include "map/xfs_inode.h"
#include "probes/probe.h"
#include "uapi/seal.h"

SEAL_ORIGINAL(seal_xfs_vm_bmap, sector_t, struct address_space *mapping,
	      sector_t block);
SEAL_ORIGINAL(seal_xfs_cancel_cow_range, int, void *ip, loff_t offset,
	      loff_t count, bool cancel_real);

static DEFINE_MUTEX(xfs_lock);
static ptrdiff_t vnode_offset;

bool seal_is_xfs(const struct inode *inode)
{
	return inode->i_sb->s_magic == XFS_SUPER_MAGIC;
}

struct inode *seal_xfs_vnode(void *xfs_inode)
{
	return (struct inode *)((char *)xfs_inode + READ_ONCE(vnode_offset));
}

/*
 * XFS answers FIBMAP with 0 for every block of an inode that carries the
 * reflink flag (and of realtime ones): swap must not write in place there,
 * and nor does XFS itself. FIEMAP does not show it. DAX inodes have no ->bmap
 * method, but the function does not care.
 */
bool seal_xfs_redirects(struct inode *inode, u64 offset)
{
	sector_t block = offset >> inode->i_blkbits;
	unsigned long function;

	if (!seal_is_xfs(inode))
		return false;

	if (inode->i_mapping->a_ops->bmap)
		return bmap(inode, &block) || !block;

	mutex_lock(&xfs_lock);
	function = seal_resolve("xfs", "xfs_vm_bmap");
	if (function) {
		bind_seal_xfs_vm_bmap(function);
		block = static_call(seal_xfs_vm_bmap)(inode->i_mapping, block);
	} else {
		block = 0;
	}
	mutex_unlock(&xfs_lock);
	return !block;
}

static struct task_struct *measuring;
static void *measured;

/* The first lock ->fiemap() takes on this inode is the inode's own. */
static int enter_ilock(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(measuring) == current && !measured)
		measured = seal_arg(regs, 0, void *);
	return 0;
}

/* Not on the stack: it may have to outlive the call, see probe.c. */
static struct kprobe measure_probe;

int seal_xfs_measure(struct inode *inode, char *reason)
{
	struct fiemap_extent_info fi = { };
	ptrdiff_t offset;
	int ret;

	mutex_lock(&xfs_lock);
	measured = NULL;
	memset(&measure_probe, 0, sizeof(measure_probe));
	measure_probe.symbol_name = "xfs:xfs_ilock";
	measure_probe.pre_handler = enter_ilock;
	ret = register_kprobe(&measure_probe);
	if (!ret) {
		WRITE_ONCE(measuring, current);
		ret = inode->i_op->fiemap(inode, &fi, 0, 1);
		WRITE_ONCE(measuring, NULL);
		seal_probe_remove(&measure_probe);
	}

	/* of a filesystem that was shut down, or without memory, nothing is learnt */
	if (ret == -EIO || ret == -ENOMEM)
		goto out;
	offset = (char *)inode - (char *)measured;
	if (ret || !measured || offset < 0 || offset > PAGE_SIZE ||
	    offset % sizeof(void *)) {
		snprintf(reason, SEAL_REASON_LEN,
			 "cannot locate the inode inside the XFS inode (error %d)",
			 ret);
		ret = -EOPNOTSUPP;
		goto out;
	}
	WRITE_ONCE(vnode_offset, offset);

	if (SEAL_XFS_ATOMIC_BEGIN || SEAL_XFS_ATOMIC_NEXT) {
		unsigned long function;

		function = seal_resolve("xfs", "xfs_reflink_cancel_cow_range");
		if (!function) {
			strscpy(reason, "no function xfs:xfs_reflink_cancel_cow_range",
				SEAL_REASON_LEN);
			ret = -EOPNOTSUPP;
			goto out;
		}
		bind_seal_xfs_cancel_cow_range(function);
	}
out:
	mutex_unlock(&xfs_lock);
	return ret;
}

/*
 * Since 6.16 an atomic write can leave preallocation in the copy-on-write
 * fork of an inode that was never reflinked, and write-back uses it for the
 * next overwrite of the range.
 */
bool seal_xfs_may_prealloc_cow(const struct inode *inode)
{
	/* read-only: mounts do not allocate, and dropping it would fail */
	return (SEAL_XFS_ATOMIC_BEGIN || SEAL_XFS_ATOMIC_NEXT) &&
	       seal_is_xfs(inode) && !sb_rdonly(inode->i_sb);
}

/*
 * With the locks held and direct I/O drained nothing uses it; what write-back
 * uses at this moment is not preallocation any more and is not touched.
 */
int seal_xfs_cancel_cow(struct inode *inode)
{
	const loff_t all = -1;		/* NULLFILEOFF */

	return static_call(seal_xfs_cancel_cow_range)((char *)inode -
						      vnode_offset, 0, all,
						      false);
}
