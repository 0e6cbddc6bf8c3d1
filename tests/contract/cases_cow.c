// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks that look private and written, and move with the next write: what a
 * deleted clone or an atomic write left in the copy-on-write fork of an XFS
 * inode. Either nothing moves while sealed, or SEAL says no.
 */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif

static void put(struct ctx *c, uint64_t off, uint64_t len, int flags)
{
	void *buf = new_data(off, len);
	int fd = open_more(&c->f, O_RDWR | flags);

	if (fd < 0 || pwrite(fd, buf, len, off) != (ssize_t)len)
		die("%s: write: %s", c->f.path, strerror(errno));
	wrote(&c->f, buf, len, off);
	close(fd);
	free(buf);
}

/* XFS frees the blocks of a deleted file in the background. */
static void wait_unshared(struct ctx *c)
{
	struct extent *ext;
	bool shared = true;

	for (int i = 0; i < 500 && shared; i++) {
		unsigned int count = extents_read(c->f.fd, &ext);

		shared = false;
		for (unsigned int e = 0; e < count; e++)
			shared |= ext[e].flags & FIEMAP_EXTENT_SHARED;
		free(ext);
		if (shared)
			usleep(20000);
	}
	if (shared)
		die("the blocks of a deleted clone stay shared");
}

/* A clone is made, one block written, the clone deleted. */
static int before_deleted_clone(struct ctx *c)
{
	char path[sizeof(c->f.path) + 8];
	int fd, ret;

	snprintf(path, sizeof(path), "%s.clone", c->f.path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	ret = ret_errno(ioctl(fd, FICLONE, c->f.fd));
	if (ret == -EOPNOTSUPP)
		ret = skip(c, "the filesystem has no reflink");
	else if (!ret) {
		put(c, B(1), B(1), 0);
		if (fsync(c->f.fd))
			die("fsync: %s", strerror(errno));
	}
	close(fd);
	unlink(path);
	/* What the clone shared is private only once it is really gone. */
	if (!ret && syncfs(c->f.fd))
		die("syncfs: %s", strerror(errno));
	if (!ret)
		wait_unshared(c);
	return ret;
}

static int before_cured_clone(struct ctx *c)
{
	struct seal_session *session;
	int ret = before_deleted_clone(c);

	if (ret)
		return ret;
	if (opt.no_seal)
		return skip(c, "needs the module");
	ret = seal_open(&session);
	if (ret)
		die("seal_open: %s", strerror(-ret));
	ret = seal_unshare(session, c->f.fd, 0, 0);
	seal_close(session);
	return ret;
}

static int atomic_write(struct ctx *c, uint64_t off, uint64_t len)
{
	void *buf = new_data(off, len);
	struct iovec iov = { buf, len };
	int fd = open_more(&c->f, O_RDWR | O_DIRECT);
	ssize_t n;

	if (fd < 0)
		die("%s: %s", c->f.path, strerror(-fd));
	n = pwritev2(fd, &iov, 1, off, RWF_ATOMIC);
	if (n < 0)
		n = -errno;
	else if ((size_t)n != len)
		die("short atomic write");
	else
		wrote(&c->f, buf, len, off);
	close(fd);
	free(buf);
	return n < 0 ? n : 0;
}

static int op_atomic(struct ctx *c)
{
	return atomic_write(c, c->tc->off, c->tc->len);
}

static int before_atomic(struct ctx *c)
{
	/* Within 32 KiB, what it preallocates with 1 KiB blocks. */
	int ret = atomic_write(c, B(4), B(2));

	/* Older kernels do not know the flag, or not without the hardware. */
	if (ret == -EOPNOTSUPP || ret == -EINVAL)
		return skip(c, "no atomic writes here: %s", strerror(-ret));
	return ret;
}

static int op_overwrite(struct ctx *c)
{
	void *buf = new_data(c->tc->off, c->tc->len);
	int fd = open_more(&c->f, O_RDWR | c->tc->arg);
	ssize_t n;

	if (fd < 0)
		die("%s: %s", c->f.path, strerror(-fd));
	n = pwrite(fd, buf, c->tc->len, c->tc->off);
	if (n < 0)
		n = -errno;
	else if ((size_t)n != c->tc->len)
		die("short write");
	else
		wrote(&c->f, buf, c->tc->len, c->tc->off);
	close(fd);
	free(buf);
	return n < 0 ? n : 0;
}

static void store_pages(void *arg)
{
	struct ctx *c = arg;
	volatile char *map = c->map;

	for (uint64_t i = 0; i < c->tc->len; i++)
		map[c->tc->off + i] = 'm';
}

/* A fault says SIGBUS where a write says ETXTBSY. */
static int op_store(struct ctx *c)
{
	int ret;

	c->map = mmap(NULL, c->f.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      c->f.fd, 0);
	if (c->map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	ret = catch_fault(store_pages, c);
	if (ret)
		return c->tc->expect == EITHER ? -ETXTBSY : ret;
	memset(c->f.model + c->tc->off, 'm', c->tc->len);
	return ret_errno(msync(c->map, c->f.size, MS_SYNC));
}

#define FULL "WWWWWWWWWWWWWWWW"
#define T_COW (T_XFS | T_XFS_1K)

static const struct guard guard_atomic = {
	.xfs = "xfs_atomic_write_cow_iomap_begin|xfs_atomic_write_cow_iomap_next",
	.xfs_dax = NULL,
};

static const char no_atomic[] = "no atomic writes (6.16)";

static const struct contract_case cases[] = {
	{ .name = "cow-deleted-clone-write", .targets = T_REFLINK,
	  .layout = FULL, .before = before_deleted_clone, .op = op_overwrite,
	  .off = B(4), .len = B(1), .expect = -ETXTBSY, .guard = &guard_write,
	  .flags = C_CTL_SAME },
	{ .name = "cow-deleted-clone-direct", .targets = T_REFLINK,
	  .layout = FULL, .before = before_deleted_clone, .op = op_overwrite,
	  .arg = O_DIRECT, .off = B(4), .len = B(1), .expect = -ETXTBSY,
	  .guard = &guard_write, .flags = C_CTL_SAME },
	{ .name = "cow-deleted-clone-store", .targets = T_REFLINK,
	  .layout = FULL, .before = before_deleted_clone, .op = op_store,
	  .off = B(4), .len = B(1), .expect = OP_SIGBUS, .guard = &guard_mmap,
	  .flags = C_CTL_SAME },
	/* What the copy-on-write fork holds is there to be used: it moves. */
	{ .name = "cow-deleted-clone-moves", .targets = T_COW,
	  .layout = FULL, .before = before_deleted_clone, .op = op_overwrite,
	  .off = B(2), .len = B(8), .expect = -ETXTBSY, .guard = &guard_write },
	{ .name = "cow-cured-write", .targets = T_REFLINK,
	  .layout = FULL, .before = before_cured_clone, .op = op_overwrite,
	  .off = B(2), .len = B(8),
	  .require = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED },
	{ .name = "cow-cured-direct", .targets = T_REFLINK,
	  .layout = FULL, .before = before_cured_clone, .op = op_overwrite,
	  .arg = O_DIRECT, .off = B(2), .len = B(8),
	  .require = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED },
	{ .name = "cow-cured-store", .targets = T_REFLINK,
	  .layout = FULL, .before = before_cured_clone, .op = op_store,
	  .off = B(2), .len = B(8),
	  .require = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED },

	{ .name = "atomic-write", .targets = T_COW, .layout = FULL,
	  .op = op_atomic, .off = B(4), .len = B(4), .expect = EITHER,
	  .guard = &guard_write, .flags = C_CTL_CHANGES,
	  .may_lack = no_atomic },
	/* On a device that can, a block is written in place ... */
	{ .name = "atomic-device-inplace", .targets = T_XFS_ATOMIC,
	  .layout = FULL, .op = op_atomic, .off = B(4), .len = B(1),
	  .may_lack = no_atomic },
	/*
	 * ... but not what is in pieces. That shows only after XFS has looked
	 * up the blocks, when the inode has been touched already.
	 */
	{ .name = "atomic-device-fragmented", .targets = T_XFS_ATOMIC,
	  .layout = "FFFFFFFFFFFFFFFF", .op = op_atomic, .off = B(4),
	  .len = B(4), .expect = -ETXTBSY, .guard = &guard_atomic,
	  .flags = C_TOUCHED, .may_lack = no_atomic },
	{ .name = "atomic-write-hole", .targets = T_COW,
	  .layout = "WWWW....WWWWWWWW", .op = op_atomic, .off = B(4),
	  .len = B(4), .expect = -ETXTBSY, .guard = &guard_write,
	  .may_lack = no_atomic },
	{ .name = "atomic-leftover-write", .targets = T_COW, .layout = FULL,
	  .before = before_atomic, .op = op_overwrite, .off = B(6),
	  .len = B(2), .expect = EITHER,
	  .flags = C_CTL_CHANGES | C_SEAL_REFUSES },
	{ .name = "atomic-leftover-direct", .targets = T_COW, .layout = FULL,
	  .before = before_atomic, .op = op_overwrite, .arg = O_DIRECT,
	  .off = B(6), .len = B(2), .expect = EITHER,
	  .flags = C_CTL_SAME | C_SEAL_REFUSES },
	{ .name = "atomic-leftover-store", .targets = T_COW, .layout = FULL,
	  .before = before_atomic, .op = op_store, .off = B(6),
	  .len = B(2), .expect = EITHER,
	  .flags = C_CTL_CHANGES | C_SEAL_REFUSES },
};

void cases_cow(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
