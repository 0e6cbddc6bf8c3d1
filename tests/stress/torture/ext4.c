// SPDX-License-Identifier: GPL-2.0-only
/* What only ext4 can do. */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct ext4_move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

#define EXT4_MIGRATE _IO('f', 9)
#define EXT4_MOVE_EXT _IOWR('f', 15, struct ext4_move_extent)
#define EXT4_SWAP_BOOT _IO('f', 17)
#define EXT4_EXTENTS_FL 0x80000

static long ret_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* Blocks moved, or why none. */
long ext4_move(int orig, int donor, uint64_t off, uint64_t donor_off,
	       uint64_t len)
{
	struct ext4_move_extent arg = {
		.donor_fd = donor,
		.orig_start = off / BLOCK,
		.donor_start = donor_off / BLOCK,
		.len = len / BLOCK,
	};
	long ret = ret_errno(ioctl(orig, EXT4_MOVE_EXT, &arg));

	if (arg.moved_len)
		return arg.moved_len;
	return ret < 0 ? ret : -ENODATA;
}

/* Between files in use; both lose what they had. */
static void op_move(struct worker *w)
{
	struct file *f = pick_file(w, false), *g = pick_file(w, false);
	uint64_t off, len;
	struct watch x[2];

	pick_range(w, f->max, 16, &off, &len);
	if (f == g)
		return;
	note(w, "move extents of %s and %s: block %llu +%llu", f->name, g->name,
	     (unsigned long long)off / BLOCK, (unsigned long long)len / BLOCK);
	watch_begin(&x[0], f);
	watch_begin(&x[1], g);
	judge_change(w, x, 2, ext4_move(w->fd[f - files], w->fd[g - files], off,
					off, len));
}

/*
 * Only where all extents are in the inode: the checksum of an extent block has
 * the inode's number in it, and is not made anew.
 */
static void op_swap_boot(struct worker *w)
{
	struct file *f = &files[nr_files - 1];
	struct watch x;

	note(w, "swap %s with the boot loader", f->name);
	watch_begin(&x, f);
	judge_change(w, &x, 1, ret_errno(ioctl(w->fd[f - files],
					       EXT4_SWAP_BOOT)));
}

static long change_flags(int fd, int set, int clear)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -errno;
	flags = (flags | set) & ~clear;
	return ret_errno(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* Between extents and direct blocks, there and back. */
static void op_format(struct worker *w)
{
	struct file *f = &files[nr_files - 1];
	int fd = w->fd[f - files];
	unsigned int how = rng_below(&w->rng, 3);
	long ret;

	note(w, "change how the map of %s is stored, way %u", f->name, how);
	f->direct_blocks = true;
	switch (how) {
	case 0:
		ret = change_flags(fd, 0, EXT4_EXTENTS_FL);
		break;
	case 1:
		ret = change_flags(fd, EXT4_EXTENTS_FL, 0);
		break;
	default:
		ret = ret_errno(ioctl(fd, EXT4_MIGRATE));
		break;
	}
	/* nothing to do is no change */
	count(w, ret);
}

static long one_block(struct worker *w, struct victim *v)
{
	(void)w;
	return ret_errno(ftruncate(v->fd, BLOCK)) ?: ret_errno(fsync(v->fd));
}

/* Not where every file has direct blocks already. */
static long with_extents(struct worker *w, struct victim *v)
{
	int flags;

	if (ioctl(v->fd, FS_IOC_GETFLAGS, &flags))
		return -errno;
	return flags & EXT4_EXTENTS_FL ? one_block(w, v) : -EOPNOTSUPP;
}

static long indirect(struct worker *w, struct victim *v)
{
	return one_block(w, v) ?: change_flags(v->fd, 0, EXT4_EXTENTS_FL);
}

static long change_to_indirect(struct worker *w, struct victim *v)
{
	(void)w;
	return change_flags(v->fd, 0, EXT4_EXTENTS_FL);
}

static long change_to_extents(struct worker *w, struct victim *v)
{
	(void)w;
	return change_flags(v->fd, EXT4_EXTENTS_FL, 0);
}

static long change_migrate(struct worker *w, struct victim *v)
{
	(void)w;
	return ret_errno(ioctl(v->fd, EXT4_MIGRATE));
}

static long change_journal(struct worker *w, struct victim *v)
{
	(void)w;
	return change_flags(v->fd, FS_JOURNAL_DATA_FL, 0);
}

static long change_boot(struct worker *w, struct victim *v)
{
	(void)w;
	return ret_errno(ioctl(v->fd, EXT4_SWAP_BOOT));
}

static long change_move(struct worker *w, struct victim *v)
{
	bool turn = rng_below(&w->rng, 2);

	return ext4_move(turn ? v->fd : v->other, turn ? v->other : v->fd,
			 2 * BLOCK, 2 * BLOCK, 2 * BLOCK);
}

static long change_verity(struct worker *w, struct victim *v)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = BLOCK,
	};

	(void)w;
	return ret_errno(ioctl(v->reader, FS_IOC_ENABLE_VERITY, &arg));
}

static const struct attack attacks[] = {
	{ .name = "clearing the extents flag", .prepare = with_extents,
	  .change = change_to_indirect },
	{ .name = "setting the extents flag", .prepare = indirect,
	  .change = change_to_extents },
	{ .name = "migration", .prepare = indirect, .change = change_migrate },
	{ .name = "data journalling", .change = change_journal },
	{ .name = "swap with the boot loader", .change = change_boot },
	{ .name = "moving extents", .change = change_move },
	{ .name = "fs-verity", .change = change_verity, .only_reader = true },
};

static void op_victim(struct worker *w)
{
	attack(w, attacks, ARRAY_SIZE(attacks));
}

const struct op ext4_ops[] = {
	{ "race-move", op_move, 20, ON_EXT4 },
	{ "race-swap-boot", op_swap_boot, 4, ON_EXT4 },
	{ "race-format", op_format, 8, ON_EXT4 },
	{ "victim", op_victim, 10, ON_EXT4 },
};

const unsigned int nr_ext4_ops = ARRAY_SIZE(ext4_ops);
