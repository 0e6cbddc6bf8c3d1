// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page cache of a file does not see writes to its blocks through a device,
 * nor the cache of the device writes through the file. So the cache of the file
 * has to be empty when the device appears and when it goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "export/export.h"

#define WINDOW 0x40000000ULL

/* Is any page of a part cached? mincore(2) needs a mapping, which adds none. */
static int cached(int fd, uint64_t offset, size_t length, bool *any)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (length + page - 1) / page;
	unsigned char *vector = malloc(pages);
	size_t i;
	void *map;
	int ret = 0;

	if (!vector)
		return -ENOMEM;
	map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	if (map == MAP_FAILED) {
		free(vector);
		return -errno;
	}
	if (mincore(map, length, vector) < 0)
		ret = -errno;
	for (i = 0; !ret && i < pages && !*any; i++)
		*any = vector[i] & 1;
	munmap(map, length);
	free(vector);
	return ret;
}

static int any_cached(int fd, uint64_t size, bool *any)
{
	uint64_t offset;
	int ret = 0;

	*any = false;
	for (offset = 0; !ret && !*any && offset < size; offset += WINDOW)
		ret = cached(fd, offset, size - offset < WINDOW ?
			     (size_t)(size - offset) : WINDOW, any);
	return ret;
}

int export_drop_cache(const char *path, int fd)
{
	unsigned int tries;
	struct stat st;
	bool any;
	int ret;

	if (fstat(fd, &st) < 0 || fsync(fd) < 0) {
		complain(path, "writing it back: %s", strerror(errno));
		return -1;
	}
	/* Pages that were just read may be in a list of another processor. */
	for (tries = 0; tries < 20; tries++) {
		ret = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (!ret)
			ret = -any_cached(fd, (uint64_t)st.st_size, &any);
		if (ret) {
			complain(path, "dropping its page cache: %s",
				 strerror(ret));
			return -1;
		}
		if (!any)
			return 0;
		usleep(50000);
	}
	complain(path, "its page cache cannot be dropped; end the programs that use or map it");
	return -1;
}
