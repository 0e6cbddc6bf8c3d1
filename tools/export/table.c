// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the blocks of a file on the devices below its filesystem.
 *
 * A mounted filesystem has its device exclusively. But if device-mapper has
 * made that device of linear targets (a logical volume), it holds the devices
 * below, and a second table of device-mapper can use them, too.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/plain_map.h"
#include "export/export.h"

/* The table of the device that a filesystem is on. */
static int table_below(const char *path, dev_t device,
		       struct dm_segments *below)
{
	char node[64];

	snprintf(node, sizeof(node), "/sys/dev/block/%u:%u/dm",
		 major(device), minor(device));
	if (access(node, F_OK) < 0) {
		complain(path,
			 "its filesystem is directly on device %u:%u, which nothing else can use while it is mounted; put the filesystem on a logical volume (or another linear device of device-mapper)",
			 major(device), minor(device));
		return -1;
	}
	if (dm_read_table(major(device), minor(device), below)) {
		complain(path, "the device of its filesystem, %u:%u, does not allow it: %s",
			 major(device), minor(device), dm_error());
		return -1;
	}
	return 0;
}

/* Add a range of the filesystem's device, as pieces of the devices below. */
static int add_stretch(struct dm_segments *segments,
		       const struct dm_segments *below, uint64_t start,
		       uint64_t sector, uint64_t length)
{
	struct dm_segment part;
	uint64_t skip;
	size_t i;
	int ret;

	for (i = 0; i < below->nr && length; i++) {
		part = below->list[i];
		if (sector < part.start || sector >= part.start + part.length)
			continue;
		skip = sector - part.start;
		part.target += skip;
		part.length -= skip;
		if (part.length > length)
			part.length = length;
		part.start = start;
		ret = dm_segments_add(segments, &part);
		if (ret)
			return ret;
		start += part.length;
		sector += part.length;
		length -= part.length;
	}
	return length ? -ENXIO : 0;
}

static int add_extents(struct dm_segments *segments,
		       const struct dm_segments *below, int fd, uint64_t size)
{
	struct plain_extent extent;
	struct plain_map map;
	uint64_t pos = 0;
	int ret;

	ret = plain_map_open(&map, fd);
	while (!ret && pos < size && (ret = plain_map_next(&map, &extent)) > 0) {
		ret = -EBADFD;
		if (extent.logical != pos || extent.unwritten ||
		    extent.physical % DM_SECTOR)
			break;
		if (extent.length > size - pos)
			extent.length = size - pos;
		ret = add_stretch(segments, below, pos / DM_SECTOR,
				  extent.physical / DM_SECTOR,
				  extent.length / DM_SECTOR);
		pos += extent.length;
	}
	plain_map_close(&map);
	if (!ret && pos < size)
		ret = -EBADFD;
	return ret;
}

int export_table(const char *path, int fd, struct dm_segments *segments)
{
	struct dm_segments below;
	struct stat st;
	int ret;

	*segments = (struct dm_segments){ 0 };
	if (fstat(fd, &st) < 0) {
		complain(path, "%s", strerror(errno));
		return -1;
	}
	if (!st.st_size || st.st_size % DM_SECTOR) {
		complain(path,
			 "its size, %lld, is not a multiple of %d; a device has whole sectors",
			 (long long)st.st_size, DM_SECTOR);
		return -1;
	}
	if (table_below(path, st.st_dev, &below))
		return -1;
	ret = add_extents(segments, &below, fd, (uint64_t)st.st_size);
	dm_segments_free(&below);
	if (!ret)
		return 0;
	dm_segments_free(segments);
	if (ret == -EBADFD)
		complain(path,
			 "its map has holes or unwritten blocks; \"sealctl unseal\" it if it is sealed, then \"sealctl seal --prepare\" it");
	else
		complain(path, "its map does not fit the device below: %s",
			 strerror(-ret));
	return -1;
}
