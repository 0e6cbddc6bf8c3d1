// SPDX-License-Identifier: GPL-2.0-only
/* The oracle: it asks the filesystem, and what it knows of the bytes. */
#include "exhaust.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH	64

#define STATE_FLAGS	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | \
			 FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED | \
			 FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_UNWRITTEN | \
			 FIEMAP_EXTENT_SHARED)

static void snap_add(struct snap *snap, const struct fiemap_extent *e)
{
	struct extent *last = snap->nr ? &snap->extents[snap->nr - 1] : NULL;
	uint32_t flags = e->fe_flags & STATE_FLAGS;

	/* how the answer is cut says nothing of the map */
	if (last && last->flags == flags &&
	    !(flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC)) &&
	    last->logical + last->length == e->fe_logical &&
	    last->physical + last->length == e->fe_physical) {
		last->length += e->fe_length;
		return;
	}
	if (snap->nr == MAX_EXTENTS)
		die("a file has too many extents");
	snap->extents[snap->nr++] = (struct extent) {
		.logical = e->fe_logical,
		.physical = e->fe_physical,
		.length = e->fe_length,
		.flags = flags,
	};
}

/* All extents, those beyond the end of the file included. Nothing is synced. */
void snap_take(const struct run *run, struct snap *snap)
{
	union {
		struct fiemap fiemap;
		char room[sizeof(struct fiemap) +
			  BATCH * sizeof(struct fiemap_extent)];
	} q;
	struct stat st;
	uint64_t start = 0;
	bool last = false;
	unsigned int i;

	snap->nr = 0;
	while (!last) {
		memset(&q.fiemap, 0, sizeof(q.fiemap));
		q.fiemap.fm_start = start;
		q.fiemap.fm_length = FIEMAP_MAX_OFFSET - start;
		q.fiemap.fm_extent_count = BATCH;
		if (ioctl(run->fd, FS_IOC_FIEMAP, &q.fiemap))
			die("%s: FIEMAP: %s", run->name, strerror(errno));
		if (!q.fiemap.fm_mapped_extents)
			break;
		for (i = 0; i < q.fiemap.fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &q.fiemap.fm_extents[i];

			snap_add(snap, e);
			start = e->fe_logical + e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	if (fstat(run->fd, &st))
		die("%s: fstat: %s", run->name, strerror(errno));
	snap->size = st.st_size;
}

bool is_in_place(const struct run *run, uint64_t start, uint64_t end)
{
	unsigned int i;

	if (!run->sealed || run->redirected || end > run->before.size)
		return false;
	start -= start % PAGE;
	end += (PAGE - end % PAGE) % PAGE;
	for (i = 0; i < run->before.nr; i++) {
		const struct extent *e = &run->before.extents[i];

		if (e->logical > start || e->logical + e->length <= start)
			continue;
		if (e->flags)
			return false;
		start = e->logical + e->length;
	}
	return start >= end;
}

static const char *state_name(uint32_t flags)
{
	if (flags & FIEMAP_EXTENT_DELALLOC)
		return "delayed";
	if (flags & FIEMAP_EXTENT_UNWRITTEN)
		return "unwritten";
	if (flags & FIEMAP_EXTENT_SHARED)
		return "shared";
	return flags ? "without an address" : "written";
}

static const struct extent *extent_at(const struct snap *snap, uint64_t offset)
{
	unsigned int i;

	for (i = 0; i < snap->nr; i++)
		if (snap->extents[i].logical <= offset &&
		    offset - snap->extents[i].logical < snap->extents[i].length)
			return &snap->extents[i];
	return NULL;
}

static uint64_t end_of(const struct snap *snap)
{
	return snap->nr ? snap->extents[snap->nr - 1].logical +
			  snap->extents[snap->nr - 1].length : 0;
}

/* The first block whose address or state differs; false if none does. */
static bool differ(const struct snap *a, const struct snap *b, bool may_share,
		   char *how, size_t size, uint64_t *where)
{
	uint64_t end = end_of(a) > end_of(b) ? end_of(a) : end_of(b);
	uint64_t offset;

	for (offset = 0; offset < end; offset += world.block) {
		const struct extent *x = extent_at(a, offset);
		const struct extent *y = extent_at(b, offset);
		uint32_t was = x ? x->flags : 0, is = y ? y->flags : 0;

		/* who shared it may have gone, or somebody may share it now */
		if (was & FIEMAP_EXTENT_SHARED || may_share)
			was = (was & ~FIEMAP_EXTENT_SHARED) |
			      (is & FIEMAP_EXTENT_SHARED);
		*where = offset;
		if (!x != !y || was != is) {
			snprintf(how, size, "%s -> %s",
				 x ? state_name(x->flags) : "hole",
				 y ? state_name(y->flags) : "hole");
			return true;
		}
		if (x && x->physical - x->logical != y->physical - y->logical) {
			snprintf(how, size, "moved");
			return true;
		}
	}
	return false;
}

bool map_changed(struct run *run)
{
	struct snap now;
	uint64_t where;
	char how[64];

	snap_take(run, &now);
	return now.size != run->before.size ||
	       differ(&run->before, &now, false, how, sizeof(how), &where);
}

/* May there be @byte at @offset, other than in the model? */
static bool may_be(const struct run *run, uint64_t offset, uint8_t byte)
{
	unsigned int i;

	for (i = 0; i < run->nr_open; i++) {
		uint64_t start = run->open[i].start;

		if (offset < start || offset >= run->open[i].end)
			continue;
		if (byte == (run->open[i].bytes ?
			     run->open[i].bytes[offset - start] : 0))
			return true;
	}
	return false;
}

static void check_bytes(struct run *run, int fd, const char *kind)
{
	static uint8_t *buf;
	size_t length = MAX_SIZE + PAGE;
	uint64_t i;
	ssize_t n;

	if (!buf && posix_memalign((void **)&buf, PAGE, MAX_SIZE + PAGE))
		die("no memory");
	/*
	 * One page more: is there anything behind the end? Not directly: XFS on
	 * 6.1 goes on behind it, and says EIO if a delayed block is there.
	 */
	if (fd == run->direct)
		length = run->size + (PAGE - run->size % world.block) %
			 world.block;
	n = pread(fd, buf, length, 0);
	/* of a delayed block without data ext4 says so; SEAL does not take it */
	if (n < 0 && errno == EIO && fd == run->direct && run->left &&
	    !run->sealed)
		return;
	if (n < 0) {
		fail(run, kind, "read: %s", strerror(errno));
		return;
	}
	if ((uint64_t)n != run->size) {
		fail(run, kind, "%zd bytes, not %llu", n,
		     (unsigned long long)run->size);
		return;
	}
	if (!memcmp(buf, run->model, n))
		return;
	for (i = 0; i < run->size; i++) {
		if (buf[i] == run->model[i] || may_be(run, i, buf[i]))
			continue;
		fail(run, kind, "byte %llu is %#x, not %#x",
		     (unsigned long long)i, buf[i], run->model[i]);
		return;
	}
}

static void check_status(struct run *run, const char *when)
{
	struct seal_status status = { 0 };
	int ret = seal_status(world.session, run->fd, &status);

	if (ret) {
		fail(run, "STATUS fails", "%s: %s", when, strerror(-ret));
		return;
	}
	if (status.broken)
		fail(run, "STATUS says broken", "%s: %llu changes", when,
		     (unsigned long long)status.broken);
	if ((status.flags & (SEAL_STATUS_SEALED | SEAL_STATUS_HELD)) !=
	    (SEAL_STATUS_SEALED | SEAL_STATUS_HELD))
		fail(run, "STATUS says not sealed", "%s: flags %#x", when,
		     status.flags);
	if (!run->digest)
		run->digest = status.digest;
	else if (run->digest != status.digest)
		fail(run, "STATUS has another digest", "%s", when);
}

void check_before(struct run *run)
{
	unsigned int i;

	snap_take(run, &run->before);
	run->may_share = run->cloned;
	if (!run->sealed)
		return;
	run->digest = 0;
	check_status(run, "after SEAL");
	if (run->before.size != run->size)
		fail(run, "another size after SEAL", "%llu, not %llu",
		     (unsigned long long)run->before.size,
		     (unsigned long long)run->size);
	for (i = 0; i < run->before.nr; i++)
		if (run->before.extents[i].flags & FIEMAP_EXTENT_DELALLOC &&
		    run->before.extents[i].logical < run->before.size)
			fail(run, "delayed allocation in a sealed file",
			     "at %llu", (unsigned long long)
			     run->before.extents[i].logical);
}

void check_after(struct run *run)
{
	struct snap now;
	uint64_t where;
	char how[64], kind[96];

	if (run->sealed) {
		snap_take(run, &now);
		if (now.size != run->before.size)
			fail(run, "the size changed", "%llu -> %llu",
			     (unsigned long long)run->before.size,
			     (unsigned long long)now.size);
		if (differ(&run->before, &now, run->may_share, how, sizeof(how),
			   &where)) {
			snprintf(kind, sizeof(kind), "the map changed: %s", how);
			fail(run, kind, "at %llu", (unsigned long long)where);
		}
		check_status(run, "before UNSEAL");
	}
	check_bytes(run, run->fd, "the bytes in the cache differ");
	posix_fadvise(run->fd, 0, 0, POSIX_FADV_DONTNEED);
	check_bytes(run, run->direct, "the bytes on the disk differ");
}
