// SPDX-License-Identifier: GPL-2.0-only
/* What a file is at one moment, and what of it changed. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BATCH 64

/* All extents, those beyond the end of the file included. */
unsigned int extents_read(int fd, struct extent **ext)
{
	struct fiemap *fm;
	unsigned int count = 0;
	uint64_t start = 0;
	bool last = false;

	*ext = NULL;
	fm = malloc(sizeof(*fm) + BATCH * sizeof(fm->fm_extents[0]));
	while (fm && !last) {
		struct extent *more;

		memset(fm, 0, sizeof(*fm));
		fm->fm_start = start;
		fm->fm_length = FIEMAP_MAX_OFFSET - start;
		fm->fm_flags = FIEMAP_FLAG_SYNC;
		fm->fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, fm))
			die("FIEMAP: %s", strerror(errno));
		if (!fm->fm_mapped_extents)
			break;
		more = realloc(*ext, (count + fm->fm_mapped_extents) *
				     sizeof(**ext));
		if (!more)
			die("no memory");
		*ext = more;
		for (unsigned int i = 0; i < fm->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &fm->fm_extents[i];

			/* How the answer was cut says nothing of the map. */
			(*ext)[count++] = (struct extent){
				e->fe_logical, e->fe_physical, e->fe_length,
				e->fe_flags & ~(FIEMAP_EXTENT_LAST |
						FIEMAP_EXTENT_MERGED),
			};
			start = e->fe_logical + e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	free(fm);
	return count;
}

void snap_take(struct ctx *c, const struct file *f, struct snap *s)
{
	unsigned int flags = 0;

	memset(s, 0, sizeof(*s));
	s->count = extents_read(f->fd, &s->ext);
	if (fstat(f->fd, &s->st))
		die("%s: fstat: %s", f->path, strerror(errno));
	if (!ioctl(f->fd, FS_IOC_GETFLAGS, &flags))
		s->iflags = flags;
	if (c->session) {
		struct seal_status status = { 0 };
		int ret = seal_status(c->session, f->fd, &status);

		if (ret)
			die("%s: seal_status: %s", f->path, strerror(-ret));
		s->digest = status.digest;
		s->refused = status.refused;
		s->broken = status.broken;
		s->sealed = status.flags & SEAL_STATUS_SEALED;
	}
}

void snap_free(struct snap *s)
{
	free(s->ext);
	s->ext = NULL;
}

static bool time_differs(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

/* The same map with fewer extents: how it is cut may depend on what is ignored. */
static unsigned int merge(const struct snap *s, uint32_t ignore,
			  struct extent *out)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->count; i++) {
		struct extent e = s->ext[i];
		struct extent *prev = n ? &out[n - 1] : NULL;

		e.flags &= ~ignore;
		if (prev && prev->logical + prev->length == e.logical &&
		    prev->physical + prev->length == e.physical &&
		    prev->flags == e.flags)
			prev->length += e.length;
		else
			out[n++] = e;
	}
	return n;
}

static bool extents_differ(const struct snap *a, const struct snap *b,
			   uint32_t ignore, char *why, size_t size)
{
	struct extent *x = calloc(a->count + 1, sizeof(*x));
	struct extent *y = calloc(b->count + 1, sizeof(*y));
	unsigned int i, nx, ny;
	bool differ = false;

	if (!x || !y)
		die("no memory");
	nx = merge(a, ignore, x);
	ny = merge(b, ignore, y);
	for (i = 0; i < nx || i < ny; i++) {
		/* The spare entry of the shorter list is all zero. */
		const struct extent *p = &x[i < nx ? i : nx];
		const struct extent *q = &y[i < ny ? i : ny];

		if (!memcmp(p, q, sizeof(*p)))
			continue;
		snprintf(why, size,
			 "extent %u: %" PRIu64 "+%" PRIu64 " at %" PRIu64
			 " flags %" PRIx64 " -> %" PRIu64 "+%" PRIu64 " at %" PRIu64
			 " flags %" PRIx64, i, p->logical, p->length, p->physical,
			 p->flags, q->logical, q->length, q->physical, q->flags);
		differ = true;
		break;
	}
	free(x);
	free(y);
	return differ;
}

static bool map_differs(const struct snap *a, const struct snap *b,
			uint32_t ignore, char *why, size_t size)
{
	if (a->st.st_size != b->st.st_size) {
		snprintf(why, size, "size %" PRId64 " -> %" PRId64,
			 (int64_t)a->st.st_size, (int64_t)b->st.st_size);
		return true;
	}
	return extents_differ(a, b, ignore, why, size);
}

bool snap_moved(const struct snap *a, const struct snap *b, char *why,
		size_t size)
{
	return extents_differ(a, b, FIEMAP_EXTENT_SHARED, why, size);
}

bool snap_differs(const struct snap *a, const struct snap *b,
		  unsigned int what, char *why, size_t size)
{
	if (what & SNAP_MAP &&
	    map_differs(a, b, what & SNAP_SHARING ? FIEMAP_EXTENT_SHARED : 0,
			why, size))
		return true;
	if (what & SNAP_META) {
		if (a->st.st_mode != b->st.st_mode) {
			snprintf(why, size, "mode %o -> %o", a->st.st_mode,
				 b->st.st_mode);
			return true;
		}
		if (a->st.st_uid != b->st.st_uid ||
		    a->st.st_gid != b->st.st_gid) {
			snprintf(why, size, "owner changed");
			return true;
		}
		if (a->st.st_blocks != b->st.st_blocks) {
			snprintf(why, size, "blocks %" PRId64 " -> %" PRId64,
				 (int64_t)a->st.st_blocks,
				 (int64_t)b->st.st_blocks);
			return true;
		}
		if (a->iflags != b->iflags) {
			snprintf(why, size, "inode flags %x -> %x", a->iflags,
				 b->iflags);
			return true;
		}
	}
	if (what & SNAP_TIMES) {
		if (time_differs(a->st.st_mtim, b->st.st_mtim)) {
			snprintf(why, size, "mtime changed");
			return true;
		}
		if (time_differs(a->st.st_ctim, b->st.st_ctim)) {
			snprintf(why, size, "ctime changed");
			return true;
		}
	}
	if (what & SNAP_DIGEST && a->digest != b->digest) {
		snprintf(why, size, "digest %" PRIx64 " -> %" PRIx64,
			 a->digest, b->digest);
		return true;
	}
	return false;
}

static bool compare(const struct file *f, const char *where, char *why,
		    size_t size)
{
	uint8_t *data = malloc(f->size + 1);
	uint64_t done = 0;
	bool differs = false;

	if (!data)
		die("no memory");
	while (done < f->size) {
		ssize_t n = pread(f->fd, data + done, f->size - done, done);

		if (n <= 0)
			die("%s: read at %" PRIu64 ": %s", f->path, done,
			    n ? strerror(errno) : "end of file");
		done += n;
	}
	for (uint64_t i = 0; i < f->size && !differs; i++) {
		if (data[i] == f->model[i])
			continue;
		snprintf(why, size,
			 "content (%s): byte %" PRIu64 " is %02x, not %02x",
			 where, i, data[i], f->model[i]);
		differs = true;
	}
	free(data);
	return differs;
}

/* As the page cache has it, and as the disk has it. */
bool content_differs(const struct file *f, char *why, size_t size)
{
	if (compare(f, "cached", why, size))
		return true;
	if (fdatasync(f->fd) && errno != EROFS)
		die("%s: fdatasync: %s", f->path, strerror(errno));
	posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	return compare(f, "on disk", why, size);
}
