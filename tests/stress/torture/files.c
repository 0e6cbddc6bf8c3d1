// SPDX-License-Identifier: GPL-2.0-only
/* The files everybody works on. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct file files[] = {
	{ .name = "cached0", .class = CACHED, .max = MODEL_SIZE },
	{ .name = "cached1", .class = CACHED, .max = MODEL_SIZE },
	{ .name = "cached2", .class = CACHED, .max = MODEL_SIZE },
	{ .name = "direct0", .class = DIRECT, .max = MODEL_SIZE },
	{ .name = "direct1", .class = DIRECT, .max = MODEL_SIZE },
	{ .name = "map0", .class = MAP_ONLY, .max = FILE_SIZE },
	{ .name = "map1", .class = MAP_ONLY, .max = FILE_SIZE },
	/* on XFS with an extent size hint, which takes another way to blocks */
	{ .name = "map2", .class = MAP_ONLY, .max = FILE_SIZE },
	{ .name = "tiny", .class = TINY, .max = TINY_BLOCKS * BLOCK },
};

const unsigned int nr_files = ARRAY_SIZE(files);

int file_open(const struct file *f, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", opt.dir, f->name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	/* it is remounted now and then, with all but sealers at rest */
	if (fd < 0 && errno != EROFS)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void extent_size_hint(int fd)
{
	struct fsxattr fsx;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &fsx))
		die("FSGETXATTR: %s", strerror(errno));
	fsx.fsx_xflags |= FS_XFLAG_EXTSIZE;
	fsx.fsx_extsize = 4 * BLOCK;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &fsx))
		die("FSSETXATTR: %s", strerror(errno));
}

static bool has_extents(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		die("GETFLAGS: %s", strerror(errno));
	return flags & FS_EXTENT_FL;
}

static void make(struct file *f)
{
	pthread_rwlockattr_t attr;
	uint64_t size = f->max / 2;
	char *buf = calloc(1, size);
	int fd = file_open(f, O_RDWR | O_CREAT | O_TRUNC);

	if (!buf)
		die("no memory");
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&f->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&f->seal_lock, NULL);
	if (!strcmp(f->name, "map2") && opt.fs == ON_XFS)
		extent_size_hint(fd);
	f->direct_blocks = opt.fs == ON_EXT4 && !has_extents(fd);
	/* Every other block first, so that there are many extents. */
	for (uint64_t off = 0; off < size; off += 2 * BLOCK)
		if (pwrite(fd, buf, BLOCK, off) != BLOCK)
			die("%s: write: %s", f->name, strerror(errno));
	if (fsync(fd) || pwrite(fd, buf, size, 0) != (ssize_t)size || fsync(fd))
		die("%s: write: %s", f->name, strerror(errno));
	f->size = size;
	close(fd);
	free(buf);
}

void files_make(void)
{
	for (unsigned int i = 0; i < nr_files; i++)
		make(&files[i]);
}

struct file *pick_file(struct worker *w, bool model)
{
	unsigned int first = 0, nr = 0;

	for (unsigned int i = 0; i < nr_files; i++) {
		if (modelled(&files[i]) != model)
			continue;
		if (!nr++)
			first = i;
	}
	return &files[first + rng_below(&w->rng, nr)];
}

void pick_range(struct worker *w, uint64_t max, unsigned int max_blocks,
		uint64_t *off, uint64_t *len)
{
	*off = (uint64_t)rng_below(&w->rng, max / BLOCK) * BLOCK;
	*len = (uint64_t)(1 + rng_below(&w->rng, max_blocks)) * BLOCK;
	if (*off + *len > max)
		*len = max - *off;
}

/* Empty, for this worker alone. */
int scratch_open(struct worker *w)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/scratch%u", opt.dir, w->number);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}
