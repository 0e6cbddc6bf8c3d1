// SPDX-License-Identifier: GPL-2.0-only
/* Facts about XFS inodes that their VFS inodes do not show. */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/magic.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/owners.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "probes/set.h"
#include "probes/symbol.h"
#include "uapi/seal.h"

SEAL_ORIGINAL(seal_xfs_vm_bmap, sector_t, struct address_space *mapping,
	      sector_t block);
SEAL_ORIGINAL(seal_xfs_cancel_cow_range, int, void *ip, loff_t offset,
	      loff_t count, bool cancel_real);

/* One task measures at a time, and attaches a gate for that. */
static DEFINE_MUTEX(measure_lock);
static ptrdiff_t vnode_offset;

/*
 * What is found out once for each load of the module of XFS has a word that
 * says for which seal_modules_gone() it is known, plus 1; 0: it is not known.
 * No lock is needed to ask, because the open file of the caller pins the module
 * of XFS.
 */
static bool is_known(const u64 *known)
{
	/* pairs with the release in set_known() */
	return smp_load_acquire(known) == seal_modules_gone() + 1;
}

static void set_known(u64 *known, u64 modules_gone)
{
	/* pairs with the acquire in is_known() */
	smp_store_release(known, modules_gone + 1);
}

bool seal_is_xfs(const struct inode *inode)
{
	return inode->i_sb->s_magic == XFS_SUPER_MAGIC;
}

struct inode *seal_xfs_vnode(void *xfs_inode)
{
	return (struct inode *)((char *)xfs_inode + READ_ONCE(vnode_offset));
}

/*
 * Find a function of XFS. Returns 0; -EOPNOTSUPP: there is none, as the reason
 * says; or another error, because of which it is not known.
 */
static int function_bind(const char *symbol, void (*bind)(unsigned long original),
			 const struct seal_limit *limit)
{
	int ret = seal_symbol_bind(SEAL_XFS_MODULE, symbol, bind, limit);

	if (ret != -ENOENT && ret != -EOPNOTSUPP)
		return ret;
	snprintf(limit->reason, SEAL_REASON_LEN, "no function %s of XFS",
		 symbol);
	return -EOPNOTSUPP;
}

/* Find the functions of XFS called here. */
static int find_functions(const struct seal_limit *limit)
{
	int ret = function_bind("xfs_vm_bmap", bind_seal_xfs_vm_bmap, limit);

	if (ret || (!SEAL_XFS_ATOMIC_BEGIN && !SEAL_XFS_ATOMIC_NEXT))
		return ret;
	return function_bind("xfs_reflink_cancel_cow_range",
			     bind_seal_xfs_cancel_cow_range, limit);
}

/* Several tasks may do this at a time, and all find the same. */
static int learn_functions(const struct seal_limit *limit)
{
	u64 gone = seal_modules_gone();
	static u64 known;
	int ret;

	if (is_known(&known))
		return 0;
	ret = find_functions(limit);
	if (!ret)
		set_known(&known, gone);
	return ret;
}

/*
 * xfs_vm_bmap() returns 0 for every block of an inode that carries the reflink
 * flag, and of a realtime inode: swap must not write in place there, and XFS
 * does not either. FIEMAP does not show this. DAX inodes have no ->bmap method,
 * but the function works for them, too.
 */
bool seal_xfs_redirects(struct inode *inode, u64 offset)
{
	sector_t block = offset >> inode->i_blkbits;
	char reason[SEAL_REASON_LEN];
	struct seal_limit limit;

	if (!seal_is_xfs(inode))
		return false;

	if (inode->i_mapping->a_ops->bmap)
		return bmap(inode, &block) || !block;

	/* the open file pins the module of XFS, and with it the function */
	seal_limit_start(&limit, reason);
	return learn_functions(&limit) ||
	       !static_call(seal_xfs_vm_bmap)(inode->i_mapping, block);
}

/* The task that measures, and the inode that it has locked; measure_lock. */
static struct task_struct *measuring;
static void *measured;

/* xfs_ilock(ip, flags): the first call of this task locks the file's inode. */
static void enter_ilock(struct seal_gate *gate, struct ftrace_regs *call)
{
	if (READ_ONCE(measuring) == current && !measured)
		measured = seal_arg(call, 0, void *);
}

static struct seal_gate measure_gates[] = {
	SEAL_OBSERVER("xfs_ilock", enter_ilock),
};

static struct seal_gate_set measure_set = {
	.name		= "xfs-measure",
	.module		= SEAL_XFS_MODULE,
	.gates		= measure_gates,
	.nr_gates	= ARRAY_SIZE(measure_gates),
	.observes	= true,
};

/*
 * When XFS reads the attributes of a file, it takes the innermost lock of the
 * XFS inode. No task holds that lock while it waits for another task.
 */
static int measure(struct file *file, const struct seal_limit *limit)
{
	struct inode *inode = file_inode(file);
	struct seal_fileattr fa = { };
	ptrdiff_t offset;
	int ret;

	ret = seal_set_get(&measure_set, limit);
	if (ret)
		return ret;
	measured = NULL;
	WRITE_ONCE(measuring, current);
	ret = vfs_fileattr_get(file_dentry(file), &fa);
	WRITE_ONCE(measuring, NULL);
	seal_set_put(&measure_set);

	/* these errors say nothing about the layout of the inode */
	if (ret == -EIO || ret == -ENOMEM)
		return ret;
	offset = (char *)inode - (char *)measured;
	if (ret || !measured || offset < 0 || offset > PAGE_SIZE ||
	    offset % sizeof(void *)) {
		snprintf(limit->reason, SEAL_REASON_LEN,
			 "cannot locate the inode inside the XFS inode (error %d)",
			 ret);
		return -EOPNOTSUPP;
	}
	WRITE_ONCE(vnode_offset, offset);
	return 0;
}

int seal_xfs_measure(struct file *file, const struct seal_limit *limit)
{
	u64 gone = seal_modules_gone();
	static u64 known;
	int ret;

	ret = learn_functions(limit);
	if (ret || is_known(&known))
		return ret;
	ret = seal_mutex_lock(&measure_lock, limit,
			      "the first XFS file is still being looked at");
	if (ret)
		return ret;
	if (!is_known(&known)) {
		ret = measure(file, limit);
		if (!ret)
			set_known(&known, gone);
	}
	mutex_unlock(&measure_lock);
	return ret;
}

/*
 * Since 6.16 an atomic write can leave preallocated blocks in the copy-on-write
 * fork of an inode that was never reflinked. Write-back puts the next overwrite
 * of the range there.
 */
bool seal_xfs_may_prealloc_cow(const struct inode *inode)
{
	/* a read-only mount allocates nothing, and dropping would fail there */
	return (SEAL_XFS_ATOMIC_BEGIN || SEAL_XFS_ATOMIC_NEXT) &&
	       seal_is_xfs(inode) && !sb_rdonly(inode->i_sb);
}

/* An @end of U64_MAX means everything from @start on. */
int seal_xfs_cancel_cow(struct inode *inode, u64 start, u64 end)
{
	const loff_t all = -1;		/* NULLFILEOFF */

	return static_call(seal_xfs_cancel_cow_range)((char *)inode -
						      vnode_offset, start,
						      end == U64_MAX ? all :
						      (loff_t)(end - start),
						      true);
}
