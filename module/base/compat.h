/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernel versions.
 *
 * A difference is decided by feature where the preprocessor can see the
 * feature, because distributions backport. It is decided by version where only
 * the type of an argument or the body of a function changed.
 */
#ifndef SEAL_COMPAT_H
#define SEAL_COMPAT_H

#include <linux/version.h>

/* scripts/check-kernel tells the user what a kernel lacks */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "seal: this kernel is too old, 6.1 is the first that can be used"
#endif
/*
 * The 6.12 of these distributions carries changes of later series, and the
 * version number does not show which. There may be a path that nobody reviewed.
 */
#if defined(RHEL_RELEASE_CODE) || defined(CONFIG_SUSE_KERNEL)
#error "seal: kernels of this distribution carry changes of later series, which were not reviewed"
#endif
#ifdef SEAL_LACKS
#error "seal: the configuration of this kernel does not fit BUILD_EXCLUSIVE_CONFIG in dkms.conf"
#endif

#include <linux/blkdev.h>
#include <linux/exportfs.h>
#include <linux/falloc.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <net/genetlink.h>

/* FALLOC_FL_WRITE_ZEROES came with 6.17. */
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

#define SEAL_KERNEL(a, b)	(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))
#define SEAL_SERIES(a, b)	(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0) && \
				 LINUX_VERSION_CODE < KERNEL_VERSION(a, (b) + 1, 0))

/* some static checkers lack it; every compiler of these kernels has it */
#ifdef __has_include
#if __has_include("linux/exportfs_block.h")
#include <linux/exportfs_block.h>
#define SEAL_EXPORT_BLOCK_OPS	1
#endif
#if __has_include("linux/folio_batch.h")
#include <linux/folio_batch.h>
#define SEAL_FOLIO_BATCH_H	1
#endif
#endif
#ifndef SEAL_FOLIO_BATCH_H
#include <linux/pagevec.h>
#endif
#if SEAL_KERNEL(6, 3)
#include <linux/filelock.h>
#endif
#if !SEAL_KERNEL(6, 12)
#include <asm/unwind.h>
#endif

/*
 * For these series, the paths that change a map were read from the source and
 * tried on running kernels. Another series may have a new path, so nothing is
 * sealed there.
 */
#if SEAL_SERIES(6, 1) || SEAL_SERIES(6, 12) || SEAL_SERIES(6, 18) || \
	SEAL_SERIES(7, 2) || SEAL_SERIES(7, 3)
#define SEAL_SERIES_REVIEWED	true
#else
#define SEAL_SERIES_REVIEWED	false
#endif

/* the kernel has XFS_IOC_EXCHANGE_RANGE */
#define SEAL_XFS_EXCHANGE	SEAL_KERNEL(6, 10)
/* the kernel is built with online repair of XFS */
#define SEAL_XFS_REPAIR		IS_ENABLED(CONFIG_XFS_ONLINE_REPAIR)
/* the function of ext4 that reserves blocks for a delayed allocation */
#if SEAL_KERNEL(6, 10)
#define SEAL_EXT4_INSERT_DELAYED	"ext4_es_insert_delayed_extent"
#else
#define SEAL_EXT4_INSERT_DELAYED	"ext4_es_insert_delayed_block"
#endif
/* ext4_fiemap() takes i_rwsem. */
#define SEAL_EXT4_FIEMAP_LOCKS	SEAL_KERNEL(6, 13)
/*
 * XFS has out-of-place atomic writes. They begin in a function of their own, or
 * (from 7.3 on) in iomap_next().
 */
#define SEAL_XFS_ATOMIC_BEGIN	(SEAL_KERNEL(6, 16) && !SEAL_KERNEL(7, 3))
#define SEAL_XFS_ATOMIC_NEXT	SEAL_KERNEL(7, 3)
/*
 * The two inodes with the numbers behind that of the root inode of XFS are
 * those of the realtime device. From 6.13 on they can have other numbers, and
 * no file handle gives access to them.
 */
#define SEAL_XFS_REALTIME_BEHIND_ROOT	(!SEAL_KERNEL(6, 13))
/*
 * iomap tracks which blocks of a folio are dirty. Before 6.6, write-back of a
 * folio with one dirty block writes all unwritten blocks of the folio, and
 * thereby converts them.
 */
#define SEAL_IOMAP_BLOCK_DIRTY	SEAL_KERNEL(6, 6)

/* BPF trampolines do not know in time that they share a function: share.c */
#define SEAL_BPF_ASKS_LATE	(!SEAL_KERNEL(6, 18))

/*
 * The kernel is built for processors on which an indirect call must end at an
 * ENDBR instruction, and BPF trampolines make such calls: landing.h
 */
#define SEAL_LANDINGS		IS_ENABLED(CONFIG_X86_KERNEL_IBT)

#if SEAL_KERNEL(6, 3)
static inline bool seal_owner_or_capable(struct file *file)
{
	return inode_owner_or_capable(file_mnt_idmap(file), file_inode(file));
}

static inline bool seal_path_owner_or_capable(const struct path *path)
{
	return inode_owner_or_capable(mnt_idmap(path->mnt),
				      d_inode(path->dentry));
}
#else
static inline bool seal_owner_or_capable(struct file *file)
{
	return inode_owner_or_capable(file_mnt_user_ns(file),
				      file_inode(file));
}

static inline bool seal_path_owner_or_capable(const struct path *path)
{
	return inode_owner_or_capable(mnt_user_ns(path->mnt),
				      d_inode(path->dentry));
}
#endif

#if SEAL_KERNEL(6, 17)
#define seal_fileattr	file_kattr
#else
#define seal_fileattr	fileattr
#endif

/* Of a write: it may go out of place even if all blocks are in place. */
#if SEAL_XFS_ATOMIC_BEGIN || SEAL_XFS_ATOMIC_NEXT
#define SEAL_IOCB_ATOMIC	IOCB_ATOMIC
#else
#define SEAL_IOCB_ATOMIC	0
#endif

#if SEAL_XFS_ATOMIC_BEGIN || SEAL_XFS_ATOMIC_NEXT
/* Does XFS always write this atomic write of @length bytes out of place? */
static inline bool seal_atomic_redirected(struct kiocb *iocb, u64 length)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	return iocb->ki_flags & IOCB_ATOMIC &&
	       length > bdev_atomic_write_unit_max_bytes(inode->i_sb->s_bdev);
}
#else
static inline bool seal_atomic_redirected(struct kiocb *iocb, u64 length)
{
	return false;
}
#endif

/*
 * Store the return addresses on the stack of another task, innermost first, and
 * return their number. The caller is in an RCU read-side section, because the
 * stack of a task that ends is freed after a grace period.
 */
#if SEAL_KERNEL(6, 12)
static inline unsigned int seal_stack_of(struct task_struct *task,
					 unsigned long *stack, unsigned int max)
{
	return stack_trace_save_tsk(task, stack, max, 0);
}
#elif defined(CONFIG_UNWINDER_ORC)
static inline unsigned int seal_stack_of(struct task_struct *task,
					 unsigned long *stack, unsigned int max)
{
	struct unwind_state state;
	unsigned int nr = 0;

	if (!READ_ONCE(task->stack))
		return 0;
	for (unwind_start(&state, task, NULL, NULL);
	     !unwind_done(&state) && nr < max; unwind_next_frame(&state)) {
		unsigned long address = unwind_get_return_address(&state);

		if (!address)
			break;
		stack[nr++] = address;
	}
	return nr;
}
#endif

/* Return the attributes of the request for a dump, or NULL if it had none. */
static inline struct nlattr **seal_dump_attrs(struct netlink_callback *cb)
{
#if SEAL_KERNEL(6, 7)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* A pNFS client that may write blocks of a file itself holds a layout lease. */
static inline bool seal_has_layout_lease(struct inode *inode)
{
	struct file_lock_context *ctx = locks_inode_context(inode);
	bool found = false;

	if (!ctx)
		return false;

	spin_lock(&ctx->flc_lock);
#if SEAL_KERNEL(6, 9)
	{
		struct file_lease *lease;

		list_for_each_entry(lease, &ctx->flc_lease, c.flc_list)
			if (lease->c.flc_flags & FL_LAYOUT)
				found = true;
	}
#else
	{
		struct file_lock *lease;

		list_for_each_entry(lease, &ctx->flc_lease, fl_list)
			if (lease->fl_flags & FL_LAYOUT)
				found = true;
	}
#endif
	spin_unlock(&ctx->flc_lock);
	return found;
}

/*
 * A function that ftrace calls can read the arguments of the traced function
 * and send the call elsewhere. ftrace need not save all registers for that.
 */
#ifdef ftrace_instruction_pointer_set
/* before 6.2 */
static __always_inline unsigned long
seal_call_argument(struct ftrace_regs *call, unsigned int n)
{
	return regs_get_kernel_argument(&call->regs, n);
}

static __always_inline void seal_call_redirect(struct ftrace_regs *call,
					       unsigned long to)
{
	ftrace_instruction_pointer_set(call, to);
}

static __always_inline unsigned long
seal_call_target(struct ftrace_regs *call)
{
	return call->regs.ip;
}
#else
static __always_inline unsigned long
seal_call_argument(struct ftrace_regs *call, unsigned int n)
{
	return ftrace_regs_get_argument(call, n);
}

static __always_inline void seal_call_redirect(struct ftrace_regs *call,
					       unsigned long to)
{
	ftrace_regs_set_instruction_pointer(call, to);
}

/* Where the call goes as things stand. */
static __always_inline unsigned long
seal_call_target(struct ftrace_regs *call)
{
	return ftrace_regs_get_instruction_pointer(call);
}
#endif

/*
 * Since 7.3 kernel threads have an empty root directory of their own. Between
 * these two calls a kernel thread has the root directory of init.
 */
static inline struct fs_struct *seal_init_fs_begin(void)
{
#ifdef scoped_with_init_fs
	return __override_init_fs();
#else
	return NULL;
#endif
}

static inline void seal_init_fs_end(struct fs_struct *old)
{
#ifdef scoped_with_init_fs
	__revert_init_fs(old);
#endif
}

/* Do these arguments of __break_lease() break layouts without waiting? */
#ifdef LEASE_BREAK_LAYOUT
static inline bool seal_breaks_layout(unsigned int flags, unsigned int unused)
{
	return flags & LEASE_BREAK_LAYOUT && flags & LEASE_BREAK_NONBLOCK;
}
#else
static inline bool seal_breaks_layout(unsigned int mode, unsigned int type)
{
	return type & FL_LAYOUT && mode & O_NONBLOCK;
}
#endif

/*
 * Filesystems offer the pNFS server an operation that converts unwritten blocks
 * which somebody has written through the device. seal_commit_blocks() calls it.
 * @size is the new size of the file in bytes, or 0 if it does not change.
 */
#ifdef SEAL_EXPORT_BLOCK_OPS
static inline bool seal_can_commit_blocks(struct super_block *sb)
{
#ifdef CONFIG_EXPORTFS_BLOCK_OPS
	return sb->s_export_op && sb->s_export_op->block_ops &&
	       sb->s_export_op->block_ops->commit_blocks;
#else
	return false;
#endif
}

static inline int seal_commit_blocks(struct inode *inode, struct iomap *maps,
				     int nr, u64 size)
{
#ifdef CONFIG_EXPORTFS_BLOCK_OPS
	return inode->i_sb->s_export_op->block_ops->commit_blocks(inode, maps,
								  nr, size);
#else
	return -EOPNOTSUPP;
#endif
}
#else
static inline bool seal_can_commit_blocks(struct super_block *sb)
{
	return sb->s_export_op && sb->s_export_op->commit_blocks;
}

static inline int seal_commit_blocks(struct inode *inode, struct iomap *maps,
				     int nr, u64 size)
{
	struct iattr attr = {
		.ia_valid = ATTR_ATIME | ATTR_CTIME | ATTR_MTIME,
		.ia_atime = current_time(inode),
	};

	attr.ia_mtime = attr.ia_atime;
	attr.ia_ctime = attr.ia_atime;
	if (size) {
		attr.ia_valid |= ATTR_SIZE;
		attr.ia_size = size;
	}
	return inode->i_sb->s_export_op->commit_blocks(inode, maps, nr, &attr);
}
#endif

/*
 * Remove a folio from the page cache of a regular file. The caller holds the
 * lock of the folio, which is neither dirty nor in write-back.
 */
static inline void seal_remove_folio(struct address_space *mapping,
				     struct folio *folio)
{
#if SEAL_KERNEL(6, 8)
	generic_error_remove_folio(mapping, folio);
#else
	generic_error_remove_page(mapping, &folio->page);
#endif
}

/*
 * Bits of mapping->flags tell which folio sizes the page cache may use for a
 * file. The kernel's own helpers do not update the word atomically, and other
 * tasks set error bits in it at any time; so these helpers only compute bits.
 */
#ifdef AS_FOLIO_ORDER_MASK
#define SEAL_FOLIO_BITS		AS_FOLIO_ORDER_MASK

static inline unsigned long seal_small_folios(unsigned long flags)
{
	unsigned long min = flags & AS_FOLIO_ORDER_MIN_MASK;

	/* largest order := smallest order */
	return min | min << AS_FOLIO_ORDER_BITS;
}
#else
#define SEAL_FOLIO_BITS		BIT(AS_LARGE_FOLIO_SUPPORT)

static inline unsigned long seal_small_folios(unsigned long flags)
{
	return 0;
}
#endif

/*
 * Before 7.2 the kernel accounts a huge folio by these bits when the folio goes,
 * and warns if they do not allow such folios. So the bits stay as they are there,
 * and a gate restricts readahead to small folios. Nothing else adds large folios
 * to a file with both kinds of blocks: a write adds no folio that goes beyond its
 * own pages.
 */
#define SEAL_READAHEAD_GATE	!SEAL_KERNEL(7, 2)

/*
 * Kernels before 7.2 can be built to collapse pages of executables that nobody
 * has open for writing, whatever the bits say. Later kernels test the bits.
 */
#define SEAL_COLLAPSE_UNASKED	(SEAL_READAHEAD_GATE && \
				 IS_ENABLED(CONFIG_READ_ONLY_THP_FOR_FS))

/* Does the caller of page_cache_ra_unbounded() hold the invalidate lock? */
#define SEAL_READAHEAD_LOCKED	SEAL_KERNEL(7, 0)

#endif /* SEAL_COMPAT_H */
