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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

/* So that no case passes because it never happened. */
static struct {
	uint64_t differ, same_block, kinds[SEAL_DIFF_GONE + 1], ranges;
} seen;

static int fail(unsigned int number, const char *what, uint64_t where)
{
	printf("FAILED: pair %u: %s at %llu\n", number, what,
	       (unsigned long long)where);
	return 1;
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

int main(int argc, char **argv)
{
	struct seal_session *session;
	unsigned int i, number, failed = 0;
	bool shared = false;

	if (argc != 4) {
		fputs("usage: pairs DIR NUMBER SEED\n", stderr);
		return 2;
	}
	pair_begin(argv[1], strtoull(argv[3], NULL, 0));
	number = (unsigned int)atoi(argv[2]);
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
	       (unsigned long long)seen.same_block, pair_seen.cloned, pair_seen.deduped);
	if (!seen.differ || !seen.kinds[SEAL_DIFF_DATA] ||
	    !seen.kinds[SEAL_DIFF_ZERO] || !seen.kinds[SEAL_DIFF_LAYOUT] ||
	    !seen.kinds[SEAL_DIFF_GONE] || (shared && !seen.same_block)) {
		puts("FAILED: not everything was met");
		failed++;
	}
	printf("%d passed, %u failed, 0 skipped\n", !failed, failed);
	return !!failed;
}
