// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of in-place ranges against a naive one, for every input up to a
 * bound: model/prove has CBMC look at each of these functions. The source is
 * the module's; model/prove makes chunks small, so that few ranges fill several.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "base/ranges.h"

#ifndef RANGES
#define RANGES	4
#endif
#ifndef OTHERS		/* of the second table */
#define OTHERS	2
#endif

__u64 nondet_u64(void);

/* As they were added: in order, some of them touch, some are empty. */
struct naive {
	unsigned int		nr;
	struct seal_range	ranges[RANGES];
};

static bool naive_has(const struct naive *naive, __u64 pos)
{
	unsigned int i;

	for (i = 0; i < naive->nr; i++)
		if (naive->ranges[i].start <= pos && pos < naive->ranges[i].end)
			return true;
	return false;
}

/* The end of what is there without a gap from @pos on. */
static __u64 naive_reach(const struct naive *naive, __u64 pos)
{
	unsigned int i;

	for (i = 0; i < naive->nr; i++)
		if (naive->ranges[i].start <= pos && pos < naive->ranges[i].end)
			pos = naive->ranges[i].end;
	return pos;
}

/* The first byte there is from @pos on; false if there is none. */
static bool naive_first(const struct naive *naive, __u64 pos, __u64 *first)
{
	unsigned int i;

	for (i = 0; i < naive->nr; i++) {
		const struct seal_range *range = &naive->ranges[i];

		if (range->start >= range->end || range->end <= pos)
			continue;
		*first = range->start > pos ? range->start : pos;
		return true;
	}
	return false;
}

/* Any range that may be added next, added; 0 or what that returns. */
static int add_any(struct seal_ranges *ranges, struct naive *naive)
{
	__u64 start = nondet_u64(), end = nondet_u64();
	__u64 last = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < naive->nr; i++)
		if (naive->ranges[i].start < naive->ranges[i].end)
			last = naive->ranges[i].end;
	__CPROVER_assume(start >= last);
#ifdef UNITS
	/* as filesystems have it: blocks, in files of a size there is */
	__CPROVER_assume(!((start | end) & 511) && end < 1ULL << 63);
#endif
	ret = seal_ranges_add(ranges, start, end);
	if (!ret) {
		naive->ranges[naive->nr].start = start;
		naive->ranges[naive->nr++].end = end;
	}
	return ret;
}

static void fill(struct seal_ranges *ranges, struct naive *naive, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		__CPROVER_assume(!add_any(ranges, naive));
}

void prove_cover(void)
{
	struct seal_ranges ranges = { };
	struct naive naive = { };
	__u64 start = nondet_u64(), end = nondet_u64();

	fill(&ranges, &naive, RANGES);
	__CPROVER_assert(seal_ranges_cover(&ranges, start, end) ==
			 (start >= end || naive_reach(&naive, start) >= end),
			 "cover says what the naive table says");
	seal_ranges_free(&ranges);
	__CPROVER_assert(seal_ranges_empty(&ranges), "free leaves it empty");
}

void prove_next(void)
{
	struct seal_ranges ranges = { };
	struct naive naive = { };
	struct seal_range range;
	__u64 pos = nondet_u64(), first = 0;
	bool found, expected;

	fill(&ranges, &naive, RANGES);
	found = seal_ranges_next(&ranges, pos, &range);
	expected = naive_first(&naive, pos, &first);
	__CPROVER_assert(found == expected, "next finds one if there is one");
	if (found) {
		__CPROVER_assert(range.start == first, "next: start");
		__CPROVER_assert(range.end == naive_reach(&naive, first),
				 "next: end");
	}
	seal_ranges_free(&ranges);
}

void prove_overlap(void)
{
	struct seal_ranges ranges = { };
	struct naive naive = { };
	__u64 start = nondet_u64(), end = nondet_u64(), first = 0;
	bool expected;

	fill(&ranges, &naive, RANGES);
	expected = start < end && naive_first(&naive, start, &first) &&
		   first < end;
	__CPROVER_assert(seal_ranges_overlap(&ranges, start, end) == expected,
			 "overlap says what the naive table says");
	seal_ranges_free(&ranges);
}

/* Without memory nothing happens, and what was there stays right. */
void prove_memory(void)
{
	struct seal_ranges ranges = { };
	struct naive naive = { };
	__u64 start = nondet_u64(), end = nondet_u64();
	unsigned int i;

	for (i = 0; i < RANGES; i++)
		add_any(&ranges, &naive);
	__CPROVER_assert(seal_ranges_cover(&ranges, start, end) ==
			 (start >= end || naive_reach(&naive, start) >= end),
			 "cover after allocations that failed");
	seal_ranges_free(&ranges);
}

void prove_sets(void)
{
	struct seal_ranges a = { }, b = { }, both = { }, either = { }, rest = { };
	struct naive x = { }, y = { };
	__u64 pos = nondet_u64();
	bool in_x, in_y, subset;

	__CPROVER_assume(pos < ~0ULL);
	fill(&a, &x, OTHERS);
	fill(&b, &y, OTHERS);
	in_x = naive_has(&x, pos);
	in_y = naive_has(&y, pos);
	__CPROVER_assume(!seal_ranges_intersect(&both, &a, &b));
	__CPROVER_assert(seal_ranges_cover(&both, pos, pos + 1) ==
			 (in_x && in_y), "intersect");
	__CPROVER_assume(!seal_ranges_union(&either, &a, &b));
	__CPROVER_assert(seal_ranges_cover(&either, pos, pos + 1) ==
			 (in_x || in_y), "union");
	__CPROVER_assume(!seal_ranges_subtract(&rest, &a, &b));
	__CPROVER_assert(seal_ranges_cover(&rest, pos, pos + 1) ==
			 (in_x && !in_y), "subtract");
	subset = seal_ranges_subset(&a, &b);
	__CPROVER_assert(!subset || !in_x || in_y, "subset: all of it");
	__CPROVER_assert(subset == seal_ranges_empty(&rest),
			 "subset if nothing is left");
	seal_ranges_free(&a);
	seal_ranges_free(&b);
	seal_ranges_free(&both);
	seal_ranges_free(&either);
	seal_ranges_free(&rest);
}
