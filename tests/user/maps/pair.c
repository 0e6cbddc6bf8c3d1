// SPDX-License-Identifier: GPL-2.0-only
/* Random pairs of files, and what FIEMAP says of them: independent of libseal's own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pair.h"

#define EXTENTS		(2 * BLOCKS)

unsigned int block;
size_t room;
struct pair_seen pair_seen;

static const char *doing = "setup";
static uint64_t state;

unsigned int pair_rnd(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)((state >> 11) % below);
}

void die(const char *what)
{
	fprintf(stderr, "pairs: %s (%s): %s\n", what, doing, strerror(errno));
	exit(2);
}

int create(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die(name);
	return fd;
}

/* The same file, which must not be open for writing when it is compared. */
int only_read(int fd, const char *name)
{
	close(fd);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		die(name);
	return fd;
}

size_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		die("fstat");
	return (size_t)st.st_size;
}

/* Often aligned, often not. */
static void range(size_t limit, size_t *offset, size_t *length)
{
	*offset = pair_rnd((unsigned int)limit);
	*length = 1 + pair_rnd((unsigned int)(limit - *offset) / (1 + pair_rnd(8)) + 1);
	if (pair_rnd(2)) {
		*offset -= *offset % block;
		*length = (*length + block - 1) / block * block;
	}
	if (*offset + *length > limit)
		*length = limit - *offset;
}

static void put(int fd, size_t offset, size_t length)
{
	static char data[BLOCKS * 65536];
	size_t i;

	/* Sometimes what is there already: other blocks, equal contents. */
	for (i = 0; i < length; i += 512)
		memset(data + i, (int)pair_rnd(4), length - i < 512 ? length - i : 512);
	if (pwrite(fd, data, length, (off_t)offset) != (ssize_t)length)
		die("write");
}

static void clone_range(int from, int to)
{
	struct file_clone_range clone = { .src_fd = from };
	size_t limit = size_of(from);

	if (limit < 2 * block)
		return;
	clone.src_offset = pair_rnd((unsigned int)(limit / block)) * block;
	clone.src_length = block;
	if (clone.src_offset + block > limit)
		return;
	clone.dest_offset = pair_rnd(2) ? clone.src_offset : pair_rnd(BLOCKS) * block;
	if (!ioctl(to, FICLONERANGE, &clone))
		pair_seen.cloned++;
	else if (errno != EOPNOTSUPP)
		die("FICLONERANGE");
}

static void dedupe_range(int from, int to)
{
	char memory[sizeof(struct file_dedupe_range) +
		    sizeof(struct file_dedupe_range_info)]
		__attribute__((aligned(8))) = { 0 };
	struct file_dedupe_range *range = (void *)memory;
	size_t limit = size_of(from) < size_of(to) ? size_of(from) : size_of(to);

	if (limit < 2 * block)
		return;
	range->src_offset = pair_rnd((unsigned int)(limit / block)) * block;
	range->src_length = block;
	range->dest_count = 1;
	range->info[0].dest_fd = to;
	range->info[0].dest_offset = range->src_offset;
	if (ioctl(from, FIDEDUPERANGE, range))
		return;		/* this filesystem cannot */
	if (range->info[0].status == FILE_DEDUPE_RANGE_SAME)
		pair_seen.deduped++;
}

static void change(int fd, int other)
{
	size_t offset, length, size = size_of(fd);

	range(room, &offset, &length);
	switch (pair_rnd(9)) {
	case 0:
		doing = "punch";
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)offset, (off_t)length))
			die("punch");
		break;
	case 1:
		doing = "truncate";
		if (pair_rnd(3) == 0 && ftruncate(fd, (off_t)pair_rnd((unsigned int)room)))
			die("truncate");
		break;
	case 2:
		doing = "preallocate";
		if (fallocate(fd, pair_rnd(2) ? FALLOC_FL_KEEP_SIZE : 0,
			      (off_t)offset, (off_t)length))
			die("fallocate");
		break;
	case 3:
		doing = "clone";
		clone_range(other, fd);
		break;
	case 4:
		doing = "dedupe";
		dedupe_range(other, fd);
		break;
	case 5:
		doing = "zero";
		if (fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			      (off_t)offset, (off_t)length) && errno != EOPNOTSUPP)
			die("zero range");
		break;
	default:
		doing = "write";
		if (size && pair_rnd(2)) {
			offset %= size;
			if (offset + length > size)
				length = size - offset;
		}
		put(fd, offset, length);
	}
}

void make_pair(int old, int new, bool *shared)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		change(old, new);
	doing = "reflink";
	*shared = !ioctl(new, FICLONE, old);
	if (!*shared && errno != EOPNOTSUPP)
		die("FICLONE");
	for (i = pair_rnd(10); i; i--)
		if (pair_rnd(3))
			change(new, old);
		else
			change(old, new);
}

void look(int fd, struct blocks *blocks)
{
	static char memory[sizeof(struct fiemap) +
			   EXTENTS * sizeof(struct fiemap_extent)]
		__attribute__((aligned(8)));
	struct fiemap *map = (void *)memory;
	unsigned int i;
	uint64_t at;

	memset(blocks, 0, sizeof(*blocks));
	memset(blocks->kind, 'h', sizeof(blocks->kind));
	memset(memory, 0, sizeof(memory));
	map->fm_length = FIEMAP_MAX_OFFSET;
	map->fm_extent_count = EXTENTS;
	if (ioctl(fd, FS_IOC_FIEMAP, map))
		die("FIEMAP");
	for (i = 0; i < map->fm_mapped_extents; i++) {
		struct fiemap_extent *e = &map->fm_extents[i];

		for (at = e->fe_logical; at < e->fe_logical + e->fe_length;
		     at += block) {
			if (at / block >= BLOCKS)
				break;
			blocks->address[at / block] =
				e->fe_physical + (at - e->fe_logical);
			blocks->kind[at / block] =
				e->fe_flags & FIEMAP_EXTENT_UNWRITTEN ? 'u' : 'd';
		}
	}
}

char *contents(int fd)
{
	char *data = calloc(1, room + 1);

	if (!data || pread(fd, data, room, 0) < 0)
		die("read");
	return data;
}

/* Gates are armed once, not for every pair. */
struct seal_session *anchor(void)
{
	struct seal_session *session;
	int fd = create("anchor");
	int ret;

	put(fd, 0, block);
	ret = seal_open(&session);
	if (!ret)
		ret = seal_files(session, &fd, 1, 0, 0, 0, NULL);
	if (ret) {
		errno = -ret;
		die("sealing");
	}
	close(fd);
	return session;
}


void pair_begin(const char *dir, uint64_t seed)
{
	int fd;

	if (chdir(dir))
		die(dir);
	state = 0x9e3779b97f4a7c15ULL * (seed + 1);
	fd = open(".", O_RDONLY);
	if (ioctl(fd, FIGETBSZ, &block))
		die("FIGETBSZ");
	close(fd);
	room = (size_t)BLOCKS * block;
}
