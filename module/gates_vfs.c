// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates in the VFS: what XFS and ext4 both go through.
 *
 * All are global functions called from other translation units, so no caller
 * has an inlined copy.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/uio.h>

#include "claim.h"
#include "compat.h"
#include "gate.h"
#include "recall.h"
#include "xfs_inode.h"

/*
 * generic_write_checks(iocb, from): every ->write_iter of both filesystems
 * calls it with i_rwsem held, before set-id bits or timestamps change, and
 * with the whole request: a straddling write can be refused as a whole.
 */
static int enter_write_checks(struct kprobe *kp, struct pt_regs *regs)
{
	struct kiocb *iocb = seal_arg(regs, 0, struct kiocb *);
	struct iov_iter *from = seal_arg(regs, 1, struct iov_iter *);
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 size, start, end;

	if (likely(!seal_flagged(inode)))
		return 0;
	if (!iov_iter_count(from))
		return 0;

	size = i_size_read(inode);
	start = iocb->ki_flags & IOCB_APPEND ? size : iocb->ki_pos;
	end = start + iov_iter_count(from);
	if (end > size) {
		/* in a block of the file, but it would move the end */
		if (seal_gate_refuses_any(kp, inode))
			return seal_redirect(regs, seal_return_busy);
		return 0;
	}

	/*
	 * Where write-back takes the whole page for dirty, it converts the
	 * unwritten neighbours of the blocks that were written.
	 */
	if (!SEAL_IOMAP_BLOCK_DIRTY && seal_is_xfs(inode) &&
	    i_blocksize(inode) < PAGE_SIZE &&
	    !(iocb->ki_flags & IOCB_DIRECT) && !IS_DAX(inode)) {
		start = round_down(start, PAGE_SIZE);
		end = min_t(u64, round_up(end, PAGE_SIZE),
			    round_up(size, i_blocksize(inode)));
	}

	/*
	 * An atomic write the device cannot do is done out of place. XFS has
	 * a gate there, but set-id bits and timestamps are gone by then.
	 */
	if (seal_is_xfs(inode) && seal_atomic_redirected(iocb, end - start) &&
	    seal_gate_refuses_any(kp, inode))
		return seal_redirect(regs, seal_return_busy);

	if (seal_gate_refuses(kp, inode, start, end))
		return seal_redirect(regs, seal_return_busy);
	return 0;
}

/* Prototype of the original, for the static call only. */
SEAL_ORIGINAL(seal_notify_change, int, void *idmap, struct dentry *dentry,
	      struct iattr *attr, void *delegated);

static noinline int wrap_notify_change(void *idmap, struct dentry *dentry,
				       struct iattr *attr, void *delegated)
{
	int cookie = seal_wrapper_enter();
	int ret;

	ret = static_call(seal_notify_change)(idmap, dentry, attr, delegated);
	seal_wrapper_leave(cookie);
	return ret;
}

/*
 * notify_change(idmap, dentry, attr, delegated): the only caller of
 * ->setattr, with i_rwsem held.
 */
static int enter_notify_change(struct kprobe *kp, struct pt_regs *regs)
{
	struct inode *inode = d_inode(seal_arg(regs, 1, struct dentry *));
	struct iattr *attr = seal_arg(regs, 2, struct iattr *);

	if (likely(!(attr->ia_valid & ATTR_SIZE)))
		return 0;

	if (!seal_flagged(inode)) {
		/*
		 * XFS drops i_rwsem while it waits for a pNFS client to give
		 * back a layout: its truncates are drained as wrappers too.
		 */
		if (seal_is_xfs(inode))
			return seal_redirect(regs, wrap_notify_change);
		return 0;
	}

	if (attr->ia_size != i_size_read(inode)) {
		if (seal_gate_refuses_any(kp, inode))
			return seal_redirect(regs, seal_return_busy);
		return 0;
	}

	/*
	 * The same size: what is left is an update of the timestamps. As a
	 * truncate it would also free the blocks beyond the end.
	 */
	attr->ia_valid &= ~ATTR_SIZE;
	attr->ia_valid |= ATTR_MTIME | ATTR_CTIME;
	return 0;
}

/*
 * do_truncate(idmap, dentry, length, time_attrs, file): before i_rwsem is
 * taken. Where it was inlined into its callers nobody is asked.
 */
SEAL_ORIGINAL(seal_do_truncate, int, void *idmap, struct dentry *dentry,
	      loff_t length, unsigned int time_attrs, struct file *file);

static noinline int wrap_truncate(void *idmap, struct dentry *dentry,
				  loff_t length, unsigned int time_attrs,
				  struct file *file)
{
	int recall = seal_recall_enter();
	int ret;

	/* the same size: is not refused */
	if (length != i_size_read(d_inode(dentry)))
		seal_recall(d_inode(dentry), file, "notify_change");
	ret = static_call(seal_do_truncate)(idmap, dentry, length, time_attrs,
					    file);
	seal_recall_leave(recall);
	return ret;
}

static int enter_truncate(struct kprobe *kp, struct pt_regs *regs)
{
	if (likely(!seal_recallable(d_inode(seal_arg(regs, 1, struct dentry *)))))
		return 0;
	return seal_redirect(regs, wrap_truncate);
}

/*
 * generic_remap_file_range_prep(in, pos, out, pos, len, flags) and its DAX
 * twin: clone and dedupe, with i_rwsem and the invalidate lock of both held.
 */
static int enter_remap_prep(struct kprobe *kp, struct pt_regs *regs)
{
	struct inode *in = file_inode(seal_arg(regs, 0, struct file *));
	struct inode *out = file_inode(seal_arg(regs, 2, struct file *));

	if (seal_flagged(out) && seal_gate_refuses_any(kp, out))
		return seal_redirect(regs, seal_return_busy);
	if (seal_flagged(in) && seal_gate_refuses_sharing(kp, in))
		return seal_redirect(regs, seal_return_busy);
	return 0;
}

/*
 * Not here: vfs_fallocate(), because loop and target call ->fallocate()
 * directly; file_modified() and friends, because they know no range.
 */
static struct seal_gate vfs_gates[] = {
	SEAL_GATE("generic_write_checks", enter_write_checks),
	SEAL_GATE_WRAPPED("notify_change", enter_notify_change,
			  seal_notify_change),
	SEAL_GATE("generic_remap_file_range_prep", enter_remap_prep),
	SEAL_GATE("dax_remap_file_range_prep", enter_remap_prep),
	SEAL_GATE_WAITS("do_truncate", enter_truncate, seal_do_truncate),
};

struct seal_gate_set seal_vfs_gates = {
	.name		= "vfs",
	.gates		= vfs_gates,
	.nr_gates	= ARRAY_SIZE(vfs_gates),
};
