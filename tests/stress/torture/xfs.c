// SPDX-License-Identifier: GPL-2.0-only
/* What only XFS can do. */
#include "victim.h"
#include "xfs_abi.h"
#include "layout/layout_test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif

static long ret_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* As xfs_fsr: fails if @target changed since it was looked at. */
long xfs_swap_files(int target, int donor, uint64_t size)
{
	struct xfs_swap swap = {
		.fdtarget = target,
		.fdtmp = donor,
		.length = size,
	};
	struct stat st;
	uint64_t ino;
	struct xfs_bulk bulk = { &ino, 1, &swap.stat, NULL };

	if (fstat(target, &st))
		return -errno;
	ino = st.st_ino;
	if (ioctl(target, XFS_BULKSTAT_SINGLE, &bulk))
		return -errno;
	return ret_errno(ioctl(target, XFS_SWAPEXT, &swap));
}

long xfs_exchange_files(int a, int b, uint64_t a_off, uint64_t b_off,
			uint64_t len)
{
	struct xfs_exchange arg = {
		.file1_fd = a,
		.file1_offset = a_off,
		.file2_offset = b_off,
		.length = len,
	};

	return ret_errno(ioctl(b, XFS_EXCHANGE_RANGE, &arg));
}

long xfs_trim_eof(int fd)
{
	struct xfs_eofblocks arg = {
		.version = XFS_EOF_VERSION,
		.flags = XFS_EOF_SYNC,
	};

	return ret_errno(ioctl(fd, XFS_FREE_EOFBLOCKS, &arg));
}

static void op_swap(struct worker *w)
{
	struct file *f = pick_file(w, false), *g = pick_file(w, false);
	int fd = w->fd[f - files], donor = -1;
	struct watch x[2];
	struct stat st;
	long ret;

	if (opt.no_swapext || fstat(fd, &st) || !st.st_size)
		return;
	note(w, "swapext %s and %s", f->name, f == g ? "a new file" : g->name);
	watch_begin(&x[0], f);
	watch_begin(&x[1], g);
	if (f == g) {
		donor = scratch_open(w);
		if (ftruncate(donor, st.st_size) ||
		    fallocate(donor, 0, 0, st.st_size)) {
			close(donor);
			return;
		}
	}
	ret = xfs_swap_files(fd, f == g ? donor : w->fd[g - files], st.st_size);
	judge_change(w, x, 2, ret);
	if (donor >= 0)
		close(donor);
}

static void op_exchange(struct worker *w)
{
	struct file *f = pick_file(w, false), *g = pick_file(w, false);
	uint64_t a, b, len;
	struct watch x[2];

	pick_range(w, f->max / 2, 16, &a, &len);
	b = (uint64_t)rng_below(&w->rng, g->max / 2 / BLOCK) * BLOCK;
	note(w, "exchange %s and %s: block %llu and %llu +%llu", f->name,
	     g->name, (unsigned long long)a / BLOCK,
	     (unsigned long long)b / BLOCK, (unsigned long long)len / BLOCK);
	watch_begin(&x[0], f);
	watch_begin(&x[1], g);
	judge_change(w, x, 2, xfs_exchange_files(w->fd[f - files],
						 w->fd[g - files], a, b, len));
}

/* Blocks behind the end come with appending and go with this. */
static void op_trim(struct worker *w)
{
	struct file *f = pick_file(w, rng_below(&w->rng, 2));

	note(w, "free blocks behind the end");
	count(w, xfs_trim_eof(w->fd[f - files]));
}

static long scrub(int fd)
{
	struct xfs_scrub arg = {
		.type = XFS_SCRUB_BMBTD,
		.flags = XFS_SCRUB_REPAIR | XFS_SCRUB_FORCE_REBUILD,
	};

	return ret_errno(ioctl(fd, XFS_SCRUB_METADATA, &arg));
}

/* Refused for any file as long as one of the filesystem is sealed. */
static void op_repair(struct worker *w)
{
	struct file *f = pick_file(w, rng_below(&w->rng, 2));
	struct watch x;
	long ret;

	note(w, "online repair of the map of %s", f->name);
	watch_begin(&x, f);
	x.idle = false;
	ret = scrub(w->fd[f - files]);
	judge_change(w, &x, 1, ret);
}

/*
 * As a pNFS server goes. It must know that nobody has pages of the file in use
 * (xfs_fs_map_blocks() warns), so only with files of one's own.
 */
static long layout(int fd, unsigned long cmd, uint64_t off, uint64_t len)
{
	struct layout_test op = { .fd = fd, .offset = off, .length = len };
	int dev = open("/dev/seal-layout-test", O_RDWR | O_CLOEXEC);
	long ret;

	if (dev < 0)
		return -errno;
	ret = ret_errno(ioctl(dev, cmd, &op));
	close(dev);
	return ret;
}

/* Out of place, on a device that cannot do it. */
static void op_atomic(struct worker *w)
{
	struct file *f = pick_file(w, false);
	uint64_t off, len = (uint64_t)BLOCK << rng_below(&w->rng, 3);
	struct iovec iov = { w->buf, len };
	struct watch x;

	off = (uint64_t)rng_below(&w->rng, f->max / len) * len;
	memset(w->buf, 'A', len);
	note(w, "atomic write to %s: block %llu +%llu", f->name,
	     (unsigned long long)off / BLOCK, (unsigned long long)len / BLOCK);
	watch_begin(&x, f);
	/* where the device can, it is done in place: the maps will tell */
	count(w, ret_errno(pwritev2(w->direct[f - files], &iov, 1, off,
				    RWF_ATOMIC)));
}

static long unwritten(struct worker *w, struct victim *v)
{
	(void)w;
	if (access("/dev/seal-layout-test", W_OK))
		return -errno;
	return ret_errno(fallocate(v->fd, 0, 8 * BLOCK, 4 * BLOCK));
}

static long change_commit(struct worker *w, struct victim *v)
{
	(void)w;
	return layout(v->fd, LAYOUT_TEST_COMMIT, 8 * BLOCK, 4 * BLOCK);
}

static long change_map(struct worker *w, struct victim *v)
{
	(void)w;
	return layout(v->fd, LAYOUT_TEST_MAP, 9 * BLOCK, BLOCK);
}

/* Who appends gets blocks ahead. */
static long behind_end(struct worker *w, struct victim *v)
{
	for (unsigned int i = 8; i < 24; i++)
		if (pwrite(v->fd, w->buf, BLOCK, i * BLOCK) != BLOCK)
			return -errno;
	return 0;
}

static long change_trim(struct worker *w, struct victim *v)
{
	(void)w;
	return xfs_trim_eof(v->fd);
}

static long change_swap(struct worker *w, struct victim *v)
{
	bool turn = rng_below(&w->rng, 2);

	return xfs_swap_files(turn ? v->fd : v->other,
			      turn ? v->other : v->fd, 8 * BLOCK);
}

static long change_clone(struct worker *w, struct victim *v)
{
	bool turn = rng_below(&w->rng, 2);

	return do_clone(turn ? v->fd : v->other, turn ? v->other : v->fd,
			2 * BLOCK, BLOCK, BLOCK);
}

static long reflink_or_not(struct worker *w, struct victim *v)
{
	int fd = scratch_open(w);
	long ret = do_clone(v->other, fd, 0, BLOCK, 0);

	close(fd);
	return ret;
}

static const struct attack attacks[] = {
	{ .name = "layout commit", .prepare = unwritten,
	  .change = change_commit },
	{ .name = "layout", .prepare = unwritten, .change = change_map },
	{ .name = "freeing blocks behind the end", .prepare = behind_end,
	  .change = change_trim, .passes_by = true },
	{ .name = "swapext", .change = change_swap },
	{ .name = "clone", .prepare = reflink_or_not, .change = change_clone },
};

static void op_victim(struct worker *w)
{
	attack(w, attacks, ARRAY_SIZE(attacks));
}

const struct op xfs_ops[] = {
	{ "race-swapext", op_swap, 10, ON_XFS },
	{ "race-exchange", op_exchange, 10, ON_XFS },
	{ "trim-eof", op_trim, 8, ON_XFS },
	{ "repair", op_repair, 4, ON_XFS },
	{ "race-atomic", op_atomic, 4, ON_XFS },
	{ "victim", op_victim, 8, ON_XFS },
};

const unsigned int nr_xfs_ops = ARRAY_SIZE(xfs_ops);
