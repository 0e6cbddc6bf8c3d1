// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that make the states a file may be in when it is sealed: of its
 * map, of its cached pages, of what the filesystem has set aside for it.
 */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static bool prealloc_hole(struct run *run)
{
	return op_fallocate(run, 0, HOLE * PAGE, PAGE);
}

static bool prealloc_eof(struct run *run)
{
	return op_fallocate(run, FALLOC_FL_KEEP_SIZE, run->size, 4 * PAGE);
}

static bool delayed_hole(struct run *run)
{
	return op_write(run, run->fd, HOLE * PAGE + world.block / 2, world.block);
}

static bool delayed_append(struct run *run)
{
	return op_write(run, run->fd, run->size, world.block / 2);
}

/* The rest of the page is mapped in the cache, and not written. */
static bool short_write(struct run *run)
{
	return op_write_short(run, UNWRITTEN * PAGE, 2 * PAGE, world.block) &&
	       !fsync(run->fd);
}

static bool short_append(struct run *run)
{
	uint64_t size = run->size;
	uint64_t end = size - size % PAGE + 2 * PAGE;

	return op_fallocate(run, FALLOC_FL_KEEP_SIZE, size, end - size) &&
	       op_write_short(run, size, end - size, world.block) &&
	       !fsync(run->fd) && op_truncate(run, end);
}

/* What ext4 reserves for data that does not come stays, and is inside the file. */
static bool delayed_left(struct run *run)
{
	uint64_t size = run->size;
	uint64_t end = size - size % PAGE + 2 * PAGE;

	run->left = !world.xfs;
	return op_write_short(run, size, end - size, world.block) &&
	       !fsync(run->fd) && op_truncate(run, end);
}

static bool direct_block(struct run *run)
{
	return op_write(run, run->direct, UNWRITTEN * PAGE + PAGE - world.block,
			world.block);
}

static bool atomic(struct run *run)
{
	if (!op_write_flags(run, PAGE, world.block, RWF_ATOMIC))
		return false;
	run->redirected = true;
	return true;
}

static bool atomic_fail(struct run *run)
{
	if (!op_write_bad(run, 0, 2 * PAGE, RWF_ATOMIC))
		return false;
	run->redirected = true;
	return true;
}

/* Into each block of the mixed page, the hole and the unwritten page. */
static bool store_mixed(struct run *run)
{
	uint64_t offset;
	bool done = false;

	for (offset = MIXED * PAGE; offset < (UNWRITTEN + 1) * PAGE;
	     offset += world.block)
		done |= op_store(run, offset + 7);
	return done;
}

static bool populate(struct run *run)
{
	return op_advise(run, 0, BASE_SIZE, MADV_POPULATE_WRITE);
}

static bool direct_into(struct run *run)
{
	return op_direct_into(run, (MIXED + 1) * PAGE - 512, PAGE);
}

static bool pin(struct run *run)
{
	/* both: the fault of the second may allocate */
	bool done = pin_take(run, MIXED * PAGE);

	return pin_take(run, UNWRITTEN * PAGE) || done;
}

/* Pages of the file are in a pipe. */
static bool pipe_pages(struct run *run)
{
	loff_t offset = MIXED * PAGE;
	int *ends = run->pipes[run->nr_pipes];

	if (run->nr_pipes == MAX_HELD || pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return false;
	run->nr_pipes++;
	return splice(run->fd, &offset, ends[1], NULL, 3 * PAGE,
		      SPLICE_F_NONBLOCK) > 0;
}

static bool clone_keep(struct run *run)
{
	return op_clone_from(run, PAGE, PAGE);
}

static bool clone_delete(struct run *run)
{
	if (!op_clone_from(run, 0, PAGE))
		return false;
	return !ftruncate(run->share, 0);
}

static bool clone_write(struct run *run)
{
	return op_clone_from(run, 0, 2 * PAGE) &&
	       op_write(run, run->fd, world.block, world.block);
}

static bool punch_block(struct run *run)
{
	return op_fallocate(run, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    2 * PAGE + world.block / 2,
			    world.block + world.block / 2);
}

static bool zero_range(struct run *run)
{
	return op_fallocate(run, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			    world.block, PAGE);
}

static bool truncate_both(struct run *run)
{
	uint64_t size = run->size;

	return op_truncate(run, size - PAGE - world.block / 2) &&
	       op_truncate(run, size);
}

static bool truncate_up(struct run *run)
{
	return op_truncate(run, run->size + 2 * PAGE + world.block / 2);
}

static bool read_all(struct run *run)
{
	return op_read(run) && op_advise(run, 0, run->size, MADV_POPULATE_READ);
}

/* The file becomes as long as a huge page, and that is asked for. */
static bool collapse(struct run *run)
{
	return (run->size >= HUGE_PAGE || op_truncate(run, HUGE_PAGE)) &&
	       op_advise(run, 0, HUGE_PAGE, MADV_COLLAPSE);
}

/* XFS: where copies go; ext4: through data=journal and back. */
static bool attributes(struct run *run)
{
	struct fsxattr attr;
	unsigned int flags;

	if (world.xfs) {
		if (ioctl(run->fd, FS_IOC_FSGETXATTR, &attr))
			return false;
		attr.fsx_xflags |= FS_XFLAG_COWEXTSIZE;
		attr.fsx_cowextsize = 8 * world.block;
		return !ioctl(run->fd, FS_IOC_FSSETXATTR, &attr);
	}
	if (ioctl(run->fd, FS_IOC_GETFLAGS, &flags))
		return false;
	flags |= FS_JOURNAL_DATA_FL;
	if (ioctl(run->fd, FS_IOC_SETFLAGS, &flags))
		return false;
	flags &= ~FS_JOURNAL_DATA_FL;
	if (ioctl(run->fd, FS_IOC_SETFLAGS, &flags))
		run->no_seal = true;
	return true;
}

/* A hint how much to allocate at once, which only an empty file may get. */
static bool extent_hint(struct run *run)
{
	struct fsxattr attr;
	uint64_t size = run->size;
	bool done;

	if (!world.xfs || !op_truncate(run, 0) ||
	    ioctl(run->fd, FS_IOC_FSGETXATTR, &attr))
		return false;
	attr.fsx_xflags |= FS_XFLAG_EXTSIZE;
	attr.fsx_extsize = 4 * PAGE;
	done = !ioctl(run->fd, FS_IOC_FSSETXATTR, &attr);
	return op_truncate(run, size) &&
	       op_write(run, run->fd, PAGE, PAGE + world.block) && done;
}

/* It was sealed before, and written to meanwhile. */
static bool sealed_before(struct run *run)
{
	if (!world.session ||
	    seal_files(world.session, &run->fd, 1, 0, 0, 0, NULL))
		return false;
	op_write(run, run->fd, 2 * PAGE + world.block, world.block);
	return !seal_unseal(world.session, run->fd, 0);
}

const struct op prepares[] = {
	{ "prealloc-hole", prealloc_hole },
	{ "prealloc-eof", prealloc_eof },
	{ "delayed-hole", delayed_hole },
	{ "delayed-append", delayed_append },
	{ "short-write", short_write },
	{ "short-append", short_append },
	{ "delayed-left", delayed_left },
	{ "direct-block", direct_block },
	{ "atomic", atomic },
	{ "atomic-fail", atomic_fail },
	{ "store-mixed", store_mixed },
	{ "populate", populate },
	{ "direct-into", direct_into },
	{ "pin", pin },
	{ "pipe", pipe_pages },
	{ "clone-keep", clone_keep },
	{ "clone-delete", clone_delete },
	{ "clone-write", clone_write },
	{ "punch-block", punch_block },
	{ "zero-range", zero_range },
	{ "truncate-both", truncate_both },
	{ "truncate-up", truncate_up },
	{ "read", read_all },
	{ "drop", op_drop },
	{ "collapse", collapse },
	{ "attributes", attributes },
	{ "extent-hint", extent_hint },
	{ "sealed-before", sealed_before },
};

const unsigned int nr_prepares = sizeof(prepares) / sizeof(prepares[0]);
