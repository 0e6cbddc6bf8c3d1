// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates in the kernel itself: the VFS, and what filesystems share of iomap and
 * DAX.
 *
 * All are global functions called from other translation units, so no caller
 * has an inlined copy.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/path.h>
#include <linux/uio.h>

#include "base/compat.h"
#include "gates/decide.h"
#include "gates/inside.h"
#include "gates/recall.h"
#include "gates/sets.h"
#include "gates/vfs.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "table/entry.h"

/* Writes nothing to no file: how the gate is asked whether it is there. */
static struct inode nobody = {
	.i_flags	= S_SEALED,
};

static struct address_space nobodys_mapping = {
	.host		= &nobody,
};

static struct file nobodys_file = {
	.f_inode	= &nobody,
	.f_mapping	= &nobodys_mapping,
};

static atomic_t nobody_seen;

bool seal_write_gate_armed(void)
{
	struct kiocb iocb = { .ki_filp = &nobodys_file };
	struct iov_iter nothing = { };
	int before = atomic_read(&nobody_seen);

	generic_write_checks(&iocb, &nothing);
	return atomic_read(&nobody_seen) != before;
}

/* A write to a file that has the flag. */
static noinline bool refuse_write(struct seal_gate *gate, struct kiocb *iocb,
				  struct iov_iter *from, struct inode *inode)
{
	u64 count = iov_iter_count(from);
	u64 size, start, end;

	if (unlikely(!count)) {
		if (inode == &nobody)
			atomic_inc(&nobody_seen);
		return false;
	}

	size = i_size_read(inode);
	start = iocb->ki_flags & IOCB_APPEND ? size : iocb->ki_pos;
	end = start + count;
	/* in a block of the file, but it would move the end */
	if (unlikely(end > size))
		return seal_gate_refuses_any(gate, inode);

	/*
	 * Where write-back takes the whole page for dirty, it converts the
	 * unwritten neighbours of the blocks that were written. A direct write
	 * that ends in the cache is decided there, see buffered_write().
	 */
	if (!SEAL_IOMAP_BLOCK_DIRTY && inode->i_blkbits < PAGE_SHIFT &&
	    seal_is_xfs(inode) && !(iocb->ki_flags & IOCB_DIRECT) &&
	    !IS_DAX(inode)) {
		start = round_down(start, PAGE_SIZE);
		end = min_t(u64, round_up(end, PAGE_SIZE),
			    round_up(size, i_blocksize(inode)));
	}

	/*
	 * An atomic write the device cannot do is done out of place. XFS has
	 * a gate there, but set-id bits and timestamps are gone by then.
	 */
	if (seal_atomic_redirected(iocb, end - start) && seal_is_xfs(inode))
		return seal_gate_refuses_any(gate, inode);

	return seal_gate_refuses(gate, inode, start, end);
}

/*
 * generic_write_checks(iocb, from): every ->write_iter of both filesystems
 * calls it with i_rwsem held, before set-id bits or timestamps change, and
 * with the whole request: a straddling write can be refused as a whole.
 */
static __always_inline void write_checks(struct seal_gate *gate,
					 struct ftrace_regs *call)
{
	struct kiocb *iocb = seal_arg(call, 0, struct kiocb *);
	struct inode *inode = file_inode(iocb->ki_filp);

	if (likely(!seal_flagged(inode)))
		return;
	if (refuse_write(gate, iocb, seal_arg(call, 1, struct iov_iter *), inode))
		seal_redirect(call, seal_return_busy);
}

SEAL_HOOK(write_checks)

#if !SEAL_IOMAP_BLOCK_DIRTY
/*
 * iomap_file_buffered_write(iocb, from, ops): i_rwsem held. A direct write that
 * cannot drop cached pages of its range goes on through the cache, and is
 * marked as direct still. It writes the pages that are in place as a whole; the
 * caller comes again for the rest.
 */
static __always_inline void buffered_write(struct seal_gate *gate,
					   struct ftrace_regs *call)
{
	struct kiocb *iocb = seal_arg(call, 0, struct kiocb *);
	struct iov_iter *from = seal_arg(call, 1, struct iov_iter *);
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 start, end, size;

	if (likely(!(iocb->ki_flags & IOCB_DIRECT)) || !seal_flagged(inode) ||
	    i_blocksize(inode) >= PAGE_SIZE)
		return;
	start = iocb->ki_pos;
	end = start + iov_iter_count(from);
	size = round_up(i_size_read(inode), (u64)i_blocksize(inode));
	if (seal_gate_in_place(inode, round_down(start, PAGE_SIZE),
			       min_t(u64, round_up(end, PAGE_SIZE), size)))
		return;
	end = round_down(end, PAGE_SIZE);
	if (end > start &&
	    seal_gate_in_place(inode, round_down(start, PAGE_SIZE), end))
		iov_iter_truncate(from, end - start);
	else if (seal_gate_refuses(gate, inode, round_down(start, PAGE_SIZE),
				   min_t(u64, round_up(end + 1, PAGE_SIZE),
					 size)))
		seal_redirect(call, seal_return_busy);
}

SEAL_HOOK(buffered_write)

static struct seal_gate small_block_gates[] = {
	SEAL_GATE_HOT("iomap_file_buffered_write", buffered_write),
};

/* Only where blocks are smaller than a page: every buffered write comes by. */
struct seal_gate_set seal_small_block_gates = {
	.name		= "small-blocks",
	.gates		= small_block_gates,
	.nr_gates	= ARRAY_SIZE(small_block_gates),
};
#endif

/*
 * notify_change(idmap, dentry, attr, delegated): the only caller of
 * ->setattr, with i_rwsem held.
 */
static void enter_notify_change(struct seal_gate *gate,
				struct ftrace_regs *call)
{
	struct inode *inode = d_inode(seal_arg(call, 1, struct dentry *));
	struct iattr *attr = seal_arg(call, 2, struct iattr *);

	if (likely(!(attr->ia_valid & ATTR_SIZE)) || !seal_flagged(inode))
		return;

	if (attr->ia_size != i_size_read(inode)) {
		if (seal_gate_refuses_any(gate, inode))
			seal_redirect(call, seal_return_busy);
		return;
	}

	/*
	 * The same size: what is left is an update of the timestamps. As a
	 * truncate it would also free the blocks beyond the end.
	 */
	attr->ia_valid &= ~ATTR_SIZE;
	attr->ia_valid |= ATTR_MTIME | ATTR_CTIME;
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

static void enter_truncate(struct seal_gate *gate, struct ftrace_regs *call)
{
	if (likely(!seal_recallable(d_inode(seal_arg(call, 1, struct dentry *)))))
		return;
	seal_redirect(call, wrap_truncate);
}

/*
 * generic_remap_file_range_prep(in, pos, out, pos, len, flags) and its DAX
 * twin: clone and dedupe, with i_rwsem and the invalidate lock of both held.
 */
static void enter_remap_prep(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *in = file_inode(seal_arg(call, 0, struct file *));
	struct inode *out = file_inode(seal_arg(call, 2, struct file *));

	if ((seal_flagged(out) && seal_gate_refuses_any(gate, out)) ||
	    (seal_flagged(in) && seal_gate_refuses_sharing(gate, in)))
		seal_redirect(call, seal_return_busy);
}

static noinline vm_fault_t return_sigbus(void)
{
	return VM_FAULT_SIGBUS;
}

static noinline vm_fault_t return_fallback(void)
{
	return VM_FAULT_FALLBACK;
}

/*
 * iomap_page_mkwrite(vmf, ops): a store to a page of XFS that is not yet
 * writable, with the invalidate lock held shared. All of the folio becomes
 * dirty; the reference of the fault keeps it from being split.
 */
static __always_inline void page_mkwrite(struct seal_gate *gate,
					 struct ftrace_regs *call)
{
	struct vm_fault *vmf = seal_arg(call, 0, struct vm_fault *);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;
	u64 start, end;

	if (likely(!seal_flagged(inode)))
		return;
	folio = page_folio(vmf->page);
	start = folio_pos(folio);
	/* a page counts up to where the file ends inside it */
	end = min_t(u64, start + folio_size(folio), i_size_read(inode));
	if (seal_gate_refuses(gate, inode, start, end))
		seal_redirect(call, return_sigbus);
}

SEAL_HOOK(page_mkwrite)

static unsigned int fault_order(struct ftrace_regs *call)
{
#if SEAL_KERNEL(6, 6)
	return seal_arg(call, 1, unsigned int);
#else
	switch (seal_arg(call, 1, enum page_entry_size)) {
	case PE_SIZE_PTE:
		return 0;
	case PE_SIZE_PMD:
		return PMD_SHIFT - PAGE_SHIFT;
	default:
		return PUD_SHIFT - PAGE_SHIFT;
	}
#endif
}

/*
 * dax_iomap_fault(vmf, order, ...): stores through a DAX mapping, with
 * the invalidate lock held shared.
 */
static void enter_dax_fault(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct vm_fault *vmf = seal_arg(call, 0, struct vm_fault *);
	struct inode *inode = vmf->vma->vm_file->f_mapping->host;
	unsigned int order = fault_order(call);
	u64 start, end;

	if (likely(!seal_flagged(inode)))
		return;
	/* loads, and stores to a private copy */
	if (!(vmf->flags & FAULT_FLAG_WRITE) || vmf->cow_page)
		return;

	start = round_down((u64)vmf->pgoff, 1ULL << order) << PAGE_SHIFT;
	end = min_t(u64, start + (PAGE_SIZE << order),
		    round_up(i_size_read(inode), i_blocksize(inode)));
	if (seal_gate_refuses(gate, inode, start, end))
		seal_redirect(call, order ? return_fallback : return_sigbus);
}

/* --- entered without a lock: wrappers --- */

#ifdef CONFIG_FS_VERITY
/*
 * fsverity_ioctl_enable(file, arg): writes a tree behind EOF for as long as
 * that takes, without a lock, and takes it back if it fails. Filesystems have a
 * gate where it begins; SEAL waits for who has begun.
 */
SEAL_ORIGINAL(seal_enable_verity, int, struct file *file, const void *arg);

static noinline int wrap_enable_verity(struct file *file, const void *arg)
{
	struct inode *inode = file_inode(file);
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	int ret = static_call(seal_enable_verity)(file, arg);

	seal_inside_leave(inside, &own);
	return ret;
}

static void enter_enable_verity(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_redirect(call, wrap_enable_verity);
}
#endif

#ifdef CONFIG_QUOTA
/*
 * dquot_quota_on(sb, type, format, path): from now on the kernel itself writes
 * the file, and makes it grow, past every gate.
 */
SEAL_ORIGINAL(seal_quota_on, int, struct super_block *sb, int type, int format,
	      const struct path *path);

static struct seal_gate vfs_gates[];

enum vfs_wrapped {
	WRAP_QUOTA_ON,
};

static noinline int wrap_quota_on(struct super_block *sb, int type, int format,
				  const struct path *path)
{
	struct inode *inode = d_inode(path->dentry);
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	int ret = -ETXTBSY;

	if (!seal_flagged(inode) ||
	    !seal_gate_refuses_any(&vfs_gates[WRAP_QUOTA_ON], inode))
		ret = static_call(seal_quota_on)(sb, type, format, path);
	seal_inside_leave(inside, &own);
	return ret;
}

static void enter_quota_on(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_redirect(call, wrap_quota_on);
}
#endif

/*
 * Not here: vfs_fallocate(), because loop and target call ->fallocate()
 * directly; file_modified() and friends, because they know no range.
 */
static struct seal_gate vfs_gates[] = {
#ifdef CONFIG_QUOTA
	[WRAP_QUOTA_ON] = SEAL_GATE_WRAPPED("dquot_quota_on", enter_quota_on,
					    seal_quota_on),
#endif
#ifdef CONFIG_FS_VERITY
	SEAL_GATE_WRAPPED("fsverity_ioctl_enable", enter_enable_verity,
			  seal_enable_verity),
#endif
	SEAL_GATE_HOT("generic_write_checks", write_checks),
	SEAL_GATE_HOT("iomap_page_mkwrite", page_mkwrite),
	SEAL_GATE("notify_change", enter_notify_change),
	SEAL_GATE("generic_remap_file_range_prep", enter_remap_prep),
	SEAL_GATE("dax_remap_file_range_prep", enter_remap_prep),
	SEAL_GATE("dax_iomap_fault", enter_dax_fault),
};

struct seal_gate_set seal_vfs_gates = {
	.name		= "vfs",
	.gates		= vfs_gates,
	.nr_gates	= ARRAY_SIZE(vfs_gates),
};

static struct seal_gate vfs_recalls[] = {
	SEAL_GATE_WAITING("do_truncate", enter_truncate, seal_do_truncate),
};

struct seal_gate_set seal_vfs_recalls = {
	.name		= "vfs-recall",
	.gates		= vfs_recalls,
	.nr_gates	= ARRAY_SIZE(vfs_recalls),
};
