// SPDX-License-Identifier: GPL-2.0-only
/*
 * pairs DIR NUMBER SEED: random pairs of files, compared by the library and,
 * independently, by FIEMAP and by their contents.
 *
 * Of each pair it must hold that
 * - every byte in which the contents differ is in a range that was reported
 *   as data, zero or gone;
 * - a block that is physically the same in both, up to the end of the shorter
 *   file, is in no range;
 * - what is reported as zero reads as zeros, and as layout, too, in both.
 */
#include <errno.h>
#include <fcntl.h>
#include <libseal.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS		64
#define EXTENTS		(2 * BLOCKS)

static unsigned int block;	/* of the filesystem */
static size_t room;		/* the largest size of a file */
static uint64_t state;
static const char *doing = "";

/* So that no case passes because it never happened. */
static struct {
	uint64_t differ, same_block, kinds[SEAL_DIFF_GONE + 1], ranges;
	unsigned int cloned, deduped;
} seen;

static unsigned int rnd(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)((state >> 11) % below);
}

static void die(const char *what)
{
	fprintf(stderr, "pairs: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int create(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die(name);
	return fd;
}

/* The same file, which must not be open for writing when it is compared. */
static int only_read(int fd, const char *name)
{
	close(fd);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		die(name);
	return fd;
}

static size_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		die("fstat");
	return (size_t)st.st_size;
}

/* Often aligned, often not. */
static void range(size_t limit, size_t *offset, size_t *length)
{
	*offset = rnd((unsigned int)limit);
	*length = 1 + rnd((unsigned int)(limit - *offset) / (1 + rnd(8)) + 1);
	if (rnd(2)) {
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
		memset(data + i, (int)rnd(4), length - i < 512 ? length - i : 512);
	if (pwrite(fd, data, length, (off_t)offset) != (ssize_t)length)
		die("write");
}

static void clone_range(int from, int to)
{
	struct file_clone_range clone = { .src_fd = from };
	size_t limit = size_of(from);

	if (limit < 2 * block)
		return;
	clone.src_offset = rnd((unsigned int)(limit / block)) * block;
	clone.src_length = block;
	if (clone.src_offset + block > limit)
		return;
	clone.dest_offset = rnd(2) ? clone.src_offset : rnd(BLOCKS) * block;
	if (!ioctl(to, FICLONERANGE, &clone))
		seen.cloned++;
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
	range->src_offset = rnd((unsigned int)(limit / block)) * block;
	range->src_length = block;
	range->dest_count = 1;
	range->info[0].dest_fd = to;
	range->info[0].dest_offset = range->src_offset;
	if (ioctl(from, FIDEDUPERANGE, range))
		return;		/* this filesystem cannot */
	if (range->info[0].status == FILE_DEDUPE_RANGE_SAME)
		seen.deduped++;
}

static void change(int fd, int other)
{
	size_t offset, length, size = size_of(fd);

	range(room, &offset, &length);
	switch (rnd(9)) {
	case 0:
		doing = "punch";
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)offset, (off_t)length))
			die("punch");
		break;
	case 1:
		doing = "truncate";
		if (rnd(3) == 0 && ftruncate(fd, (off_t)rnd((unsigned int)room)))
			die("truncate");
		break;
	case 2:
		doing = "preallocate";
		if (fallocate(fd, rnd(2) ? FALLOC_FL_KEEP_SIZE : 0,
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
		if (size && rnd(2)) {
			offset %= size;
			if (offset + length > size)
				length = size - offset;
		}
		put(fd, offset, length);
	}
}

static void make_pair(int old, int new, bool *shared)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		change(old, new);
	doing = "reflink";
	*shared = !ioctl(new, FICLONE, old);
	if (!*shared && errno != EOPNOTSUPP)
		die("FICLONE");
	for (i = rnd(10); i; i--)
		if (rnd(3))
			change(new, old);
		else
			change(old, new);
}

/* Per block its address, and how FIEMAP calls it: independent of libseal. */
struct blocks {
	uint64_t address[BLOCKS];
	char kind[BLOCKS];	/* 'h'ole, 'u'nwritten, 'd'ata */
};

static void look(int fd, struct blocks *blocks)
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

static int fail(unsigned int number, const char *what, uint64_t where)
{
	printf("FAILED: pair %u: %s at %llu\n", number, what,
	       (unsigned long long)where);
	return 1;
}

static char *contents(int fd)
{
	char *data = calloc(1, room + 1);

	if (!data || pread(fd, data, room, 0) < 0)
		die("read");
	return data;
}

/* @kinds: per byte what was reported. */
static int check(unsigned int number, int old, int new,
		 const unsigned char *kinds)
{
	size_t old_size = size_of(old), new_size = size_of(new), at;
	char *was = contents(old), *is = contents(new);
	struct blocks a, b;
	int ret = 0;

	look(old, &a);
	look(new, &b);
	for (at = 0; at < room && !ret; at++) {
		size_t n = at / block;
		bool both = at < old_size && at < new_size;
		bool any = at < old_size || at < new_size;
		bool same_block = a.kind[n] == 'd' && b.kind[n] == 'd' &&
				  a.address[n] == b.address[n];
		bool same_zero = a.kind[n] == b.kind[n] && a.kind[n] != 'd' &&
				 a.address[n] == b.address[n];

		if (both && was[at] != is[at])
			seen.differ++;
		if (both && same_block)
			seen.same_block++;
		if (!any && kinds[at])
			ret = fail(number, "reported beyond both ends", at);
		else if (any && !both && !kinds[at])
			ret = fail(number, "only one file has it, not reported", at);
		else if (both && was[at] != is[at] &&
			 kinds[at] != SEAL_DIFF_DATA && kinds[at] != SEAL_DIFF_ZERO)
			ret = fail(number, "contents differ, not reported", at);
		else if (both && (same_block || same_zero) && kinds[at])
			ret = fail(number, "the same block was reported", at);
		else if (both && !same_block && !same_zero && !kinds[at])
			ret = fail(number, "maps differ, not reported", at);
		else if (kinds[at] == SEAL_DIFF_ZERO && is[at])
			ret = fail(number, "reported as zero, is not", at);
		else if (kinds[at] == SEAL_DIFF_LAYOUT && (was[at] || is[at]))
			ret = fail(number, "reported as layout, holds data", at);
	}
	free(was);
	free(is);
	return ret;
}

static int compare(unsigned int number, int old, int new)
{
	unsigned char *kinds = calloc(1, room);
	struct seal_files report;
	struct seal_diff_range r;
	struct seal_diff *diff;
	uint64_t pos = 0;
	int ret;

	if (!kinds)
		die("memory");
	ret = seal_diff_open(old, new, &diff, &report);
	if (ret) {
		printf("FAILED: pair %u: seal_diff_open: %s (%s)\n", number,
		       strerror(-ret), (const char *)report.reason);
		free(kinds);
		return 1;
	}
	while ((ret = seal_diff_next(diff, &r)) > 0) {
		if (r.offset < pos || !r.length || r.offset + r.length > room) {
			ret = fail(number, "ranges are not in order", r.offset);
			goto out;
		}
		pos = r.offset + r.length;
		memset(kinds + r.offset, (int)r.kind, r.length);
		seen.ranges++;
		seen.kinds[r.kind]++;
	}
	if (ret < 0) {
		printf("FAILED: pair %u: seal_diff_next: %s\n", number,
		       strerror(-ret));
		ret = 1;
		goto out;
	}
	ret = check(number, old, new, kinds);
out:
	seal_diff_close(diff);
	free(kinds);
	return ret;
}

/* Gates are armed once, not for every pair. */
static struct seal_session *anchor(void)
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

int main(int argc, char **argv)
{
	struct seal_session *session;
	unsigned int i, number, failed = 0;
	bool shared = false;

	if (argc != 4 || chdir(argv[1])) {
		fputs("usage: pairs DIR NUMBER SEED\n", stderr);
		return 2;
	}
	number = (unsigned int)atoi(argv[2]);
	state = 0x9e3779b97f4a7c15ULL * (strtoull(argv[3], NULL, 0) + 1);
	i = (unsigned int)open(".", O_RDONLY);
	if (ioctl((int)i, FIGETBSZ, &block))
		die("FIGETBSZ");
	close((int)i);
	room = (size_t)BLOCKS * block;
	session = anchor();
	for (i = 0; i < number && failed < 5; i++) {
		int old = create("old"), new = create("new");

		make_pair(old, new, &shared);
		old = only_read(old, "old");
		new = only_read(new, "new");
		failed += (unsigned int)compare(i, old, new);
		close(old);
		close(new);
	}
	seal_close(session);
	printf("%u pairs, seed %s: %llu ranges (data %llu, zero %llu, layout %llu, gone %llu), %llu bytes differ, %llu in the same blocks, %u cloned, %u deduplicated\n",
	       i, argv[3], (unsigned long long)seen.ranges,
	       (unsigned long long)seen.kinds[SEAL_DIFF_DATA],
	       (unsigned long long)seen.kinds[SEAL_DIFF_ZERO],
	       (unsigned long long)seen.kinds[SEAL_DIFF_LAYOUT],
	       (unsigned long long)seen.kinds[SEAL_DIFF_GONE],
	       (unsigned long long)seen.differ,
	       (unsigned long long)seen.same_block, seen.cloned, seen.deduped);
	if (!seen.differ || !seen.kinds[SEAL_DIFF_DATA] ||
	    !seen.kinds[SEAL_DIFF_ZERO] || !seen.kinds[SEAL_DIFF_LAYOUT] ||
	    !seen.kinds[SEAL_DIFF_GONE] || (shared && !seen.same_block)) {
		puts("FAILED: not everything was met");
		failed++;
	}
	printf("%d passed, %u failed, 0 skipped\n", !failed, failed);
	return !!failed;
}
