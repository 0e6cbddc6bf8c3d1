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

	if (!ops_of(inode) || !ops_of(inode)->map_blocks) {
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
