// SPDX-License-Identifier: GPL-2.0-only
/* Stores through memory mappings. A refused one is a SIGBUS. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define HUGE (2UL << 20)

struct store {
	volatile char *to;
	const char *from;
	size_t len;
};

static void store(void *arg)
{
	struct store *s = arg;

	for (size_t i = 0; i < s->len; i++)
		s->to[i] = s->from[i];
}

static size_t mapped_size(const struct ctx *c)
{
	return (c->f.size + UNIT - 1) & ~(UNIT - 1);
}

/* At an address that allows huge pages, if the file is large enough. */
static void *map_file(struct ctx *c, int flags)
{
	size_t len = mapped_size(c);
	char *room = mmap(NULL, len + HUGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *p = room + HUGE - (uintptr_t)room % HUGE;

	if (room == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	p = mmap(p, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, c->f.fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int store_new(struct ctx *c, char *map, bool shared)
{
	char *buf = new_data(c->tc->off, c->tc->len);
	struct store s = { map + c->tc->off, buf, c->tc->len };
	int ret = catch_fault(store, &s);

	if (!ret && shared) {
		wrote(&c->f, buf, c->tc->len, c->tc->off);
		if (msync(map, mapped_size(c), MS_SYNC))
			die("msync: %s", strerror(errno));
	}
	if (!ret && memcmp(map + c->tc->off, buf, c->tc->len))
		die("the mapping has not what was stored");
	free(buf);
	return ret;
}

static int op_store(struct ctx *c)
{
	char *map = c->map ? c->map : map_file(c, MAP_SHARED);

	if (!map)
		die("mmap: %s", strerror(errno));
	return store_new(c, map, true);
}

static int op_store_private(struct ctx *c)
{
	char *map = map_file(c, MAP_PRIVATE);

	if (!map)
		die("mmap: %s", strerror(errno));
	return store_new(c, map, false);
}

static int op_store_sync(struct ctx *c)
{
	char *map = map_file(c, MAP_SHARED_VALIDATE | MAP_SYNC);

	return map ? store_new(c, map, true) : -errno;
}

/* The first page can be had; what follows must not depend on the second. */
static int op_store_after_fault(struct ctx *c)
{
	char *map = map_file(c, MAP_SHARED);
	struct store s;
	int ret;

	if (!map)
		die("mmap: %s", strerror(errno));
	s = (struct store){ map + B(4), "x", 1 };
	ret = catch_fault(store, &s);
	if (c->session && ret != OP_SIGBUS)
		die("a store to the hole: %s", result_name(ret));
	return store_new(c, map, true);
}

/* Readahead begins with folios of several pages where it may. */
static int op_store_after_readahead(struct ctx *c)
{
	char *buf = malloc(c->f.size);
	int fd = open_more(&c->f, O_RDONLY);

	if (!buf || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
	    pread(fd, buf, c->f.size, 0) != (ssize_t)c->f.size)
		die("read: %s", strerror(errno));
	close(fd);
	free(buf);
	return op_store(c);
}

static int map_before(struct ctx *c)
{
	c->map = map_file(c, MAP_SHARED);
	if (!c->map)
		die("mmap: %s", strerror(errno));
	return 0;
}

static int read_before(struct ctx *c)
{
	map_before(c);
	for (size_t i = 0; i < c->f.size; i += UNIT)
		(void)((volatile char *)c->map)[i];
	return 0;
}

/* Dirty pages over a hole at the time of SEAL: it must allocate, then freeze. */
static int dirty_before(struct ctx *c)
{
	map_before(c);
	for (uint64_t off = B(4); off < B(8); off += UNIT) {
		((volatile char *)c->map)[off] = 1;
		c->f.model[off] = 1;
	}
	return 0;
}

/*
 * Close to full, ext4 gives up delayed allocation and takes another way. The
 * file that fills it goes with the one under test (see file_close()).
 */
static int fill_before(struct ctx *c)
{
	char path[sizeof(c->f.path) + 8];
	struct statfs fs;
	int fd;

	snprintf(path, sizeof(path), "%s.share", c->f.path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	for (off_t off = 0, len;; off += len) {
		if (fstatfs(fd, &fs))
			die("fstatfs: %s", strerror(errno));
		if (fs.f_bfree <= 64)
			break;
		/* Half, as the file's own extent tree needs space too. */
		len = (fs.f_bfree + 1) / 2 * fs.f_bsize;
		if (fallocate(fd, 0, off, len))
			die("%s: fallocate: %s", path, strerror(errno));
	}
	close(fd);
	return 0;
}

static int op_populate(struct ctx *c)
{
	char *map = map_file(c, MAP_SHARED);

	if (!map)
		die("mmap: %s", strerror(errno));
	return ret_errno(madvise(map + c->tc->off, c->tc->len,
				 MADV_POPULATE_WRITE));
}

/* The kernel itself stores to the mapping, which must not get a signal. */
static int op_kernel_store(struct ctx *c)
{
	char *map = map_file(c, MAP_SHARED);
	void *buf = new_data(c->tc->off, c->tc->len);
	ssize_t n;
	int fds[2];

	if (!map)
		die("mmap: %s", strerror(errno));
	if (pipe2(fds, O_CLOEXEC) ||
	    write(fds[1], buf, c->tc->len) != (ssize_t)c->tc->len)
		die("pipe: %s", strerror(errno));
	n = read(fds[0], map + c->tc->off, c->tc->len);
	if (n == (ssize_t)c->tc->len) {
		wrote(&c->f, buf, c->tc->len, c->tc->off);
		n = 0;
	} else {
		n = n < 0 ? -errno : -EIO;
	}
	free(buf);
	close(fds[0]);
	close(fds[1]);
	return n;
}

static int op_remove(struct ctx *c)
{
	char *map = map_file(c, MAP_SHARED);

	if (!map)
		die("mmap: %s", strerror(errno));
	return ret_errno(madvise(map + c->tc->off, c->tc->len, MADV_REMOVE));
}

#define HOLE "WWWW....WWWW"
#define UNWRITTEN "WWWWUUUUWWWW"
#define BY_TURNS "W.W.W.W.W.W.W.W.W.W.W.W.W.W.W.W."
#define SHARED "WWWWSSSSWWWW"
#define MIB(n) ((n) * (1ULL << 20))

#define STORE(_name, _layout, _off, _len, _expect, ...)			\
	{ .name = "mmap-" _name, .targets = T_ANY, .layout = _layout,	\
	  .off = _off, .len = _len, .op = op_store, .expect = _expect,	\
	  .guard = (_expect) ? &guard_mmap : NULL, __VA_ARGS__ }

static const struct guard guard_full = {
	.ext4 = "ext4_get_block_unwritten",
};

/* From 7.2 on the flags of the mapping keep large folios out. */
static const struct guard guard_readahead = { .xfs = "page_cache_ra_order" };

static const char no_populate[] = "no MADV_POPULATE_WRITE (5.14)";
static const char no_sync[] = "no MAP_SYNC";
static const char no_remove[] = "no MADV_REMOVE";

static const struct contract_case cases[] = {
	STORE("inplace", "WWWWWWWW", B(2), B(2), 0,
	      .require = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
			 SEAL_REQ_UNSHARED),
	STORE("inplace-between", HOLE, B(3), B(1), 0),
	STORE("inplace-tail", "WWWh", B(3), 2048, 0),
	STORE("inplace-fragmented", "FFFFFFFF", B(1), B(5), 0),
	STORE("hole", HOLE, B(5) + 9, 1, OP_SIGBUS),
	STORE("hole-tail", "WWW.", B(3), 1, OP_SIGBUS),
	STORE("unwritten", UNWRITTEN, B(5) + 9, 1, OP_SIGBUS),
	STORE("shared", SHARED, B(5) + 9, 1, OP_SIGBUS),
	STORE("private-of-shared", SHARED, B(1) + 9, 1, OP_SIGBUS,
	      .flags = C_CTL_SAME),
	STORE("only-hole", "....", 0, 1, OP_SIGBUS),
	STORE("extsize-inplace", "e:WWWWWWWWWWWWWWWW................",
	      B(2), B(2), 0),
	/* A hint sends buffered XFS writes through the direct begin function. */
	{ .name = "mmap-extsize-hole", .targets = T_ANY,
	  .layout = "e:WWWWWWWWWWWWWWWW................",
	  .off = B(20), .len = 1, .op = op_store, .expect = OP_SIGBUS,
	  .guard = &guard_mmap },

	STORE("mapped-before-inplace", HOLE, B(2), B(1), 0,
	      .before = map_before),
	STORE("mapped-before-hole", HOLE, B(5), 1, OP_SIGBUS,
	      .before = map_before),
	STORE("read-before-inplace", HOLE, B(2), B(1), 0,
	      .before = read_before),
	STORE("read-before-hole", HOLE, B(5), 1, OP_SIGBUS,
	      .before = read_before),
	STORE("read-before-unwritten", UNWRITTEN, B(5), 1, OP_SIGBUS,
	      .before = read_before),
	STORE("read-before-shared", SHARED, B(5), 1, OP_SIGBUS,
	      .before = read_before),
	STORE("dirty-before", HOLE, B(4), B(4), 0, .before = dirty_before),

	{ .name = "mmap-readahead-inplace", .targets = T_ANY,
	  .layout = BY_TURNS, .off = B(8), .len = B(1),
	  .op = op_store_after_readahead, .guard = &guard_readahead },
	{ .name = "mmap-inplace-nearly-full", .targets = T_EXT4,
	  .layout = HOLE, .off = B(2), .len = B(1), .before = fill_before,
	  .op = op_store },
	{ .name = "mmap-hole-nearly-full", .targets = T_EXT4, .layout = HOLE,
	  .off = B(5), .len = 1, .before = fill_before, .op = op_store,
	  .expect = OP_SIGBUS, .guard = &guard_full },

	{ .name = "mmap-inplace-after-fault", .targets = T_ANY, .layout = HOLE,
	  .off = B(3), .len = B(1), .op = op_store_after_fault },
	{ .name = "mmap-private-inplace", .targets = T_ANY, .layout = HOLE,
	  .off = B(2), .len = B(1), .op = op_store_private },
	{ .name = "mmap-private-hole", .targets = T_ANY, .layout = HOLE,
	  .off = B(4), .len = B(1), .op = op_store_private },
	{ .name = "mmap-private-shared", .targets = T_ANY, .layout = SHARED,
	  .off = B(4), .len = B(1), .op = op_store_private },

	{ .name = "mmap-populate-inplace", .targets = T_ANY, .layout = HOLE,
	  .off = 0, .len = B(4), .op = op_populate, .flags = C_LACK_EINVAL,
	  .may_lack = no_populate },
	{ .name = "mmap-populate-hole", .targets = T_ANY, .layout = HOLE,
	  .off = B(3), .len = B(2), .op = op_populate, .expect = -EFAULT,
	  .guard = &guard_mmap, .flags = C_LACK_EINVAL,
	  .may_lack = no_populate },
	{ .name = "mmap-kernel-inplace", .targets = T_ANY, .layout = HOLE,
	  .off = B(2), .len = B(1), .op = op_kernel_store },
	{ .name = "mmap-kernel-hole", .targets = T_ANY, .layout = HOLE,
	  .off = B(5), .len = B(1), .op = op_kernel_store, .expect = -EFAULT,
	  .guard = &guard_mmap },
	{ .name = "mmap-remove", .targets = T_ANY, .layout = "WWWWWWWW",
	  .off = B(2), .len = B(1), .op = op_remove, .expect = -EOPNOTSUPP,
	  .guard = &guard_fallocate, .may_lack = no_remove },

	{ .name = "mmap-sync-inplace", .targets = T_DAX, .layout = HOLE,
	  .off = B(2), .len = B(1), .op = op_store_sync, .may_lack = no_sync },
	{ .name = "mmap-sync-hole", .targets = T_DAX, .layout = HOLE,
	  .off = B(5), .len = 1, .op = op_store_sync, .expect = OP_SIGBUS,
	  .guard = &guard_mmap, .may_lack = no_sync },

	/* A huge fault covers more than the page that is wanted. */
	{ .name = "mmap-huge-inplace", .targets = T_DAX, .layout = "WWWWWW",
	  .unit = MIB(1), .off = MIB(3), .len = B(1), .op = op_store },
	{ .name = "mmap-huge-beside-hole", .targets = T_DAX, .layout = "WWW.WW",
	  .unit = MIB(1), .off = MIB(2), .len = B(1), .op = op_store },
	{ .name = "mmap-huge-hole", .targets = T_DAX, .layout = "WW..WW",
	  .unit = MIB(1), .off = MIB(3), .len = 1, .op = op_store,
	  .expect = OP_SIGBUS, .guard = &guard_mmap },
	{ .name = "mmap-huge-unwritten", .targets = T_DAX, .layout = "WWUUWW",
	  .unit = MIB(1), .off = MIB(3), .len = 1, .op = op_store,
	  .expect = OP_SIGBUS, .guard = &guard_mmap },

	/* One page, several blocks: the fault is for all of them. */
	{ .name = "subpage-inplace", .targets = T_SUBPAGE, .layout = "WWWWWWWW",
	  .unit = UNIT_FSBLOCK, .off = 1024, .len = 1024, .op = op_store },
	{ .name = "subpage-beside-hole", .targets = T_SUBPAGE,
	  .layout = "W.WWWWWW", .unit = UNIT_FSBLOCK, .off = 0, .len = 1,
	  .op = op_store, .expect = OP_SIGBUS, .guard = &guard_mmap },
	{ .name = "subpage-hole", .targets = T_SUBPAGE,
	  .layout = "W.WWWWWW", .unit = UNIT_FSBLOCK, .off = 1024, .len = 1,
	  .op = op_store, .expect = OP_SIGBUS, .guard = &guard_mmap },
	{ .name = "subpage-beside-unwritten", .targets = T_SUBPAGE,
	  .layout = "WUWWWWWW", .unit = UNIT_FSBLOCK, .off = 0, .len = 1,
	  .op = op_store, .expect = OP_SIGBUS, .guard = &guard_mmap },
	{ .name = "subpage-beside-shared", .targets = T_SUBPAGE,
	  .layout = "WSWWWWWW", .unit = UNIT_FSBLOCK, .off = 0, .len = 1,
	  .op = op_store, .expect = OP_SIGBUS, .guard = &guard_mmap },
	/* What is beyond the end of the file is no hole of the page. */
	{ .name = "subpage-tail", .targets = T_SUBPAGE, .layout = "WWWWW",
	  .unit = UNIT_FSBLOCK, .off = B(1), .len = 1024, .op = op_store },
	{ .name = "subpage-half-tail", .targets = T_SUBPAGE, .layout = "WWWWWh",
	  .unit = UNIT_FSBLOCK, .off = B(1), .len = 1536, .op = op_store },
};

void cases_mmap(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
