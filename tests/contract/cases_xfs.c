// SPDX-License-Identifier: GPL-2.0-only
/* What only XFS can do to a block map. */
#include "contract.h"
#include "xfs_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <unistd.h>

/* As xfs_fsr does it: @target gets the blocks of @tmp and the reverse. */
static int swapext(const struct file *target, const struct file *tmp)
{
	struct xfs_swap swap = {
		.fdtarget = target->fd,
		.fdtmp = tmp->fd,
		.length = target->size,
	};
	struct stat st;
	uint64_t ino;
	struct xfs_bulk bulk = { &ino, 1, &swap.stat, NULL };

	if (fstat(target->fd, &st))
		die("fstat: %s", strerror(errno));
	ino = st.st_ino;
	if (ioctl(target->fd, XFS_BULKSTAT_SINGLE, &bulk))
		die("FSBULKSTAT_SINGLE: %s", strerror(errno));
	return ret_errno(ioctl(target->fd, XFS_SWAPEXT, &swap));
}

static int op_swapext(struct ctx *c)
{
	return swapext(&c->f, &c->peer);
}

static int op_swapext_donor(struct ctx *c)
{
	return swapext(&c->peer, &c->f);
}

static int exchange(struct ctx *c, int fd1, int fd2)
{
	struct xfs_exchange arg = {
		.file1_fd = fd1,
		.file1_offset = c->tc->off,
		.file2_offset = c->tc->off,
		.length = c->tc->len,
	};

	return ret_errno(ioctl(fd2, XFS_EXCHANGE_RANGE, &arg));
}

static int op_exchange(struct ctx *c)
{
	return exchange(c, c->peer.fd, c->f.fd);
}

static int op_exchange_donor(struct ctx *c)
{
	return exchange(c, c->f.fd, c->peer.fd);
}

static int commit(struct ctx *c, int fd1, int fd2)
{
	struct xfs_commit arg = { 0 };

	if (ioctl(fd2, XFS_START_COMMIT, &arg))
		return -errno;
	arg.file1_fd = fd1;
	arg.file1_offset = c->tc->off;
	arg.file2_offset = c->tc->off;
	arg.length = c->tc->len;
	return ret_errno(ioctl(fd2, XFS_COMMIT_RANGE, &arg));
}

static int op_commit(struct ctx *c)
{
	return commit(c, c->peer.fd, c->f.fd);
}

static int op_commit_donor(struct ctx *c)
{
	return commit(c, c->f.fd, c->peer.fd);
}

static int op_free_eofblocks(struct ctx *c)
{
	struct xfs_eofblocks arg = {
		.version = XFS_EOF_VERSION,
		.flags = XFS_EOF_SYNC,
	};

	return ret_errno(ioctl(c->f.fd, XFS_FREE_EOFBLOCKS, &arg));
}

/* The last close of a descriptor frees what was allocated ahead. */
static int op_reopen(struct ctx *c)
{
	void *buf = new_data(B(1), B(1));
	int fd = open_more(&c->f, O_RDWR);

	if (fd < 0)
		die("%s: %s", c->f.path, strerror(-fd));
	if (pwrite(fd, buf, B(1), B(1)) != (ssize_t)B(1))
		die("write: %s", strerror(errno));
	wrote(&c->f, buf, B(1), B(1));
	close(fd);
	file_reopen(&c->f, O_RDWR);
	return 0;
}

static int scrub(struct ctx *c, unsigned int flags)
{
	struct xfs_scrub arg = {
		.type = XFS_SCRUB_BMBTD,
		.flags = flags,
	};
	int ret = ret_errno(ioctl(c->f.fd, XFS_SCRUB_METADATA, &arg));

	if (!ret && arg.flags & XFS_SCRUB_CORRUPT)
		die("scrub says the map is corrupt");
	return ret;
}

static int op_scrub(struct ctx *c)
{
	return scrub(c, 0);
}

static int op_repair(struct ctx *c)
{
	return scrub(c, XFS_SCRUB_REPAIR | XFS_SCRUB_FORCE_REBUILD);
}

static int set_xattr_flags(struct ctx *c, uint32_t flags, uint32_t cowextsize)
{
	struct fsxattr fsx;

	if (ioctl(c->f.fd, FS_IOC_FSGETXATTR, &fsx))
		die("FSGETXATTR: %s", strerror(errno));
	fsx.fsx_xflags |= flags;
	if (cowextsize)
		fsx.fsx_cowextsize = cowextsize;
	return ret_errno(ioctl(c->f.fd, FS_IOC_FSSETXATTR, &fsx));
}

static int op_set_nodefrag(struct ctx *c)
{
	return set_xattr_flags(c, FS_XFLAG_NODEFRAG, 0);
}

static int op_set_cowextsize(struct ctx *c)
{
	return set_xattr_flags(c, FS_XFLAG_COWEXTSIZE, B(16));
}

#define FULL "WWWWWWWWWWWWWWWW"
#define AHEAD "WWWWWWWWWWWWWWWWWWWWWWWW|P"

static const struct guard guard_swapext = {
	.xfs = "xfs_swap_extents", .xfs_dax = "xfs_swap_extents",
};
static const struct guard guard_exchange = {
	.xfs = "xfs_exchrange_prep", .xfs_dax = "xfs_exchrange_prep",
};
static const struct guard guard_eofblocks = {
	.xfs = "xfs_free_eofblocks", .xfs_dax = "xfs_free_eofblocks",
};
static const struct guard guard_scrub = {
	.xfs = "xfs_scrub_metadata", .xfs_dax = "xfs_scrub_metadata",
};

static const char no_exchange[] = "no exchange-range (6.10, mkfs -i exchange=1)";
static const char no_commit[] = "no commit-range (6.12, mkfs -i exchange=1)";
static const char no_scrub[] = "no online scrub and repair in this kernel";
static const char no_swapext[] = "no swapext";

#define XFS(_name, _op, _layout, _expect, ...)				\
	{ .name = "xfs-" _name, .targets = T_ANY_XFS, .layout = _layout, \
	  .op = _op, .expect = _expect, __VA_ARGS__ }

static const struct contract_case cases[] = {
	XFS("swapext", op_swapext, FULL, -ETXTBSY, .peer = FULL,
	    .guard = &guard_swapext, .may_lack = no_swapext),
	XFS("swapext-donor", op_swapext_donor, FULL, -ETXTBSY, .peer = FULL,
	    .guard = &guard_swapext, .may_lack = no_swapext),
	XFS("exchange-range", op_exchange, FULL, -ETXTBSY, .peer = FULL,
	    .off = B(4), .len = B(4), .guard = &guard_exchange,
	    .may_lack = no_exchange),
	XFS("exchange-range-donor", op_exchange_donor, FULL, -ETXTBSY,
	    .peer = FULL, .off = B(4), .len = B(4), .guard = &guard_exchange,
	    .may_lack = no_exchange),
	XFS("commit-range", op_commit, FULL, -ETXTBSY, .peer = FULL,
	    .off = B(4), .len = B(4), .guard = &guard_exchange,
	    .may_lack = no_commit),
	XFS("commit-range-donor", op_commit_donor, FULL, -ETXTBSY,
	    .peer = FULL, .off = B(4), .len = B(4), .guard = &guard_exchange,
	    .may_lack = no_commit),

	/* Trimming is skipped, not refused: nobody asked for it. */
	XFS("free-eofblocks", op_free_eofblocks, AHEAD, 0,
	    .guard = &guard_eofblocks, .flags = C_CTL_CHANGES),
	XFS("trim-on-close", op_reopen, AHEAD, 0,
	    .guard = &guard_eofblocks, .flags = C_CTL_CHANGES),

	XFS("scrub", op_scrub, FULL, 0, .may_lack = no_scrub),
	/*
	 * A rebuild of a sound map gives the same map. One sealed file may be
	 * reason enough to refuse repairs of the whole filesystem.
	 */
	XFS("scrub-repair", op_repair, FULL, -ETXTBSY, .guard = &guard_scrub,
	    .flags = C_CTL_SAME | C_NO_COUNT | C_ALONE, .may_lack = no_scrub),

	XFS("set-nodefrag", op_set_nodefrag, FULL, 0),
	{ .name = "xfs-set-cowextsize", .targets = T_REFLINK, .layout = FULL,
	  .op = op_set_cowextsize, .flags = C_LACK_EINVAL,
	  .may_lack = "no reflink" },
};

void cases_xfs(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
