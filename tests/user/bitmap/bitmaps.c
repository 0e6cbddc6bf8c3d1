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
 * That these checks would notice a wrong bit is shown for each pair: of a granule
 * whose contents differ the bit is dropped, to another one a bit is added, and each
 * must be found. In some overlays a bit is turned over as well, which CHECK must find.
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

#define SECTOR 512
#define CLUSTER 65536	/* of an overlay as small as these */
#define SECTORS (BLOCKS * 65536 / SECTOR + 1)

/* So that no case passes because it never happened. */
static struct {
	uint64_t differ, dirty, clean, mixed, smaller, larger, seeks, checks;
	uint64_t dropped, added, flipped;
} seen;

/* What is known of a pair without libseal, sector by sector of the virtual disk. */
static struct {
	size_t size;		/* of the disk */
	size_t granularity;
	size_t granules;
	bool differs[SECTORS];	/* a byte of it does */
	bool may[SECTORS];	/* a byte of it may, as far as FIEMAP tells */
} truth;

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

/* Read both files and both maps. The answer changes within a sector at an end only. */
static void find_truth(int old, int new)
{
	size_t old_size = size_of(old), new_size = size_of(new), at, end, i;
	char *was = contents(old), *is = contents(new);
	struct blocks a, b;

	look(old, &a);
	look(new, &b);
	truth.size = (new_size + SECTOR - 1) / SECTOR * SECTOR;
	for (at = 0; at < truth.size; at = end) {
		end = at + SECTOR;
		i = at / SECTOR;
		truth.differs[i] = memcmp(was + at, is + at, SECTOR) ||
				   (new_size > old_size && end > old_size &&
				    at < new_size);
		truth.may[i] = may_differ(&a, &b, old_size, new_size, at);
		if (old_size > at && old_size < end)
			truth.may[i] |= may_differ(&a, &b, old_size, new_size,
						   old_size);
		if (new_size > at && new_size < end)
			truth.may[i] |= may_differ(&a, &b, old_size, new_size,
						   new_size);
	}
	free(was);
	free(is);
	seen.smaller += new_size < old_size;
	seen.larger += new_size > old_size;
}

static bool in_granule(const bool *sectors, size_t granule)
{
	size_t at = granule * truth.granularity;
	size_t end = at + truth.granularity;

	for (; at < end && at < truth.size; at += SECTOR)
		if (sectors[at / SECTOR])
			return true;
	return false;
}

/* Of one granule: NULL if the bit is right. */
static const char *judge(bool dirty, size_t granule)
{
	bool may = in_granule(truth.may, granule);

	if (in_granule(truth.differs, granule) && !dirty)
		return "contents differ in a clean granule";
	if (dirty && !may)
		return "a dirty granule has the same blocks";
	if (may && !dirty)
		return "maps differ in a clean granule";
	return NULL;
}

static bool is_mixed(const struct seal_bitmap *bitmap)
{
	struct seal_bitmap_info info;

	seal_bitmap_info(bitmap, &info);
	return info.dirty_granules && info.dirty_granules < info.granules;
}

static const char *judge_all(const bool *dirty, size_t *granule)
{
	const char *wrong;

	for (*granule = 0; *granule < truth.granules; ++*granule) {
		wrong = judge(dirty[*granule], *granule);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* Is it noticed if a granule, from a random one on, has the other bit? */
static int plant(unsigned int number, bool *dirty, bool what, const char *wrong,
		 uint64_t *planted)
{
	size_t start = pair_rnd((unsigned int)truth.granules), i, at = 0, found;
	const char *said;

	for (i = 0; i < truth.granules; i++) {
		at = (start + i) % truth.granules;
		if (dirty[at] == what &&
		    (!what || in_granule(truth.differs, at)))
			break;
	}
	if (i == truth.granules)
		return 0;
	dirty[at] = !what;
	said = judge_all(dirty, &found);
	dirty[at] = what;
	++*planted;
	if (said && !strcmp(said, wrong) && found == at)
		return 0;
	return fail(number, "a bit that is wrong is not noticed",
		    at * truth.granularity);
}

static void take_bits(const struct seal_bitmap *bitmap, bool *dirty)
{
	uint64_t offset, length, at = 0;
	size_t i;

	memset(dirty, 0, SECTORS * sizeof(*dirty));
	while (seal_bitmap_next(bitmap, at, &offset, &length)) {
		at = offset + length;
		for (i = offset / truth.granularity; i * truth.granularity < at; i++)
			dirty[i] = true;
	}
}

static int check(unsigned int number, int old, int new,
		 const struct seal_bitmap *bitmap)
{
	static bool dirty[SECTORS];
	struct seal_bitmap_info info;
	const char *wrong;
	size_t at;

	find_truth(old, new);
	seal_bitmap_info(bitmap, &info);
	if (info.size != truth.size)
		return fail(number, "another size", info.size);
	truth.granularity = info.granularity;
	truth.granules = (truth.size + info.granularity - 1) / info.granularity;
	take_bits(bitmap, dirty);
	wrong = judge_all(dirty, &at);
	if (wrong)
		return fail(number, wrong, at * info.granularity);
	for (at = 0; at < truth.granules; at++) {
		seen.differ += in_granule(truth.differs, at);
		seen.dirty += dirty[at];
		seen.clean += !dirty[at];
	}
	seen.mixed += is_mixed(bitmap);
	return plant(number, dirty, true, "contents differ in a clean granule",
		     &seen.dropped) ||
	       plant(number, dirty, false, "a dirty granule has the same blocks",
		     &seen.added);
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

static int run(const char *command)
{
	fflush(stdout);
	return system(command);
}

/* The bits of a mixed bitmap that fits into a cluster are the last of the file. */
static int plant_in_overlay(unsigned int number, const char *command)
{
	unsigned int granule = pair_rnd((unsigned int)truth.granules);
	int fd = open("overlay", O_RDWR);
	char quiet[PATH_MAX], byte;
	off_t at;

	snprintf(quiet, sizeof(quiet), "%s >/dev/null 2>&1", command);
	at = lseek(fd, -CLUSTER + (off_t)granule / 8, SEEK_END);
	if (fd < 0 || at < 0 || pread(fd, &byte, 1, at) != 1)
		die("overlay");
	byte ^= (char)(1U << granule % 8);
	if (pwrite(fd, &byte, 1, at) != 1)
		die("overlay");
	close(fd);
	seen.flipped++;
	if (run(quiet))
		return 0;
	return fail(number, "stock programs do not see a wrong bit", granule);
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
	seen.checks++;
	if (run(command))
		return fail(number, "stock programs disagree", 0);
	if (seen.flipped < 2 && is_mixed(bitmap))
		return plant_in_overlay(number, command);
	return 0;
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
	printf("%u pairs, seed %s: %llu granules dirty, %llu clean, contents differ in %llu; %llu bitmaps mixed, NEW smaller %llu times, larger %llu; %llu seeks, %llu by stock programs; planted and noticed: %llu bits dropped, %llu added, %llu in overlays\n",
	       i, argv[3], (unsigned long long)seen.dirty,
	       (unsigned long long)seen.clean, (unsigned long long)seen.differ,
	       (unsigned long long)seen.mixed, (unsigned long long)seen.smaller,
	       (unsigned long long)seen.larger, (unsigned long long)seen.seeks,
	       (unsigned long long)seen.checks,
	       (unsigned long long)seen.dropped,
	       (unsigned long long)seen.added,
	       (unsigned long long)seen.flipped);
	if (!seen.differ || !seen.clean || !seen.mixed || !seen.smaller ||
	    !seen.larger || !seen.seeks || !seen.checks || !shared ||
	    !seen.dropped || !seen.added || !seen.flipped) {
		puts("FAILED: not everything was met");
		failed++;
	}
	printf("%d passed, %u failed, 0 skipped\n", !failed, failed);
	return !!failed;
}
