// SPDX-License-Identifier: GPL-2.0-only
/* Which files can be sealed at all. */
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/magic.h>
#include <linux/quota.h>
#include <linux/string.h>

#include "base/compat.h"
#include "base/debug.h"
#include "gates/eligible.h"
#include "gates/filesystems.h"
#include "probes/fs.h"
#include "probes/gate.h"
#include "uapi/seal.h"

static bool named_journalled(const void *dirty_folio)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)dirty_folio);
	return strstarts(name, "ext4_journalled_");
}

static bool named_gated(const void *fallocate, const struct seal_fs *fs)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)fallocate);
	return !strcmp(name, fs->fallocate);
}

/*
 * With data=journal new data sits in the journal until a checkpoint, and a
 * program that reads the blocks sees old data. The mount option is private to
 * ext4, but the operations that it selects can be seen.
 */
static bool journals_data(const struct inode *inode, const struct seal_fs *fs)
{
	const void *op = inode->i_mapping->a_ops->dirty_folio;

	if (op && op == READ_ONCE(fs->set->dirty_folio))
		return false;
	return named_journalled(op);
}

/*
 * Are the gates on the functions that the VFS calls for this file? Some modules
 * put their own operations in the place of those of the filesystem, and their
 * calls can bypass the gates.
 */
static bool operations_gated(const struct inode *inode,
			     const struct seal_fs *fs)
{
	const void *op = inode->i_fop->fallocate;

	if (op && op == READ_ONCE(fs->set->fallocate))
		return true;
	return named_gated(op, fs);
}

/*
 * A reader of fs->set->fallocate and dirty_folio has a file of the filesystem
 * open, which pins the module of the filesystem: a pointer that set_detach()
 * clears at the same time is still valid.
 */
void seal_eligible_learn(struct seal_fs *fs, const struct inode *inode)
{
	const void *op = inode->i_fop->fallocate;

	/* the first inode counts; set_detach() clears both pointers */
	if (READ_ONCE(fs->set->fallocate))
		return;
	if (named_gated(op, fs))
		WRITE_ONCE(fs->set->fallocate, op);
	op = inode->i_mapping->a_ops->dirty_folio;
	if (!named_journalled(op))
		WRITE_ONCE(fs->set->dirty_folio, op);
}

/*
 * Does the filesystem itself write this inode? ext4 lets nobody open such an
 * inode, and marks quota files (S_NOQUOTA). XFS lets its own inodes be opened
 * by file handle (later kernels not all of them) and marks none: the quota
 * inodes, and those of the realtime device, which mkfs.xfs puts behind the root
 * inode.
 */
static bool filesystems_own(const struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	u64 root = d_inode(sb->s_root)->i_ino;
	struct qc_state state = { };
	unsigned int type;

	if (IS_NOQUOTA(inode) || IS_PRIVATE(inode))
		return true;
	if (sb->s_magic != XFS_SUPER_MAGIC || seal_step_skipped(SEAL_STEP_OWN))
		return false;
	if (SEAL_XFS_REALTIME_BEHIND_ROOT && inode->i_ino > root &&
	    inode->i_ino <= root + 2)
		return true;
	/* while quota is off, the filesystem does not write its inodes */
	if (!sb->s_qcop || !sb->s_qcop->get_state ||
	    sb->s_qcop->get_state(sb, &state))
		return false;
	for (type = 0; type < ARRAY_SIZE(state.s_state); type++)
		if (state.s_state[type].flags & QCI_SYSFILE &&
		    state.s_state[type].ino == inode->i_ino)
			return true;
	return false;
}

static struct seal_fs *refuse(int error, const char *why, char *reason)
{
	strscpy(reason, why, SEAL_REASON_LEN);
	return ERR_PTR(error);
}

struct seal_fs *seal_eligible(struct file *file, u32 *fs_flags, char *reason)
{
	struct inode *inode = file_inode(file);
	struct seal_fileattr fa = { };
	struct seal_fs *fs;
	int ret;

	if (!S_ISREG(inode->i_mode))
		return refuse(-EOPNOTSUPP, "not a regular file", reason);
	fs = seal_fs_of(inode, reason);
	if (!fs)
		return ERR_PTR(-EOPNOTSUPP);
	if (!seal_owner_or_capable(file))
		return refuse(-EPERM, "neither owner of the file nor CAP_FOWNER",
			      reason);
	if (!inode->i_op->fiemap || !inode->i_sb->s_bdev)
		return refuse(-EOPNOTSUPP, "the filesystem has no block map",
			      reason);
	if (!operations_gated(inode, fs))
		return refuse(-EOPNOTSUPP, "the file's operations are not those of its filesystem",
			      reason);
	if (inode->i_sb->s_writers.frozen != SB_UNFROZEN)
		return refuse(-EBUSY, "the filesystem is frozen", reason);
	if (filesystems_own(inode))
		return refuse(-EOPNOTSUPP, "a file of the filesystem itself",
			      reason);
	if (IS_ENCRYPTED(inode))
		return refuse(-EOPNOTSUPP, "the file is encrypted", reason);

	ret = vfs_fileattr_get(file_dentry(file), &fa);
	if (ret)
		return refuse(ret == -ENOIOCTLCMD || ret == -ENOTTY ?
			      -EOPNOTSUPP : ret,
			      "the attributes of the file cannot be read", reason);
	*fs_flags = fa.flags;
	if (fa.fsx_xflags & FS_XFLAG_REALTIME)
		return refuse(-EOPNOTSUPP, "realtime files have map changes that no gate covers",
			      reason);
	if (fa.flags & FS_INLINE_DATA_FL)
		return refuse(-EOPNOTSUPP, "the data is inline in the inode, it has no blocks",
			      reason);
	if ((fa.flags & FS_JOURNAL_DATA_FL) || journals_data(inode, fs))
		return refuse(-EOPNOTSUPP, "data=journal: new data is in the journal",
			      reason);
	if (fa.flags & FS_COMPR_FL)
		return refuse(-EOPNOTSUPP, "the file is compressed", reason);
	if (seal_has_layout_lease(inode))
		return refuse(-EBUSY, "a pNFS client holds a layout of the file",
			      reason);
	return fs;
}
