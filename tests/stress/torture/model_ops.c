// SPDX-License-Identifier: GPL-2.0-only
/* Operations on the files whose contents are modelled. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 3

static int fd_of(struct worker *w, struct file *f)
{
	return f->class == DIRECT ? w->direct[f - files] : w->fd[f - files];
}

static long ret_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* A run of this worker within the file, or the part of it before the end. */
static bool pick_run(struct worker *w, struct file *f, unsigned int *slot,
		     unsigned int *nr)
{
	unsigned int slots = f->size / SLOT, runs, run, first, skip;

	runs = (slots + RUN - 1) / RUN;
	run = rng_below(&w->rng, MODEL_SLOTS / RUN);
	skip = rng_below(&w->rng, RUN);
	*nr = 1 + rng_below(&w->rng, RUN - skip);
	if (runs <= w->number)
		return false;
	/* the same draw whatever the size, so that streams stay in step */
	run = run % ((runs - w->number + opt.workers - 1) / opt.workers) *
	      opt.workers + w->number;
	first = run * RUN + skip;
	if (first >= slots)
		return false;
	if (first + *nr > slots)
		*nr = slots - first;
	*slot = first;
	return true;
}

/* After an error that does not say how far it got. */
static void adopt(struct worker *w, struct file *f, unsigned int slot,
		  unsigned int nr, unsigned int first_tag)
{
	if (pread(fd_of(w, f), w->check, (size_t)nr * SLOT,
		  (off_t)slot * SLOT) != (ssize_t)nr * SLOT) {
		violation(w, "%s: read: %s", f->name, strerror(errno));
		return;
	}
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t fresh = tag_new(w, first_tag + i);

		if (tag_is(w->check + (size_t)i * SLOT, fresh))
			f->tag[slot + i] = fresh;
	}
	model_check(w, f, w->check, slot, nr, "after an error");
}

static void write_done(struct worker *w, struct file *f, struct piece *p,
		       uint64_t stored, unsigned int first_tag)
{
	unsigned int slot = p->off / SLOT, nr = p->len / SLOT;
	unsigned int done = p->ret == (long)p->len ? nr : stored / SLOT;

	for (unsigned int i = 0; i < done; i++)
		f->tag[slot + i] = tag_new(w, first_tag + i);
	if (p->ret != (long)p->len && p->ret != -ETXTBSY)
		adopt(w, f, slot, nr, first_tag);
	else if (done < nr && !rng_below(&w->rng, 3))
		/* refused: nothing of it may be there */
		adopt(w, f, slot + done, nr - done, 1000);
}

static void op_write(struct worker *w)
{
	struct file *f = pick_file(w, true);
	enum way way = rng_below(&w->rng, f->class == DIRECT ? W_SPLICE : W_WAYS);
	unsigned int nr = 1 + rng_below(&w->rng, BATCH), used = 0, tags = 0;
	unsigned int slot, slots, first_tag[BATCH];
	struct piece piece[BATCH];
	struct watch x;

	pthread_rwlock_rdlock(&f->lock);
	for (unsigned int i = 0; i < nr; i++) {
		bool again = !pick_run(w, f, &slot, &slots);

		/* several at once must not touch the same run */
		for (unsigned int j = 0; j < used; j++)
			again |= piece[j].off / SLOT / RUN == slot / RUN;
		if (again)
			continue;
		first_tag[used] = tags;
		piece[used] = (struct piece){
			.off = (uint64_t)slot * SLOT,
			.len = (uint64_t)slots * SLOT,
			.buf = w->buf + (size_t)used * BLOCK,
		};
		for (unsigned int j = 0; j < slots; j++)
			tag_fill(piece[used].buf + (size_t)j * SLOT,
				 tag_new(w, tags++));
		used++;
	}
	if (!used)
		goto out;
	note(w, "write %s by %s: slot %llu +%llu and %u more", f->name,
	     way_name[way], (unsigned long long)piece[0].off / SLOT,
	     (unsigned long long)piece[0].len / SLOT, used - 1);
	watch_begin(&x, f);
	if (way == W_STORE) {
		uint64_t stored;

		store_piece(w, f, piece, &stored);
		judge_write(w, &x, BY_STORE, piece->off, piece->len,
			    piece->ret);
		write_done(w, f, piece, stored, 0);
		goto out;
	}
	write_pieces(w, f, way, f->class == DIRECT, piece, used);
	for (unsigned int i = 0; i < used; i++) {
		judge_write(w, &x, BY_CALL, piece[i].off, piece[i].len,
			    piece[i].ret);
		write_done(w, f, &piece[i], 0, first_tag[i]);
	}
out:
	pthread_rwlock_unlock(&f->lock);
}

struct load {
	char *to;
	const char *from;
	size_t len;
};

static void load(void *arg)
{
	struct load *l = arg;

	memcpy(l->to, l->from, l->len);
}

static void op_check(struct worker *w)
{
	struct file *f = pick_file(w, true);
	bool mapped = f->class == CACHED && rng_below(&w->rng, 2);
	unsigned int slot, nr;
	size_t len;

	pthread_rwlock_rdlock(&f->lock);
	if (!pick_run(w, f, &slot, &nr))
		goto out;
	note(w, "check %s: slot %u +%u", f->name, slot, nr);
	len = (size_t)nr * SLOT;
	if (mapped) {
		struct load l = { w->check, w->mapped[f - files] +
				  (size_t)slot * SLOT, len };

		if (caught(load, &l)) {
			violation(w, "%s: reading a mapping: SIGBUS", f->name);
			goto out;
		}
	} else if (pread(fd_of(w, f), w->check, len, (off_t)slot * SLOT) !=
		   (ssize_t)len) {
		violation(w, "%s: read: %s", f->name, strerror(errno));
		goto out;
	}
	count(w, 0);
	model_check(w, f, w->check, slot, nr, mapped ? "mapping" : "read");
out:
	pthread_rwlock_unlock(&f->lock);
}

static void op_check_file(struct worker *w)
{
	struct file *f = pick_file(w, true);

	note(w, "check all of %s", f->name);
	pthread_rwlock_wrlock(&f->lock);
	model_check_file(w, f);
	count(w, 0);
	pthread_rwlock_unlock(&f->lock);
}

/* --- with the lock held exclusively: contents go away or move --- */

/*
 * Such operations leave pages in the cache that direct writers then have to
 * get rid of, which can fail; get rid of them now.
 */
static void unlock(struct worker *w, struct file *f)
{
	if (f->class == DIRECT) {
		fsync(w->fd[f - files]);
		posix_fadvise(w->fd[f - files], 0, 0, POSIX_FADV_DONTNEED);
	}
	pthread_rwlock_unlock(&f->lock);
}

static void zero_tags(struct file *f, uint64_t off, uint64_t end)
{
	for (uint64_t i = off / SLOT; i < end / SLOT && i < MODEL_SLOTS; i++)
		f->tag[i] = 0;
}

/* Slots, not blocks: the ends are zeroed in place. */
static void op_zero(struct worker *w)
{
	struct file *f = pick_file(w, true);
	int mode = rng_below(&w->rng, 2) ? FALLOC_FL_PUNCH_HOLE :
		   FALLOC_FL_ZERO_RANGE;
	uint64_t off = (uint64_t)rng_below(&w->rng, MODEL_SLOTS) * SLOT;
	uint64_t len = (uint64_t)(1 + rng_below(&w->rng, 64)) * SLOT;
	struct watch x;
	long ret;

	pthread_rwlock_wrlock(&f->lock);
	note(w, "%s %s: slot %llu +%llu", mode == FALLOC_FL_PUNCH_HOLE ?
	     "punch" : "zero", f->name, (unsigned long long)off / SLOT,
	     (unsigned long long)len / SLOT);
	watch_begin(&x, f);
	ret = ret_errno(fallocate(fd_of(w, f), mode | FALLOC_FL_KEEP_SIZE, off,
				  len));
	judge_zero(w, &x, ret);
	if (!ret)
		zero_tags(f, off, off + len);
	unlock(w, f);
}

static void op_shift(struct worker *w)
{
	struct file *f = pick_file(w, true);
	bool insert = rng_below(&w->rng, 2);
	uint64_t off, len, slots;
	struct watch x;
	long ret;

	pthread_rwlock_wrlock(&f->lock);
	pick_range(w, f->max, 16, &off, &len);
	off %= f->size / BLOCK * BLOCK ?: 1;
	if (insert ? f->size + len > f->max : off + len >= f->size)
		goto out;
	note(w, "%s %s: block %llu +%llu", insert ? "insert" : "collapse",
	     f->name, (unsigned long long)off / BLOCK,
	     (unsigned long long)len / BLOCK);
	watch_begin(&x, f);
	ret = ret_errno(fallocate(fd_of(w, f), insert ? FALLOC_FL_INSERT_RANGE :
				  FALLOC_FL_COLLAPSE_RANGE, off, len));
	judge_change(w, &x, 1, ret);
	if (ret)
		goto out;
	slots = (f->size - off) / SLOT;
	if (insert) {
		memmove(&f->tag[(off + len) / SLOT], &f->tag[off / SLOT],
			slots * sizeof(f->tag[0]));
		zero_tags(f, off, off + len);
		f->size += len;
	} else {
		memmove(&f->tag[off / SLOT], &f->tag[(off + len) / SLOT],
			(slots - len / SLOT) * sizeof(f->tag[0]));
		zero_tags(f, f->size - len, f->size);
		f->size -= len;
	}
out:
	unlock(w, f);
}

static void op_truncate(struct worker *w)
{
	struct file *f = pick_file(w, true);
	/* mostly up: a short file is not worth much */
	unsigned int least = rng_below(&w->rng, 4) ? MODEL_SLOTS / 2 : 1;
	uint64_t size = (uint64_t)(least + rng_below(&w->rng, MODEL_SLOTS -
						     least + 1)) * SLOT;
	struct watch x;
	long ret;

	pthread_rwlock_wrlock(&f->lock);
	if (size == f->size)
		goto out;
	note(w, "truncate %s: %llu slots, from %llu", f->name,
	     (unsigned long long)size / SLOT,
	     (unsigned long long)f->size / SLOT);
	watch_begin(&x, f);
	ret = ret_errno(ftruncate(fd_of(w, f), size));
	judge_change(w, &x, 1, ret);
	if (!ret) {
		zero_tags(f, size, f->max);
		f->size = size;
	}
out:
	unlock(w, f);
}

static void op_append(struct worker *w)
{
	struct file *f = pick_file(w, true);
	unsigned int nr = 1 + rng_below(&w->rng, 2 * BLOCK / SLOT);
	struct piece piece = { .buf = w->buf, .len = (uint64_t)nr * SLOT };
	struct watch x;

	pthread_rwlock_wrlock(&f->lock);
	piece.off = f->size;
	if (piece.off + piece.len > f->max)
		goto out;
	note(w, "append to %s: slot %llu +%u", f->name,
	     (unsigned long long)piece.off / SLOT, nr);
	for (unsigned int i = 0; i < nr; i++)
		tag_fill(piece.buf + (size_t)i * SLOT, tag_new(w, i));
	watch_begin(&x, f);
	write_pieces(w, f, rng_below(&w->rng, 2) ? W_PWRITE : W_URING,
		     f->class == DIRECT, &piece, 1);
	judge_write(w, &x, BY_CALL, piece.off, piece.len, piece.ret);
	if (piece.ret > 0) {
		for (unsigned int i = 0; i < piece.ret / SLOT; i++)
			f->tag[piece.off / SLOT + i] = tag_new(w, i);
		f->size += piece.ret;
	}
out:
	unlock(w, f);
}

static void lock_both(struct file *a, struct file *b)
{
	if (a == b) {
		pthread_rwlock_wrlock(&a->lock);
	} else {
		pthread_rwlock_wrlock(a < b ? &a->lock : &b->lock);
		pthread_rwlock_wrlock(a < b ? &b->lock : &a->lock);
	}
}

static void unlock_both(struct worker *w, struct file *a, struct file *b)
{
	unlock(w, a);
	if (a != b)
		unlock(w, b);
}

static void copy_tags(struct file *dst, uint64_t to, struct file *src,
		      uint64_t from, uint64_t len)
{
	memmove(&dst->tag[to / SLOT], &src->tag[from / SLOT],
		len / SLOT * sizeof(src->tag[0]));
}

static void op_clone_into(struct worker *w)
{
	struct file *src = pick_file(w, true), *dst = pick_file(w, true);
	struct watch x[2];
	uint64_t from, to, len;
	long ret;

	lock_both(src, dst);
	pick_range(w, MODEL_SIZE, 24, &from, &len);
	to = (uint64_t)rng_below(&w->rng, MODEL_SIZE / BLOCK) * BLOCK;
	if (from + len > src->size || to + len > dst->size)
		goto out;
	if (src == dst && from < to + len && to < from + len)
		goto out;
	note(w, "clone %s to %s: block %llu +%llu to %llu", src->name,
	     dst->name, (unsigned long long)from / BLOCK,
	     (unsigned long long)len / BLOCK, (unsigned long long)to / BLOCK);
	watch_begin(&x[0], dst);
	watch_begin(&x[1], src);
	x[1].lenient = true;
	ret = do_clone(w->fd[src - files], w->fd[dst - files], from, len, to);
	judge_change(w, x, 2, ret);
	if (!ret)
		copy_tags(dst, to, src, from, len);
out:
	unlock_both(w, src, dst);
}

static void op_copy_into(struct worker *w)
{
	struct file *src = pick_file(w, true), *dst = pick_file(w, true);
	uint64_t from = (uint64_t)rng_below(&w->rng, MODEL_SLOTS) * SLOT;
	uint64_t to = (uint64_t)rng_below(&w->rng, MODEL_SLOTS) * SLOT;
	uint64_t len = (uint64_t)(1 + rng_below(&w->rng, 64)) * SLOT;
	loff_t in, out;
	struct watch x;
	long ret;

	/* aligned, half of the time, so that it becomes a clone */
	if (rng_below(&w->rng, 2)) {
		from = from / BLOCK * BLOCK;
		to = to / BLOCK * BLOCK;
		len = (len + BLOCK - 1) / BLOCK * BLOCK;
	}
	lock_both(src, dst);
	if (src == dst || from + len > src->size || to + len > dst->size)
		goto unlock;
	note(w, "copy_file_range %s to %s: slot %llu +%llu to %llu", src->name,
	     dst->name, (unsigned long long)from / SLOT,
	     (unsigned long long)len / SLOT, (unsigned long long)to / SLOT);
	in = from;
	out = to;
	watch_begin(&x, dst);
	ret = ret_errno(copy_file_range(w->fd[src - files], &in,
					w->fd[dst - files], &out, len, 0));
	/* it may be refused half-way: what was copied must be in place */
	judge_write(w, &x, BY_CALL, to, ret > 0 ? (uint64_t)ret : len, ret);
	if (ret > 0 && ret % SLOT)
		violation(w, "copy_file_range stopped inside a slot: %ld", ret);
	else if (ret > 0)
		copy_tags(dst, to, src, from, ret);
unlock:
	unlock_both(w, src, dst);
}

static void op_exchange(struct worker *w)
{
	struct file *a = pick_file(w, true), *b = pick_file(w, true);
	uint64_t a_off, b_off, len, t;
	struct watch x[2];
	long ret;

	if (a == b)
		return;
	lock_both(a, b);
	pick_range(w, MODEL_SIZE, 24, &a_off, &len);
	b_off = (uint64_t)rng_below(&w->rng, MODEL_SIZE / BLOCK) * BLOCK;
	if (a_off + len > a->size || b_off + len > b->size)
		goto out;
	note(w, "exchange %s and %s: block %llu and %llu +%llu", a->name,
	     b->name, (unsigned long long)a_off / BLOCK,
	     (unsigned long long)b_off / BLOCK,
	     (unsigned long long)len / BLOCK);
	watch_begin(&x[0], a);
	watch_begin(&x[1], b);
	ret = xfs_exchange_files(w->fd[a - files], w->fd[b - files], a_off,
				 b_off, len);
	judge_change(w, x, 2, ret);
	for (uint64_t i = 0; !ret && i < len / SLOT; i++) {
		t = a->tag[a_off / SLOT + i];
		a->tag[a_off / SLOT + i] = b->tag[b_off / SLOT + i];
		b->tag[b_off / SLOT + i] = t;
	}
out:
	unlock_both(w, a, b);
}

/* As xfs_fsr does it: copy, then exchange all extents. */
static void op_fsr(struct worker *w)
{
	struct file *f = pick_file(w, true);
	struct watch x;
	int fd = w->fd[f - files], donor;
	long ret;

	if (opt.no_swapext)
		return;
	pthread_rwlock_wrlock(&f->lock);
	note(w, "defragment %s with swapext", f->name);
	donor = scratch_open(w);
	if (pread(fd, w->check, f->size, 0) != (ssize_t)f->size ||
	    pwrite(donor, w->check, f->size, 0) != (ssize_t)f->size ||
	    fsync(donor) || fsync(fd)) {
		close(donor);
		unlock(w, f);
		return;
	}
	watch_begin(&x, f);
	ret = xfs_swap_files(fd, donor, f->size);
	judge_change(w, &x, 1, ret);
	close(donor);
	unlock(w, f);
}

/* --- without the lock: contents stay --- */

static void op_allocate(struct worker *w)
{
	struct file *f = pick_file(w, true);
	int mode = FALLOC_FL_KEEP_SIZE;
	uint64_t off, len;
	struct watch x;
	long ret;

	pick_range(w, MODEL_SIZE + 16 * BLOCK, 40, &off, &len);
	if (opt.fs == ON_XFS && rng_below(&w->rng, 3))
		mode |= FALLOC_FL_UNSHARE_RANGE;
	note(w, "%s %s: block %llu +%llu", mode & FALLOC_FL_UNSHARE_RANGE ?
	     "unshare" : "allocate", f->name, (unsigned long long)off / BLOCK,
	     (unsigned long long)len / BLOCK);
	watch_begin(&x, f);
	ret = ret_errno(fallocate(fd_of(w, f), mode, off, len));
	if (mode & FALLOC_FL_UNSHARE_RANGE)
		judge_change(w, &x, 1, ret);
	else
		judge_allocate(w, &x, off, len, ret);
}

static void op_clone_out(struct worker *w)
{
	struct file *src = pick_file(w, true), *dst = pick_file(w, false);
	uint64_t from = 0, len = 0, to = 0;
	struct watch x[2];

	if (rng_below(&w->rng, 2)) {
		pick_range(w, MODEL_SIZE / 2, 24, &from, &len);
		to = (uint64_t)rng_below(&w->rng, dst->max / 2 / BLOCK) * BLOCK;
	}
	note(w, "clone %s to %s: block %llu +%llu to %llu", src->name,
	     dst->name, (unsigned long long)from / BLOCK,
	     (unsigned long long)len / BLOCK, (unsigned long long)to / BLOCK);
	watch_begin(&x[0], dst);
	watch_begin(&x[1], src);
	x[1].lenient = true;
	judge_change(w, x, 2, do_clone(w->fd[src - files], w->fd[dst - files],
				       from, len, to));
}

static void op_dedupe(struct worker *w)
{
	struct file *src = pick_file(w, true), *dst = pick_file(w, true);
	uint64_t off, len;
	struct watch x[2];

	pick_range(w, MODEL_SIZE, 8, &off, &len);
	if (src == dst)
		return;
	note(w, "dedupe %s and %s: block %llu +%llu", src->name, dst->name,
	     (unsigned long long)off / BLOCK, (unsigned long long)len / BLOCK);
	watch_begin(&x[0], dst);
	watch_begin(&x[1], src);
	x[1].lenient = true;
	judge_change(w, x, 2, do_dedupe(w->fd[src - files], w->fd[dst - files],
					off, len, off));
}

/* As e4defrag does it, on a file in use. */
static void op_move(struct worker *w)
{
	struct file *f = pick_file(w, true);
	int donor = scratch_open(w);
	uint64_t off, len;
	struct watch x;

	pick_range(w, MODEL_SIZE, 32, &off, &len);
	note(w, "move extents of %s: block %llu +%llu", f->name,
	     (unsigned long long)off / BLOCK, (unsigned long long)len / BLOCK);
	if (!fallocate(donor, 0, off, len)) {
		watch_begin(&x, f);
		judge_change(w, &x, 1, ext4_move(w->fd[f - files], donor, off,
						 off, len));
	}
	close(donor);
}

static void op_sync(struct worker *w)
{
	struct file *f = pick_file(w, true);
	int fd = w->fd[f - files];
	unsigned int how = rng_below(&w->rng, 5);
	long ret = 0;

	note(w, "sync %s, way %u", f->name, how);
	switch (how) {
	case 0:
		ret = ret_errno(fsync(fd));
		break;
	case 1:
		ret = ret_errno(fdatasync(fd));
		break;
	case 2:
		ret = ret_errno(sync_file_range(fd, 0, 0,
						SYNC_FILE_RANGE_WRITE));
		break;
	case 3:
		ret = -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		break;
	case 4:
		ret = ret_errno(lseek(fd, 0, SEEK_HOLE));
		break;
	}
	count(w, ret);
	/* direct writers and what unsharing does in the cache may collide */
	if (ret < 0 && f->class == CACHED)
		violation(w, "%s: sync, way %u: %s", f->name, how,
			  strerror(-ret));
}

/* An inode flag of the filesystem, next to the one the seal is marked with. */
static void op_flags(struct worker *w)
{
	struct file *f = pick_file(w, true);
	int fd = w->fd[f - files], flags;
	long ret;

	note(w, "change flags of %s", f->name);
	ret = ret_errno(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	if (ret >= 0) {
		flags ^= FS_NOATIME_FL;
		ret = ret_errno(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	}
	count(w, ret);
	if (ret < 0)
		violation(w, "%s: flags: %s", f->name, strerror(-ret));
}

const struct op model_ops[] = {
	{ "write", op_write, 200, ON_ANY },
	{ "check", op_check, 60, ON_ANY },
	{ "check-file", op_check_file, 4, ON_ANY },
	{ "zero", op_zero, 10, ON_ANY },
	{ "shift", op_shift, 8, ON_ANY },
	{ "truncate", op_truncate, 10, ON_ANY },
	{ "append", op_append, 14, ON_ANY },
	{ "clone-into", op_clone_into, 6, ON_XFS },
	{ "copy-into", op_copy_into, 10, ON_ANY },
	{ "exchange", op_exchange, 6, ON_XFS },
	{ "fsr", op_fsr, 4, ON_XFS },
	{ "allocate", op_allocate, 20, ON_ANY },
	{ "clone-out", op_clone_out, 4, ON_XFS },
	{ "dedupe", op_dedupe, 8, ON_XFS },
	{ "move", op_move, 16, ON_EXT4 },
	{ "sync", op_sync, 20, ON_ANY },
	{ "flags", op_flags, 6, ON_ANY },
};

const unsigned int nr_model_ops = ARRAY_SIZE(model_ops);
