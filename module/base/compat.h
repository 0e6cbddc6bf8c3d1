/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernel versions.
 *
 * By feature where a feature can be seen by the preprocessor, because
 * distributions backport; by version where only the type of an argument or
 * the body of a function changed.
 */
#ifndef SEAL_COMPAT_H
#define SEAL_COMPAT_H

#include <linux/version.h>

/* scripts/check-kernel names what is missing */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "seal: this kernel is too old, 6.1 is the first that can be used"
#endif
/*
 * Their 6.12 is not 6.12: changes of later series were put into it, which the
 * version does not tell, so that there may be a path nobody looked at.
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

/* of 6.17 */
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

#define SEAL_KERNEL(a, b)	(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))
#define SEAL_SERIES(a, b)	(LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0) && \
				 LINUX_VERSION_CODE < KERNEL_VERSION(a, (b) + 1, 0))

/* not all that read this know it, but every compiler of these kernels does */
#ifdef __has_include
#if __has_include("linux/exportfs_block.h")
#include <linux/exportfs_block.h>
#define SEAL_EXPORT_BLOCK_OPS	1
#endif
#if __has_include("linux/folio_batch.h")
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif
#endif
#if SEAL_KERNEL(6, 3)
#include <linux/filelock.h>
#endif
#if !SEAL_KERNEL(6, 12)
#include <asm/unwind.h>
#endif

/*
 * Which paths change a map was read from the source of these series and
 * tried on their kernels. Elsewhere a path may be new: nothing is sealed.
 */
#if SEAL_SERIES(6, 1) || SEAL_SERIES(6, 12) || SEAL_SERIES(6, 18) || \
	SEAL_SERIES(7, 2) || SEAL_SERIES(7, 3)
#define SEAL_SERIES_REVIEWED	true
#else
#define SEAL_SERIES_REVIEWED	false
#endif

/* XFS_IOC_EXCHANGE_RANGE */
#define SEAL_XFS_EXCHANGE	SEAL_KERNEL(6, 10)
/* online repair is built */
#define SEAL_XFS_REPAIR		IS_ENABLED(CONFIG_XFS_ONLINE_REPAIR)
/* what reserves blocks for a delayed allocation */
#if SEAL_KERNEL(6, 10)
#define SEAL_EXT4_INSERT_DELAYED	"ext4_es_insert_delayed_extent"
#else
#define SEAL_EXT4_INSERT_DELAYED	"ext4_es_insert_delayed_block"
#endif
/* out-of-place atomic writes; a plain function, then merged into iomap_next */
#define SEAL_XFS_ATOMIC_BEGIN	(SEAL_KERNEL(6, 16) && !SEAL_KERNEL(7, 3))
#define SEAL_XFS_ATOMIC_NEXT	SEAL_KERNEL(7, 3)
/*
 * The two inodes behind the root inode of XFS are those of the realtime device.
 * Later they can be elsewhere, and no handle gives them out.
 */
#define SEAL_XFS_REALTIME_BEHIND_ROOT	(!SEAL_KERNEL(6, 13))
/*
 * iomap tracks which blocks of a folio are dirty. Before, write-back of a
 * folio with one dirty block writes, and so converts, all its unwritten ones.
 */
#define SEAL_IOMAP_BLOCK_DIRTY	SEAL_KERNEL(6, 6)

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

#if SEAL_XFS_ATOMIC_BEGIN || SEAL_XFS_ATOMIC_NEXT
/* Will an atomic write of this size be redirected for sure? */
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
 * Return addresses on the stack of another task, innermost first. In an RCU
 * section: the stack of a task that ends is freed behind a grace period.
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

/* The attributes of the request that asked for a dump; NULL: it had none. */
static inline struct nlattr **seal_dump_attrs(struct netlink_callback *cb)
{
#if SEAL_KERNEL(6, 7)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* Layout leases are how pNFS clients hold a right to write blocks. */
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
 * A function called by ftrace gets the arguments of the traced function, and
 * can have it go on elsewhere, without saving all of the registers.
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
#endif

/*
 * Since 7.3 kernel threads have a root directory of their own, in which there
 * is nothing, and see that of init between these two.
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

/* Do these arguments of __break_lease() ask for a layout, not to be waited for? */
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
 * Converting unwritten blocks that somebody else has written through the
 * device is an operation of filesystems for the pNFS server. @size, if not 0,
 * is what the file grows to.
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
 * Take a locked folio, that is neither dirty nor in write-back, out of the page
 * cache of a regular file.
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
 * Which folio sizes the page cache may use for a file, as bits of
 * mapping->flags. The kernel's own helpers do not update them atomically, and
 * error bits of the same word are set at any time.
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

#endif /* SEAL_COMPAT_H */
