// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests only: lets user space call the block layout operations a
 * filesystem offers to the pNFS server. The way there through nfsd takes a
 * second machine that shares the disk.
 */
#include <linux/exportfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iomap.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#include <linux/exportfs_block.h>
#endif
/* of 6.3, and of stable series before */
#if __has_include(<linux/filelock.h>)
#include <linux/filelock.h>
#endif

#include "layout_test.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
static const struct exportfs_block_ops *ops_of(struct inode *inode)
{
	const struct export_operations *ops = inode->i_sb->s_export_op;

	return ops ? ops->block_ops : NULL;
}

static int commit(struct inode *inode, struct iomap *map)
{
	return ops_of(inode)->commit_blocks(inode, map, 1, 0);
}
#else
static const struct export_operations *ops_of(struct inode *inode)
{
	return inode->i_sb->s_export_op;
}

static int commit(struct inode *inode, struct iomap *map)
{
	struct iattr attr = {
		.ia_valid = ATTR_ATIME | ATTR_MTIME | ATTR_CTIME,
	};

	attr.ia_atime = attr.ia_mtime = attr.ia_ctime = current_time(inode);
	return ops_of(inode)->commit_blocks(inode, map, 1, &attr);
}
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
typedef struct file_lease lease_t;
typedef struct lease_manager_operations lease_ops_t;

static lease_t *lease_alloc(struct file *file)
{
	lease_t *lease = locks_alloc_lease();

	if (lease) {
		locks_init_lease(lease);
		lease->c.flc_flags = FL_LAYOUT;
		lease->c.flc_type = F_RDLCK;
		lease->c.flc_pid = current->tgid;
		lease->c.flc_file = file;
	}
	return lease;
}

#define lease_owner(lease)	((lease)->c.flc_owner)
#define lease_free(lease)	locks_free_lease(lease)
#else
typedef struct file_lock lease_t;
typedef struct lock_manager_operations lease_ops_t;

static lease_t *lease_alloc(struct file *file)
{
	lease_t *lease = locks_alloc_lock();

	if (lease) {
		locks_init_lock(lease);
		lease->fl_flags = FL_LAYOUT;
		lease->fl_type = F_RDLCK;
		lease->fl_end = OFFSET_MAX;
		lease->fl_pid = current->tgid;
		lease->fl_file = file;
	}
	return lease;
}

#define lease_owner(lease)	((lease)->fl_owner)
#define lease_free(lease)	locks_free_lock(lease)
#endif

static char the_client;

/* The client is asked for it and takes its time. */
static bool lease_break(lease_t *lease)
{
	return false;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
static int lease_open_conflict(struct file *file, int type)
{
	return 0;
}
#endif

static const lease_ops_t lease_ops = {
	.lm_break		= lease_break,
	.lm_change		= lease_modify,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	.lm_open_conflict	= lease_open_conflict,
#endif
};

static int lease_take(struct file *file)
{
	lease_t *lease = lease_alloc(file);
	int ret;

	if (!lease)
		return -ENOMEM;
	lease->fl_lmops = &lease_ops;
	lease_owner(lease) = (fl_owner_t)&the_client;
	ret = vfs_setlease(file, F_RDLCK, &lease, NULL);
	if (ret)
		lease_free(lease);
	return ret;
}

static int lease_return(struct file *file)
{
	void *owner = &the_client;

	return vfs_setlease(file, F_UNLCK, NULL, &owner);
}

static long layout_ioctl(struct file *dev, unsigned int cmd, unsigned long arg)
{
	struct iomap map = { };
	struct layout_test op;
	struct inode *inode;
	struct file *file;
	u32 generation;
	long ret;

	if (copy_from_user(&op, (void __user *)arg, sizeof(op)))
		return -EFAULT;
	file = fget(op.fd);
	if (!file)
		return -EBADF;
	inode = file_inode(file);

	if (cmd == LAYOUT_TEST_LEASE) {
		ret = lease_take(file);
	} else if (cmd == LAYOUT_TEST_RETURN) {
		ret = lease_return(file);
	} else if (!ops_of(inode) || !ops_of(inode)->map_blocks) {
		ret = -EOPNOTSUPP;
	} else if (cmd == LAYOUT_TEST_MAP) {
		ret = ops_of(inode)->map_blocks(inode, op.offset, op.length,
						&map, true, &generation);
	} else if (cmd == LAYOUT_TEST_COMMIT) {
		map.offset = op.offset;
		map.length = op.length;
		map.type = IOMAP_UNWRITTEN;
		ret = commit(inode, &map);
	} else {
		ret = -ENOTTY;
	}
	fput(file);
	return ret;
}

static const struct file_operations layout_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= layout_ioctl,
};

static struct miscdevice layout_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "seal-layout-test",
	.fops	= &layout_fops,
	.mode	= 0600,
};
module_misc_device(layout_device);

MODULE_DESCRIPTION("Block layout operations for tests of seal");
MODULE_LICENSE("GPL");
