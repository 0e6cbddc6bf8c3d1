// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are the addresses that a filesystem reports addresses of a device?
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/addresses.h"
#include "base/sealctl.h"

#define XFS_MAGIC 0x58465342

/* Overlayfs and others have a device number to which no device belongs. */
static bool is_block_device(dev_t device)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device),
		 minor(device));
	return !access(path, F_OK);
}

/* The blocks of a realtime file are not on the device that stat(2) tells. */
static bool is_realtime(int fd)
{
	struct fsxattr attr;

	return !ioctl(fd, FS_IOC_FSGETXATTR, &attr) &&
	       (attr.fsx_xflags & FS_XFLAG_REALTIME);
}

bool addresses_mean(int fd, char *name, size_t size)
{
	struct statfs fs;
	struct stat st;

	if (!filesystem_name(fd, name, size))
		snprintf(name, size, "another filesystem");
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return false;
	if (fs.f_type != EXT4_SUPER_MAGIC && fs.f_type != XFS_MAGIC)
		return false;
	return is_block_device(st.st_dev) && !is_realtime(fd);
}

uint64_t in_place_bytes(int fd, const struct seal_status *status)
{
	char name[32];

	/* Only files whose addresses mean something can be sealed. */
	if ((status->flags & SEAL_STATUS_SEALED) ||
	    addresses_mean(fd, name, sizeof(name)))
		return status->in_place;
	return 0;
}
