// SPDX-License-Identifier: GPL-2.0-only
/*
 * bitmaps DIR NUMBER SEED EVERY CHECK: bitmaps of random pairs of files, against what
 * FIEMAP and the contents say.
 *
 * Of each pair it must hold that
 * - every byte in which the contents differ is in a dirty granule, and so is what
 *   only NEW has;
 * - a granule is clean if each block in it is physically the same in both, or reads
 *   as zeros in both by its state;
 * - a comparison that goes on in the middle has the same ranges as a whole one.
 *
 * Of every EVERY-th pair the overlay and a list of the ranges, dirty and clean, are
 * written to the files "overlay" and "ranges", and CHECK is run: it compares them
 * with what stock programs see.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

#define RANGES (4 * BLOCKS)

/* So that no case passes because it never happened. */
static struct {
	uint64_t differ, dirty, clean, mixed, smaller, larger, seeks, checks;
} seen;

static int fail(unsigned int number, const char *what, uint64_t where)
{
	printf("FAILED: pair %u: %s at %llu\n", number, what,
	       (unsigned long long)where);
	return 1;
}

/* May the byte differ, as far as the maps tell? */
static bool may_differ(const struct blocks *a, const struct blocks *b,
		       size_t old_size, size_t new_size, size_t at)
{
	size_t n = at / block;

	if (at >= new_size)
		return at < old_size;
	if (at >= old_size)
		return true;
	if (a->kind[n] == 'd' && b->kind[n] == 'd')
		return a->address[n] != b->address[n];
	return a->kind[n] == 'd' || b->kind[n] == 'd';
}

static int check(unsigned int number, int old, int new,
		 const struct seal_bitmap *bitmap)
{
	size_t old_size = size_of(old), new_size = size_of(new), at, end;
	char *was = contents(old), *is = contents(new);
	struct seal_bitmap_info info;
	uint64_t offset = 0, length = 0;
	struct blocks a, b;
	int ret = 0;

	seal_bitmap_info(bitmap, &info);
	look(old, &a);
	look(new, &b);
	seen.smaller += new_size < old_size;
	seen.larger += new_size > old_size;
	if (info.size != (new_size + 511) / 512 * 512)
		ret = fail(number, "another size", info.size);
	for (at = 0; at < info.size && !ret; at = end) {
		bool dirty, differs = false, may = false;
		size_t first = at;

		end = at - at % info.granularity + info.granularity;
		if (end > info.size)
			end = info.size;
		if (at >= offset + length &&
		    !seal_bitmap_next(bitmap, at, &offset, &length))
			offset = UINT64_MAX - 1;
		dirty = at >= offset;
		for (; at < end; at++) {
			if (was[at] != is[at] ||
			    (at < new_size && at >= old_size))
				differs = true;
			may |= may_differ(&a, &b, old_size, new_size, at);
		}
		if (differs && !dirty)
			ret = fail(number, "contents differ in a clean granule", first);
		else if (dirty && !may)
			ret = fail(number, "a dirty granule has the same blocks", first);
		else if (may && !dirty)
			ret = fail(number, "maps differ in a clean granule", first);
		seen.differ += differs;
		seen.dirty += dirty;
		seen.clean += !dirty;
	}
	if (info.dirty_granules && info.dirty_granules < info.granules)
		seen.mixed++;
	free(was);
	free(is);
	return ret;
}

static unsigned int ranges_of(struct seal_diff *diff,
			      struct seal_diff_range *ranges)
{
	unsigned int nr = 0;
	int ret = 0;

	while (nr < RANGES && (ret = seal_diff_next(diff, &ranges[nr])) > 0)
		nr++;
	errno = -ret;
	if (ret < 0)
		die("seal_diff_next");
	return nr;
}

/* The ranges from a random place on, which may lie in the middle of one. */
static int check_seek(unsigned int number, int old, int new)
{
	static struct seal_diff_range all[RANGES], rest[RANGES];
	uint64_t from = pair_rnd((unsigned int)room), end;
	unsigned int nr, nr_rest, i, k = 0;
	struct seal_diff *diff;
	int ret;

	ret = seal_diff_open(old, new, &diff, NULL);
	if (ret)
		return fail(number, "seal_diff_open", (uint64_t)-ret);
	nr = ranges_of(diff, all);
	if (pair_rnd(2) && nr)
		from = all[pair_rnd(nr)].offset;
	if (seal_diff_seek(diff, from))
		die("seal_diff_seek");
	nr_rest = ranges_of(diff, rest);
	seal_diff_close(diff);
	for (i = 0; i < nr; i++) {
		end = all[i].offset + all[i].length;
		if (end <= from)
			continue;
		if (all[i].offset < from) {
			uint64_t skip = from - all[i].offset;

			all[i].offset = from;
			all[i].length -= skip;
			if (all[i].old_physical)
				all[i].old_physical += skip;
			if (all[i].new_physical)
				all[i].new_physical += skip;
		}
		if (k == nr_rest || memcmp(&all[i], &rest[k], sizeof(all[i])))
			return fail(number, "another range after a seek", from);
		k++;
	}
	if (k != nr_rest)
		return fail(number, "more ranges after a seek", from);
	seen.seeks += nr_rest && nr_rest < nr;
	return 0;
}

static void write_ranges(const struct seal_bitmap *bitmap)
{
	uint64_t offset, length, at = 0;
	struct seal_bitmap_info info;
	FILE *file = fopen("ranges", "w");

	if (!file)
		die("ranges");
	seal_bitmap_info(bitmap, &info);
	while (seal_bitmap_next(bitmap, at, &offset, &length)) {
		if (offset > at)
			fprintf(file, "%llu %llu clean\n", (unsigned long long)at,
				(unsigned long long)(offset - at));
		fprintf(file, "%llu %llu dirty\n", (unsigned long long)offset,
			(unsigned long long)length);
		at = offset + length;
	}
	if (at < info.size)
		fprintf(file, "%llu %llu clean\n", (unsigned long long)at,
			(unsigned long long)(info.size - at));
	fclose(file);
}

static int stock(unsigned int number, const struct seal_bitmap *bitmap,
		 const char *command)
{
	char path[PATH_MAX];
	int fd, ret;

	if (!realpath("new", path))
		die("new");
	fd = create("overlay");
	ret = seal_bitmap_write(bitmap, fd, "changed", path);
	close(fd);
	if (ret)
		return fail(number, "seal_bitmap_write", (uint64_t)-ret);
	write_ranges(bitmap);
	fflush(stdout);
	seen.checks++;
	return system(command) ? fail(number, "stock programs disagree", 0) : 0;
}

static int pair(unsigned int number, int old, int new, bool with_stock,
		const char *command)
{
	struct seal_bitmap *bitmap;
	struct seal_files report;
	int ret;

	/* mostly near the block, all kinds */
	ret = seal_bitmap_open(old, new, 512U << pair_rnd(pair_rnd(8) ? 9 : 18),
			       &bitmap, &report);
	if (ret == -ENODATA && !size_of(new))
		return 0;
	if (ret) {
		printf("FAILED: pair %u: seal_bitmap_open: %s (%s)\n", number,
		       strerror(-ret), (const char *)report.reason);
		return 1;
	}
	ret = check(number, old, new, bitmap);
	if (!ret)
		ret = check_seek(number, old, new);
	if (!ret && with_stock)
		ret = stock(number, bitmap, command);
	seal_bitmap_close(bitmap);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned int i, number, every, failed = 0;
	struct seal_session *session;
	bool shared = false;

	if (argc != 6) {
		fputs("usage: bitmaps DIR NUMBER SEED EVERY CHECK\n", stderr);
		return 2;
	}
	pair_begin(argv[1], strtoull(argv[3], NULL, 0));
	number = (unsigned int)atoi(argv[2]);
	every = (unsigned int)atoi(argv[4]);
	session = anchor();
	for (i = 0; i < number && failed < 5; i++) {
		int old = create("old"), new = create("new");

		make_pair(old, new, &shared);
		old = only_read(old, "old");
		new = only_read(new, "new");
		failed += (unsigned int)pair(i, old, new, i % every == 0,
					     argv[5]);
		close(old);
		close(new);
	}
	seal_close(session);
	printf("%u pairs, seed %s: %llu granules dirty, %llu clean, contents differ in %llu; %llu bitmaps mixed, NEW smaller %llu times, larger %llu; %llu seeks, %llu by stock programs\n",
	       i, argv[3], (unsigned long long)seen.dirty,
	       (unsigned long long)seen.clean, (unsigned long long)seen.differ,
	       (unsigned long long)seen.mixed, (unsigned long long)seen.smaller,
	       (unsigned long long)seen.larger, (unsigned long long)seen.seeks,
	       (unsigned long long)seen.checks);
	if (!seen.differ || !seen.clean || !seen.mixed || !seen.smaller ||
	    !seen.larger || !seen.seeks || !seen.checks || !shared) {
		puts("FAILED: not everything was met");
		failed++;
	}
	printf("%d passed, %u failed, 0 skipped\n", !failed, failed);
	return !!failed;
}
