// SPDX-License-Identifier: GPL-2.0-only
/* Files with a given layout, made with plain system calls. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>

void pattern(void *buf, uint64_t off, size_t len, uint8_t seed)
{
	uint8_t *p = buf;

	/* Never zero, so that it differs from holes and unwritten blocks. */
	for (size_t i = 0; i < len; i++, off++)
		p[i] = (off * 131 + (off >> 9) * 14 + seed * 74) | 1;
}

void *new_data(uint64_t off, size_t len)
{
	void *buf;

	if (posix_memalign(&buf, 4096, len ? len : 1))
		die("no memory");
	pattern(buf, off, len, SEED_NEW);
	return buf;
}

void wrote(struct file *f, const void *buf, size_t len, uint64_t off)
{
	if (off >= f->size)
		return;
	if (len > f->size - off)
		len = f->size - off;
	memcpy(f->model + off, buf, len);
}

uint64_t fs_block(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		die("fstatfs: %s", strerror(errno));
	return fs.f_bsize;
}

uint64_t case_unit(const struct contract_case *tc, int fd)
{
	if (tc->unit == UNIT_FSBLOCK)
		return fs_block(fd);
	return tc->unit ? tc->unit : UNIT;
}

static void put(struct file *f, uint64_t off, uint64_t len, uint8_t seed)
{
	pattern(f->model + off, off, len, seed);
	while (len) {
		ssize_t n = pwrite(f->fd, f->model + off, len, off);

		if (n <= 0)
			die("%s: write at %llu: %s", f->path,
			    (unsigned long long)off, strerror(errno));
		off += n;
		len -= n;
	}
}

static void sync_file(struct file *f)
{
	if (fsync(f->fd))
		die("%s: fsync: %s", f->path, strerror(errno));
}

static int share(struct ctx *c, struct file *f, uint64_t off, uint64_t len)
{
	struct file_clone_range range = {
		.src_fd = f->fd,
		.src_offset = off,
		.src_length = len,
		.dest_offset = off,
	};
	char path[sizeof(f->path) + 8];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s.share", f->path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (ioctl(fd, FICLONERANGE, &range)) {
		if (errno != EOPNOTSUPP)
			die("%s: FICLONERANGE: %s", path, strerror(errno));
		ret = skip(c, "the filesystem has no reflink");
	}
	close(fd);
	return ret;
}

static bool is_data(char state)
{
	return state && strchr("WFSh", state);
}

/* Length of the run of the same state, and that state. */
static size_t run_length(const char *layout, size_t i)
{
	size_t n = 1;

	if (layout[i] == 'F')
		return 1;
	while (layout[i + n] == layout[i])
		n++;
	return n;
}

/*
 * Only what the filesystem says after the fact counts: allocators round,
 * merge and convert, and a layout that is not there would test nothing.
 */
static void verify(const struct file *f, const char *layout, uint64_t unit)
{
	struct extent *ext;
	unsigned int count = extents_read(f->fd, &ext);
	uint64_t pos = 0;
	bool beyond = false;

	for (const char *p = layout; *p; p++) {
		char found = '.';

		if (*p == '|') {
			beyond = true;
			continue;
		}
		for (unsigned int i = 0; i < count; i++) {
			uint64_t mid = pos;

			if (*p == 'P' && ext[i].logical + ext[i].length > pos)
				found = 'P';
			if (mid < ext[i].logical ||
			    mid >= ext[i].logical + ext[i].length || *p == 'P')
				continue;
			if (ext[i].flags & (FIEMAP_EXTENT_DELALLOC |
					    FIEMAP_EXTENT_UNKNOWN))
				found = '?';
			else if (ext[i].flags & FIEMAP_EXTENT_UNWRITTEN)
				found = 'U';
			else if (ext[i].flags & FIEMAP_EXTENT_SHARED)
				found = 'S';
			else
				found = 'W';
		}
		if (found != *p && !(found == 'W' && is_data(*p) && *p != 'S'))
			die("%s: layout %s: '%c' at %llu%s", f->path, layout,
			    found, (unsigned long long)pos,
			    beyond ? " (beyond the end)" : "");
		pos += unit;
	}
	free(ext);
}

/* A target that is not what its name says would test something else. */
static void verify_dax(const struct file *f)
{
	struct statx stx;

	if (statx(f->fd, "", AT_EMPTY_PATH, 0, &stx))
		die("%s: statx: %s", f->path, strerror(errno));
	if (!(opt.target & T_DAX) != !(stx.stx_attributes & STATX_ATTR_DAX))
		die("%s: DAX is %s", f->path,
		    opt.target & T_DAX ? "off" : "on");
}

static void set_extsize(struct file *f)
{
	struct fsxattr fsx;

	if (ioctl(f->fd, FS_IOC_FSGETXATTR, &fsx))
		die("%s: FSGETXATTR: %s", f->path, strerror(errno));
	fsx.fsx_xflags |= FS_XFLAG_EXTSIZE;
	fsx.fsx_extsize = B(16);
	if (ioctl(f->fd, FS_IOC_FSSETXATTR, &fsx))
		die("%s: FSSETXATTR: %s", f->path, strerror(errno));
}

static void fill(struct file *f, const char *layout, size_t units,
		 uint64_t unit, uint8_t seed)
{
	bool fragmented = strchr(layout, 'F');

	/* In file order; fragmented backwards, each unit on disk by itself. */
	if (fragmented) {
		for (size_t i = units; i-- > 0;) {
			if (layout[i] != 'F')
				continue;
			put(f, i * unit, unit, seed);
			sync_file(f);
		}
	}
	for (size_t i = 0, n; i < units; i += n) {
		uint64_t len;

		n = run_length(layout, i);
		len = layout[i] == 'h' ? unit / 2 : n * unit;
		if (is_data(layout[i]) && layout[i] != 'F')
			put(f, i * unit, len, seed);
	}
}

static int prepare(struct ctx *c, struct file *f, const char *layout,
		   uint64_t unit, uint8_t seed)
{
	size_t units = strcspn(layout, "|");
	const char *beyond = layout[units] ? layout + units + 1 : "";
	bool grow = *beyond == 'P';
	int ret;

	f->size = units * unit;
	if (units && layout[units - 1] == 'h')
		f->size -= unit / 2;
	f->model = calloc(1, f->size + 1);
	if (!f->model)
		die("no memory");
	if (grow) {
		for (size_t i = 0; i < units; i++)
			put(f, i * unit, unit, seed);
	} else {
		/* The size first: an appending writer gets preallocation. */
		if (ftruncate(f->fd, f->size))
			die("%s: ftruncate: %s", f->path, strerror(errno));
		fill(f, layout, units, unit, seed);
	}
	sync_file(f);
	/*
	 * Unwritten blocks last: while they are next to blocks under writeback
	 * ext4 may zero and convert them along.
	 */
	for (size_t i = 0, n; i < units; i += n) {
		n = run_length(layout, i);
		if (layout[i] == 'U' &&
		    fallocate(f->fd, 0, i * unit, n * unit))
			die("%s: fallocate: %s", f->path, strerror(errno));
		if (layout[i] == 'S') {
			ret = share(c, f, i * unit, n * unit);
			if (ret)
				return ret;
		}
	}
	if (*beyond == 'U' &&
	    fallocate(f->fd, FALLOC_FL_KEEP_SIZE, units * unit,
		      strlen(beyond) * unit))
		die("%s: fallocate: %s", f->path, strerror(errno));
	sync_file(f);
	verify(f, layout, unit);
	return 0;
}

int file_make(struct ctx *c, struct file *f, const char *name,
	      const char *layout, uint8_t seed)
{
	bool hint = !strncmp(layout, "e:", 2);

	snprintf(f->path, sizeof(f->path), "%s/%s", opt.dir, name);
	f->fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (f->fd < 0)
		die("%s: %s", f->path, strerror(errno));
	verify_dax(f);
	if (hint)
		set_extsize(f);
	return prepare(c, f, hint ? layout + 2 : layout,
		       case_unit(c->tc, f->fd), seed);
}

void file_reopen(struct file *f, int flags)
{
	close(f->fd);
	f->fd = open(f->path, flags | O_CLOEXEC);
	if (f->fd < 0)
		die("%s: %s", f->path, strerror(errno));
}

void file_close(struct file *f)
{
	char path[sizeof(f->path) + 8];

	if (!f->path[0])
		return;
	if (f->fd >= 0)
		close(f->fd);
	unlink(f->path);
	snprintf(path, sizeof(path), "%s.share", f->path);
	unlink(path);
	free(f->model);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}
