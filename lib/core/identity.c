// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The identity of a file: filesystem, inode, generation.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/private.h"

/*
 * The general ioctl for the UUID came with 6.10; before that each filesystem
 * had its own. Not all kernel headers have them, so they are defined here.
 */
struct fs_uuid {
	__u8	length;
	__u8	uuid[16];
};

#define GET_FS_UUID	_IOR(0x15, 0, struct fs_uuid)

struct ext4_uuid {
	__u32	length;
	__u32	flags;
	__u8	uuid[16];
};

/* The number has the size of the structure without the array at its end. */
#define EXT4_GET_UUID	_IOR('f', 44, __u64)

struct xfs_geometry {
	__u32	numbers[8];
	__u64	counts[4];
	__u8	uuid[16];
	__u32	more[7];
};

#define XFS_GEOMETRY	_IOR('X', 100, struct xfs_geometry)

static int get_uuid(int fd, uint8_t uuid[16])
{
	struct fs_uuid any = { 0 };
	struct ext4_uuid ext4 = { .length = sizeof(ext4.uuid) };
	struct xfs_geometry xfs;

	if (!seal_ioctl(fd, GET_FS_UUID, &any) &&
	    any.length == sizeof(any.uuid)) {
		memcpy(uuid, any.uuid, sizeof(any.uuid));
		return 0;
	}
	if (!seal_ioctl(fd, XFS_GEOMETRY, &xfs)) {
		memcpy(uuid, xfs.uuid, sizeof(xfs.uuid));
		return 0;
	}
	if (!seal_ioctl(fd, EXT4_GET_UUID, &ext4) &&
	    ext4.length == sizeof(ext4.uuid)) {
		memcpy(uuid, ext4.uuid, sizeof(ext4.uuid));
		return 0;
	}
	return -EOPNOTSUPP;
}

static int identify(int fd, struct seal_identity *identity)
{
	/* The kernel stores an int although the number says long. */
	long generation = 0;
	struct stat st;
	int block, ret;

	memset(identity, 0, sizeof(*identity));
	if (fstat(fd, &st) < 0)
		return -errno;
	ret = get_uuid(fd, identity->uuid);
	if (ret)
		return ret;
	ret = seal_ioctl(fd, FS_IOC_GETVERSION, &generation);
	if (ret)
		return ret == -ENOTTY ? -EOPNOTSUPP : ret;
	ret = seal_ioctl(fd, FIGETBSZ, &block);
	if (ret)
		return ret;
	identity->generation = (uint32_t)generation;
	identity->block_size = (uint32_t)block;
	identity->inode = st.st_ino;
	identity->size = (uint64_t)st.st_size;
	identity->dev_major = major(st.st_dev);
	identity->dev_minor = minor(st.st_dev);
	return 0;
}

SEAL_EXPORT int seal_identity_sized(int fd, struct seal_identity *identity,
				    size_t size)
{
	struct seal_identity whole;
	int ret = identify(fd, &whole);

	seal_give(identity, size, &whole, sizeof(whole));
	return ret;
}
