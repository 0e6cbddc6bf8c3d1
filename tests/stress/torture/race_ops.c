// SPDX-License-Identifier: GPL-2.0-only
/* Operations on the files without a model, with no lock at all. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES 0x80
#endif

/* Opcode number of the kernel; older headers do not know it. */
#define OP_FTRUNCATE 55

static long ret_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

static int fd_of(struct worker *w, struct file *f)
{
	return w->fd[f - files];
}

/* Few patterns, so that there is something to deduplicate. */
static char *pattern(struct worker *w, uint64_t len)
{
	memset(w->buf, 'a' + rng_below(&w->rng, 2), len);
	return w->buf;
}

static void op_write(struct worker *w)
{
	struct file *f = pick_file(w, false);
	enum way way = rng_below(&w->rng, W_WAYS);
	bool direct = way < W_SPLICE && rng_below(&w->rng, 2);
	unsigned int unit = direct ? SLOT : 8;
	struct piece piece;
	struct watch x;

	piece.len = (uint64_t)(1 + rng_below(&w->rng, 3 * BLOCK / unit)) * unit;
	piece.off = (uint64_t)rng_below(&w->rng, (f->max - piece.len) / unit) *
		    unit;
	piece.buf = pattern(w, piece.len);
	note(w, "write %s by %s%s: %llu +%llu", f->name, way_name[way],
	     direct ? ", direct" : "", (unsigned long long)piece.off,
	     (unsigned long long)piece.len);
	watch_begin(&x, f);
	write_pieces(w, f, way, direct, &piece, 1);
	/* beyond the end it is a fault for everybody */
	if (way == W_STORE && piece.ret < 0 && watch_unsealed(&x)) {
		count(w, -EFAULT);
		return;
	}
	if (way == W_STORE)
		x.idle = false;
	judge_write(w, &x, way == W_STORE ? BY_STORE :
		    way == W_DSYNC ? BY_SYNC : BY_CALL, piece.off, piece.len,
		    piece.ret);
}

static void op_append(struct worker *w)
{
	struct file *f = pick_file(w, false);
	uint64_t len = 1 + rng_below(&w->rng, 2 * BLOCK);
	struct iovec iov = { pattern(w, len), len };
	struct stat st;
	struct watch x;

	if (fstat(fd_of(w, f), &st) || st.st_size + len > f->max)
		return;
	note(w, "append to %s: %llu bytes", f->name, (unsigned long long)len);
	watch_begin(&x, f);
	judge_change(w, &x, 1, ret_errno(pwritev2(fd_of(w, f), &iov, 1, 0,
						  RWF_APPEND)));
}

static const int modes[] = {
	0,
	FALLOC_FL_KEEP_SIZE,
	FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	FALLOC_FL_ZERO_RANGE,
	FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	FALLOC_FL_COLLAPSE_RANGE,
	FALLOC_FL_INSERT_RANGE,
	FALLOC_FL_UNSHARE_RANGE,
	FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
	FALLOC_FL_WRITE_ZEROES,
};

static void op_fallocate(struct worker *w)
{
	struct file *f = pick_file(w, false);
	int mode = modes[rng_below(&w->rng, ARRAY_SIZE(modes))];
	bool ring = rng_below(&w->rng, 3) == 0;
	uint64_t off, len;
	struct stat st;
	struct watch x;
	long ret;

	pick_range(w, f->max, 24, &off, &len);
	if (mode == FALLOC_FL_INSERT_RANGE &&
	    (f->class == TINY || fstat(fd_of(w, f), &st) || st.st_size + len > f->max))
		return;
	note(w, "fallocate %s, mode %#x%s: block %llu +%llu", f->name, mode,
	     ring ? ", io_uring" : "", (unsigned long long)off / BLOCK,
	     (unsigned long long)len / BLOCK);
	watch_begin(&x, f);
	if (ring) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

		io_uring_prep_fallocate(sqe, fd_of(w, f), mode, off, len);
		ret = uring_one(w, sqe);
	} else {
		ret = ret_errno(fallocate(fd_of(w, f), mode, off, len));
	}
	if (!(mode & ~FALLOC_FL_KEEP_SIZE))
		judge_allocate(w, &x, off, len, ret);
	else if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		judge_zero(w, &x, ret);
	else
		judge_change(w, &x, 1, ret);
}

static void op_truncate(struct worker *w)
{
	struct file *f = pick_file(w, false);
	bool ring = rng_below(&w->rng, 3) == 0;
	uint64_t size = rng_below(&w->rng, f->max + 1);
	struct watch x;
	long ret;

	note(w, "truncate %s%s: %llu", f->name, ring ? ", io_uring" : "",
	     (unsigned long long)size);
	watch_begin(&x, f);
	if (ring) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

		io_uring_prep_rw(OP_FTRUNCATE, sqe, fd_of(w, f), NULL, 0, size);
		ret = uring_one(w, sqe);
	} else {
		ret = ret_errno(ftruncate(fd_of(w, f), size));
	}
	/* the size it has is no change */
	if (!ret && size == f->sealed_size)
		count(w, ret);
	else
		judge_change(w, &x, 1, ret);
}

long do_clone(int src, int dst, uint64_t from, uint64_t len, uint64_t to)
{
	struct file_clone_range range = {
		.src_fd = src,
		.src_offset = from,
		.src_length = len,
		.dest_offset = to,
	};

	if (!len)
		return ret_errno(ioctl(dst, FICLONE, src));
	return ret_errno(ioctl(dst, FICLONERANGE, &range));
}

/* Bytes shared, or why not. */
long do_dedupe(int src, int dst, uint64_t from, uint64_t len, uint64_t to)
{
	union {
		struct file_dedupe_range range;
		char room[sizeof(struct file_dedupe_range) +
			  sizeof(struct file_dedupe_range_info)];
	} u;
	struct file_dedupe_range_info *info = &u.range.info[0];

	memset(&u, 0, sizeof(u));
	u.range.src_offset = from;
	u.range.src_length = len;
	u.range.dest_count = 1;
	info->dest_fd = dst;
	info->dest_offset = to;
	if (ioctl(src, FIDEDUPERANGE, &u.range))
		return -errno;
	if (info->status < 0)
		return info->status;
	return info->status == FILE_DEDUPE_RANGE_SAME && info->bytes_deduped ?
	       (long)info->bytes_deduped : -EILSEQ;
}

static void op_clone(struct worker *w)
{
	struct file *src = pick_file(w, false), *dst = pick_file(w, false);
	uint64_t from = 0, len = 0, to = 0;
	struct watch x[2];

	if (rng_below(&w->rng, 4)) {
		pick_range(w, src->max, 24, &from, &len);
		to = (uint64_t)rng_below(&w->rng, dst->max / BLOCK) * BLOCK;
		if (to + len > dst->max)
			return;
	}
	note(w, "clone %s to %s: block %llu +%llu to %llu", src->name,
	     dst->name, (unsigned long long)from / BLOCK,
	     (unsigned long long)len / BLOCK, (unsigned long long)to / BLOCK);
	watch_begin(&x[0], dst);
	watch_begin(&x[1], src);
	x[1].lenient = true;
	judge_change(w, x, 2, do_clone(fd_of(w, src), fd_of(w, dst), from, len,
				       to));
}

static void op_dedupe(struct worker *w)
{
	struct file *src = pick_file(w, false), *dst = pick_file(w, false);
	uint64_t from, to, len;
	struct watch x[2];

	pick_range(w, src->max, 2, &from, &len);
	to = (uint64_t)rng_below(&w->rng, dst->max / BLOCK) * BLOCK;
	if (src == dst)
		return;
	note(w, "dedupe %s and %s: block %llu +%llu at %llu", src->name,
	     dst->name, (unsigned long long)from / BLOCK,
	     (unsigned long long)len / BLOCK, (unsigned long long)to / BLOCK);
	watch_begin(&x[0], dst);
	watch_begin(&x[1], src);
	x[1].lenient = true;
	judge_change(w, x, 2, do_dedupe(fd_of(w, src), fd_of(w, dst), from, len,
					to));
}

static void op_copy(struct worker *w)
{
	struct file *src = pick_file(w, rng_below(&w->rng, 2));
	struct file *dst = pick_file(w, false);
	loff_t in, out;
	uint64_t to, len;
	struct watch x;
	long ret;

	pick_range(w, dst->max, 8, &to, &len);
	in = (loff_t)rng_below(&w->rng, src->max / BLOCK) * BLOCK;
	out = to;
	note(w, "copy_file_range %s to %s: block %llu +%llu to %llu", src->name,
	     dst->name, (unsigned long long)in / BLOCK,
	     (unsigned long long)len / BLOCK, (unsigned long long)to / BLOCK);
	watch_begin(&x, dst);
	ret = ret_errno(copy_file_range(fd_of(w, src), &in, fd_of(w, dst), &out,
					len, 0));
	/* the source may end before */
	if (ret <= 0 && ret != -ETXTBSY)
		count(w, ret);
	else
		judge_write(w, &x, BY_CALL, to, ret > 0 ? (uint64_t)ret : len,
			    ret);
}

static void op_sync(struct worker *w)
{
	struct file *f = pick_file(w, false);
	int fd = fd_of(w, f);

	note(w, "sync %s", f->name);
	switch (rng_below(&w->rng, 3)) {
	case 0:
		count(w, ret_errno(fsync(fd)));
		break;
	case 1:
		count(w, -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
		break;
	default:
		count(w, ret_errno(pread(fd, w->check, BLOCK,
					 rng_below(&w->rng, f->max))));
		break;
	}
}

const struct op race_ops[] = {
	{ "race-write", op_write, 100, ON_ANY },
	{ "race-append", op_append, 16, ON_ANY },
	{ "race-fallocate", op_fallocate, 50, ON_ANY },
	{ "race-truncate", op_truncate, 14, ON_ANY },
	{ "race-clone", op_clone, 10, ON_XFS },
	{ "race-dedupe", op_dedupe, 16, ON_XFS },
	{ "race-copy", op_copy, 12, ON_ANY },
	{ "race-sync", op_sync, 12, ON_ANY },
};

const unsigned int nr_race_ops = ARRAY_SIZE(race_ops);
