// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates on functions of the kernel itself: the VFS, and the iomap and DAX code
 * that filesystems share.
 *
 * All of them are global functions that are called from other translation
 * units, so no caller there has an inlined copy. page_cache_ra_order() also has
 * callers in its own file. They call it, too; tests/kernel/races/tails looks.
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

/* The numbers of the gates in their table, at the end. */
enum vfs_gate {
	VFS_WRITE_CHECKS,
	VFS_PAGE_MKWRITE,
	VFS_NOTIFY_CHANGE,
	VFS_REMAP_PREP,
#if SEAL_READAHEAD_GATE
	VFS_READAHEAD,
#endif
	VFS_DAX_REMAP_PREP,
	VFS_DAX_FAULT,
#ifdef CONFIG_FS_VERITY
	VFS_ENABLE_VERITY,
#endif
#ifdef CONFIG_QUOTA
	VFS_QUOTA_ON,
#endif
};

/*
 * A file that does not exist, to which seal_write_gate_armed() writes nothing
 * in order to find out whether the gate sees the call.
 */
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

/* Decide about a write to a file that has the flag. */
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
	/* also if it stays in the last block, it would move the end */
	if (unlikely(end > size))
		return seal_gate_refuses_any(gate, inode);

	/*
	 * Before 6.6 write-back takes the whole page for dirty, and so converts
	 * unwritten neighbours of the blocks that were written. A direct write
	 * that falls back to the cache is decided in buffered_write().
	 */
	if (!SEAL_IOMAP_BLOCK_DIRTY && inode->i_blkbits < PAGE_SHIFT &&
	    seal_is_xfs(inode) && !(iocb->ki_flags & IOCB_DIRECT) &&
	    !IS_DAX(inode)) {
		start = round_down(start, PAGE_SIZE);
		end = min_t(u64, round_up(end, PAGE_SIZE),
			    round_up(size, i_blocksize(inode)));
	}

	/*
	 * XFS does an atomic write out of place if the device cannot do it.
	 * There is a gate on that path, too, but set-id bits and timestamps
	 * have changed by then.
	 */
	if (seal_atomic_redirected(iocb, end - start) && seal_is_xfs(inode))
		return seal_gate_refuses_any(gate, inode);

	if (likely(seal_all_in_place(inode)))
		return false;
	return seal_gate_refuses(gate, inode, start, end);
}

/*
 * Most writes to sealed files: all of the file is in place, and the write ends inside
 * it. refuse_write() says the same of them; here they pass without a call.
 */
static __always_inline bool passes_at_once(const struct inode *inode,
					   const struct kiocb *iocb,
					   const struct iov_iter *from)
{
	u64 count = iov_iter_count(from);

	return seal_all_in_place(inode) && count &&
	       !(iocb->ki_flags & (IOCB_APPEND | SEAL_IOCB_ATOMIC)) &&
	       iocb->ki_pos + count <= (u64)i_size_read(inode);
}

/*
 * generic_write_checks(iocb, from): every ->write_iter of both filesystems
 * calls it with i_rwsem held, before set-id bits or timestamps change, and with
 * the whole request. So a write that is only partly in place is refused as a
 * whole.
 */
static __always_inline void write_checks(struct seal_gate *gate,
					 struct ftrace_regs *call)
{
	struct kiocb *iocb = seal_arg(call, 0, struct kiocb *);
	struct inode *inode = file_inode(iocb->ki_filp);
	struct iov_iter *from;

	if (likely(!seal_flagged(inode)))
		return;
	from = seal_arg(call, 1, struct iov_iter *);
	if (likely(passes_at_once(inode, iocb, from)))
		return;
	if (refuse_write(gate, iocb, from, inode))
		seal_redirect(call, seal_return_busy);
}

SEAL_HOOK(write_checks)

#if !SEAL_IOMAP_BLOCK_DIRTY
/*
 * iomap_file_buffered_write(iocb, from, ops): called with i_rwsem held. A
 * direct write that cannot drop the cached pages of its range goes on through
 * the cache and still has IOCB_DIRECT. The handler shortens it to the whole
 * pages that are in place; the caller calls again for the rest.
 */
static __always_inline void buffered_write(struct seal_gate *gate,
					   struct ftrace_regs *call)
{
	struct kiocb *iocb = seal_arg(call, 0, struct kiocb *);
	struct iov_iter *from = seal_arg(call, 1, struct iov_iter *);
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 start, end, size;

	if (likely(!(iocb->ki_flags & IOCB_DIRECT)) || !seal_flagged(inode) ||
	    i_blocksize(inode) >= PAGE_SIZE || seal_gate_skipped(gate))
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
 * notify_change(idmap, dentry, attr, delegated): the only caller of ->setattr.
 * It is called with i_rwsem held.
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
	 * The size does not change, so turn the call into an update of the
	 * timestamps. A truncate would also free the blocks beyond the end.
	 */
	attr->ia_valid &= ~ATTR_SIZE;
	attr->ia_valid |= ATTR_MTIME | ATTR_CTIME;
}

/*
 * do_truncate(idmap, dentry, length, time_attrs, file): called before i_rwsem
 * is taken. If the compiler has inlined it into its callers, nobody is asked.
 */
SEAL_ORIGINAL(seal_do_truncate, int, void *idmap, struct dentry *dentry,
	      loff_t length, unsigned int time_attrs, struct file *file);

static noinline int wrap_truncate(void *idmap, struct dentry *dentry,
				  loff_t length, unsigned int time_attrs,
				  struct file *file)
{
	int recall = seal_recall_enter();
	int ret = 0;

	/* a truncate to the same size is not refused, so nobody is asked */
	if (length != i_size_read(d_inode(dentry)))
		ret = seal_recall(d_inode(dentry), NULL, file, "notify_change");
	if (!ret)
		ret = static_call(seal_do_truncate)(idmap, dentry, length,
						    time_attrs, file);
	seal_recall_leave(recall);
	seal_unwrap();
	return ret;
}

static void enter_truncate(struct seal_gate *gate, struct ftrace_regs *call)
{
	if (likely(!seal_recallable(d_inode(seal_arg(call, 1, struct dentry *)))))
		return;
	seal_wrap(call, wrap_truncate);
}

/*
 * generic_remap_file_range_prep(in, pos, out, pos, len, flags) and the function
 * for DAX: clone and dedupe call them with i_rwsem and the invalidate lock of
 * both files held.
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
 * iomap_page_mkwrite(vmf, ops): a store to a page of XFS that is not writable
 * yet. It is called with the invalidate lock held shared. The whole folio
 * becomes dirty; the fault has a reference, so the folio cannot be split.
 */
static __always_inline void page_mkwrite(struct seal_gate *gate,
					 struct ftrace_regs *call)
{
	struct vm_fault *vmf = seal_arg(call, 0, struct vm_fault *);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;
	u64 start, end;

	if (likely(!seal_flagged(inode)) || seal_all_in_place(inode))
		return;
	folio = page_folio(vmf->page);
	start = folio_pos(folio);
	/* only the part of the folio before EOF counts */
	end = min_t(u64, start + folio_size(folio), i_size_read(inode));
	if (seal_gate_refuses(gate, inode, start, end))
		seal_redirect(call, return_sigbus);
}

SEAL_HOOK(page_mkwrite)

#if SEAL_READAHEAD_GATE
/* Readahead by the smallest folios, up to the page with the last byte. */
static noinline void read_small(struct readahead_control *ractl,
				struct file_ra_state *ra)
{
	struct address_space *mapping = ractl->mapping;
	pgoff_t pages = DIV_ROUND_UP_ULL(i_size_read(mapping->host), PAGE_SIZE);
	pgoff_t index = readahead_index(ractl);
	struct seal_inside own, *inside;

	if (index >= pages)
		goto out;
	/* only for rmmod, because this sleeps; sealing does not wait for it */
	inside = seal_inside_enter(mapping, &own);
	if (SEAL_READAHEAD_LOCKED)
		filemap_invalidate_lock_shared(mapping);
	page_cache_ra_unbounded(ractl, min_t(pgoff_t, ra->size, pages - index),
				ra->async_size);
	if (SEAL_READAHEAD_LOCKED)
		filemap_invalidate_unlock_shared(mapping);
	seal_inside_leave(inside, &own);
out:
	seal_unwrap();
}

static bool has_small_folios(struct inode *inode)
{
	const struct seal_entry *entry;
	bool ret;

	rcu_read_lock();
	entry = seal_lookup(inode);
	ret = entry && READ_ONCE(entry->small_folios);
	rcu_read_unlock();
	return ret;
}

/*
 * page_cache_ra_order(ractl, ra, order): reads folios as large as the mapping
 * allows, and tests for that before it takes the invalidate lock. This gate
 * refuses nothing: it has the data read by the smallest folios.
 */
static void enter_readahead(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode =
		seal_arg(call, 0, struct readahead_control *)->mapping->host;

	if (likely(!seal_flagged(inode)) || !has_small_folios(inode))
		return;
	if (!seal_gate_skipped(gate))
		seal_wrap(call, read_small);
}
#endif

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
 * dax_iomap_fault(vmf, order, ...): an access through a DAX mapping. It is
 * called with the invalidate lock held shared.
 */
static void enter_dax_fault(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct vm_fault *vmf = seal_arg(call, 0, struct vm_fault *);
	struct inode *inode = vmf->vma->vm_file->f_mapping->host;
	unsigned int order = fault_order(call);
	u64 start, end;

	if (likely(!seal_flagged(inode)))
		return;
	/* loads, and stores to a private copy, change no map */
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
 * fsverity_ioctl_enable(file, arg) writes a Merkle tree behind EOF, holds no
 * lock for most of the time, and truncates the tree away if it fails. A gate of
 * the filesystem refuses its first step for a sealed file. This wrapper refuses
 * nothing; it lets SEAL wait for calls that have begun.
 */
SEAL_ORIGINAL(seal_enable_verity, int, struct file *file, const void *arg);

static noinline int wrap_enable_verity(struct file *file, const void *arg)
{
	struct inode *inode = file_inode(file);
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	int ret = static_call(seal_enable_verity)(file, arg);

	seal_inside_leave(inside, &own);
	seal_unwrap();
	return ret;
}

static void enter_enable_verity(struct seal_gate *gate, struct ftrace_regs *call)
{
	if (!seal_gate_skipped(gate))
		seal_wrap(call, wrap_enable_verity);
}
#endif

#ifdef CONFIG_QUOTA
/*
 * dquot_quota_on(sb, type, format, path): afterwards the kernel itself writes
 * to the quota file, and makes it grow, without passing any gate.
 */
SEAL_ORIGINAL(seal_quota_on, int, struct super_block *sb, int type, int format,
	      const struct path *path);

static struct seal_gate vfs_gates[];

static noinline int wrap_quota_on(struct super_block *sb, int type, int format,
				  const struct path *path)
{
	struct inode *inode = d_inode(path->dentry);
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	int ret = -ETXTBSY;

	if (!seal_flagged(inode) ||
	    !seal_gate_refuses_any(&vfs_gates[VFS_QUOTA_ON], inode))
		ret = static_call(seal_quota_on)(sb, type, format, path);
	seal_inside_leave(inside, &own);
	seal_unwrap();
	return ret;
}

static void enter_quota_on(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_wrap(call, wrap_quota_on);
}
#endif

/*
 * Those that share an ops are searched in this order: first what many calls pass.
 *
 * No gate is on vfs_fallocate(), because loop and target call ->fallocate()
 * directly, nor on file_modified() and similar functions, because they do not
 * know the range.
 */
static struct seal_gate vfs_gates[] = {
	[VFS_WRITE_CHECKS] = SEAL_GATE_HOT("generic_write_checks", write_checks),
	[VFS_PAGE_MKWRITE] = SEAL_GATE_HOT("iomap_page_mkwrite", page_mkwrite),
	[VFS_NOTIFY_CHANGE] = SEAL_GATE("notify_change", enter_notify_change),
	[VFS_REMAP_PREP] = SEAL_GATE("generic_remap_file_range_prep",
				     enter_remap_prep),
#if SEAL_READAHEAD_GATE
	[VFS_READAHEAD] = SEAL_GATE("page_cache_ra_order", enter_readahead),
#endif
	[VFS_DAX_REMAP_PREP] = SEAL_GATE("dax_remap_file_range_prep",
					 enter_remap_prep),
	[VFS_DAX_FAULT] = SEAL_GATE("dax_iomap_fault", enter_dax_fault),
#ifdef CONFIG_FS_VERITY
	[VFS_ENABLE_VERITY] = SEAL_GATE_WRAPPED("fsverity_ioctl_enable",
						enter_enable_verity,
						seal_enable_verity),
#endif
#ifdef CONFIG_QUOTA
	[VFS_QUOTA_ON] = SEAL_GATE_WRAPPED_TAIL("dquot_quota_on",
						enter_quota_on, seal_quota_on,
						"dquot_load_quota_inode"),
#endif
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
