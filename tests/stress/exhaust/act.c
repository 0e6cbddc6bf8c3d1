// SPDX-License-Identifier: GPL-2.0-only
/* What is tried on a sealed file. */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static bool act_write(struct run *run)
{
	return op_write(run, run->fd, 0, PAGE);
}

/* The first block of the mixed page. */
static bool act_write_block(struct run *run)
{
	return op_write(run, run->fd, MIXED * PAGE, world.block);
}

static bool act_write_straddle(struct run *run)
{
	return op_write(run, run->fd, MIXED * PAGE - 512, 3 * PAGE);
}

static bool act_append(struct run *run)
{
	uint8_t *data = data_new(run->size, world.block);
	uint64_t size = run->size;
	ssize_t n;

	if (fcntl(run->fd, F_SETFL, O_APPEND))
		die("F_SETFL: %s", strerror(errno));
	n = write(run->fd, data, world.block);
	wrote(run, "append", n, size, data, world.block);
	if (fcntl(run->fd, F_SETFL, 0))
		die("F_SETFL: %s", strerror(errno));
	return n > 0;
}

static bool act_direct(struct run *run)
{
	return op_write(run, run->direct, 0, PAGE);
}

/* What is mapped is written through the cache, on some kernels by the page. */
static bool act_direct_block(struct run *run)
{
	map_get(run);
	return op_write(run, run->direct, MIXED * PAGE, world.block);
}

static bool act_direct_straddle(struct run *run)
{
	return op_write(run, run->direct, 2 * PAGE, 3 * PAGE + world.block);
}

static bool act_atomic(struct run *run)
{
	return op_write_flags(run, 2 * PAGE, world.block, RWF_ATOMIC);
}

static bool act_atomic_fail(struct run *run)
{
	return op_write_bad(run, 0, PAGE, RWF_ATOMIC);
}

static bool act_store_mixed(struct run *run)
{
	uint64_t offset;
	bool done = false;

	for (offset = MIXED * PAGE; offset < (UNWRITTEN + 1) * PAGE;
	     offset += world.block)
		done |= op_store(run, offset + 9);
	return done;
}

static bool act_populate(struct run *run)
{
	return op_advise(run, 0, run->size, MADV_POPULATE_WRITE);
}

static bool act_direct_into(struct run *run)
{
	return op_direct_into(run, (MIXED + 1) * PAGE - 512, PAGE);
}

static bool act_unpin(struct run *run)
{
	bool pinned = run->pinned;

	pin_end(run);
	return pinned;
}

static bool act_truncate(struct run *run)
{
	return op_truncate(run, run->size - world.block);
}

static bool act_punch(struct run *run)
{
	return op_fallocate(run, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    2 * PAGE, 2 * PAGE);
}

static bool act_fallocate(struct run *run)
{
	return op_fallocate(run, FALLOC_FL_KEEP_SIZE, HOLE * PAGE,
			    run->size - HOLE * PAGE + PAGE);
}

static bool act_clone_from(struct run *run)
{
	return op_clone_from(run, 0, PAGE);
}

static bool act_read(struct run *run)
{
	if (readahead(run->fd, 0, run->size))
		return false;
	return op_read(run) && op_advise(run, 0, run->size, MADV_POPULATE_READ);
}

static bool act_collapse(struct run *run)
{
	return op_advise(run, 0, HUGE_PAGE, MADV_COLLAPSE);
}

struct eofblocks {
	uint32_t version, flags, uid, gid, prid, pad32;
	uint64_t min_file_size, pad64[12];
};

#define IOC_FREE_EOFBLOCKS	_IOR('X', 58, struct eofblocks)

/* The last of several writers leaves; what was set aside is given back. */
static bool act_trim(struct run *run)
{
	struct eofblocks eofblocks = { .version = 1, .flags = 1 };
	int fd = openat(world.dir_fd, run->name, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", run->name, strerror(errno));
	close(fd);
	return !ioctl(run->fd, IOC_FREE_EOFBLOCKS, &eofblocks);
}

/* XFS: where copies go; ext4: to the older kind of map, and to data=journal. */
static bool act_attributes(struct run *run)
{
	struct fsxattr attr;
	unsigned int flags, want;
	bool done = false;

	if (world.xfs) {
		if (ioctl(run->fd, FS_IOC_FSGETXATTR, &attr))
			return false;
		attr.fsx_xflags ^= FS_XFLAG_COWEXTSIZE;
		attr.fsx_cowextsize = 16 * world.block;
		return !ioctl(run->fd, FS_IOC_FSSETXATTR, &attr);
	}
	if (ioctl(run->fd, FS_IOC_GETFLAGS, &flags))
		return false;
	want = flags & ~FS_EXTENT_FL;
	done |= !ioctl(run->fd, FS_IOC_SETFLAGS, &want);
	want = flags | FS_JOURNAL_DATA_FL;
	done |= !ioctl(run->fd, FS_IOC_SETFLAGS, &want);
	return done;
}

const struct op acts[] = {
	{ "write", act_write },
	{ "write-block", act_write_block },
	{ "write-straddle", act_write_straddle },
	{ "append", act_append },
	{ "direct", act_direct },
	{ "direct-block", act_direct_block },
	{ "direct-straddle", act_direct_straddle },
	{ "atomic", act_atomic },
	{ "atomic-fail", act_atomic_fail },
	{ "store-mixed", act_store_mixed },
	{ "populate", act_populate },
	{ "direct-into", act_direct_into },
	{ "unpin", act_unpin },
	{ "truncate", act_truncate },
	{ "punch", act_punch },
	{ "fallocate", act_fallocate },
	{ "clone-from", act_clone_from },
	{ "read", act_read },
	{ "collapse", act_collapse },
	{ "drop", op_drop },
	{ "trim", act_trim },
	{ "attributes", act_attributes },
};

const unsigned int nr_acts = sizeof(acts) / sizeof(acts[0]);
