// SPDX-License-Identifier: GPL-2.0-only
/* A table of byte ranges, sorted and disjoint. */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/* A table is filled while the filesystem holds locks of the file. */
#define ranges_alloc(size)	kvzalloc(size, GFP_NOFS | __GFP_ACCOUNT)
#define ranges_free(ptr)	kvfree(ptr)
#else
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ranges_alloc(size)	calloc(1, size)
#define ranges_free(ptr)	free(ptr)
#endif

#include "ranges.h"

static struct seal_range *range_at(const struct seal_ranges *ranges, __u64 i)
{
	return &ranges->chunk[i / SEAL_CHUNK_RANGES][i % SEAL_CHUNK_RANGES];
}

static int grow(struct seal_ranges *ranges)
{
	if (ranges->nr_chunks == ranges->room) {
		__u32 room = ranges->room ? ranges->room * 4 : 1;
		struct seal_range **chunk;

		chunk = ranges_alloc(room * sizeof(*chunk));
		if (!chunk)
			return -ENOMEM;
		if (ranges->nr_chunks)
			memcpy(chunk, ranges->chunk,
			       ranges->nr_chunks * sizeof(*chunk));
		ranges_free(ranges->chunk);
		ranges->chunk = chunk;
		ranges->room = room;
	}

	if (!ranges->nr_chunks)
		ranges->first = 1;
	ranges->chunk[ranges->nr_chunks] =
		ranges_alloc(ranges->nr_chunks ? SEAL_CHUNK_BYTES :
						 sizeof(struct seal_range));
	if (!ranges->chunk[ranges->nr_chunks])
		return -ENOMEM;
	ranges->nr_chunks++;
	return 0;
}

static int grow_first(struct seal_ranges *ranges)
{
	__u32 room = ranges->first * 4;
	struct seal_range *chunk = ranges_alloc(room * sizeof(*chunk));

	if (!chunk)
		return -ENOMEM;
	memcpy(chunk, ranges->chunk[0], ranges->first * sizeof(*chunk));
	ranges_free(ranges->chunk[0]);
	ranges->chunk[0] = chunk;
	ranges->first = room;
	return 0;
}

/* Is every place taken? The first chunk grows before there is a second. */
static bool full(const struct seal_ranges *ranges)
{
	if (ranges->nr_chunks == 1)
		return ranges->nr == ranges->first;
	return ranges->nr == (__u64)ranges->nr_chunks * SEAL_CHUNK_RANGES;
}

int seal_ranges_add(struct seal_ranges *ranges, __u64 start, __u64 end)
{
	struct seal_range *range;

	if (start >= end)
		return 0;

	if (ranges->nr) {
		range = range_at(ranges, ranges->nr - 1);
		if (range->end == start) {
			range->end = end;
			return 0;
		}
	}

	if (full(ranges)) {
		int ret = ranges->nr_chunks == 1 &&
			  ranges->first < SEAL_CHUNK_RANGES ?
			  grow_first(ranges) : grow(ranges);

		if (ret)
			return ret;
	}

	range = range_at(ranges, ranges->nr);
	range->start = start;
	range->end = end;
	ranges->nr++;
	return 0;
}

bool seal_ranges_cover(const struct seal_ranges *ranges, __u64 start, __u64 end)
{
	const struct seal_range *range;
	__u32 chunk = 0, half, nr;

	if (start >= end)
		return true;
	if (!ranges->nr)
		return false;

	/*
	 * The last range that begins at or before start; the first one if none
	 * does. In the gates: no division, no branch that depends on the data.
	 */
	for (nr = ranges->nr_chunks; nr > 1; nr -= half) {
		half = nr / 2;
		if (ranges->chunk[chunk + half]->start <= start)
			chunk += half;
	}
	range = ranges->chunk[chunk];
	nr = chunk + 1 < ranges->nr_chunks ? SEAL_CHUNK_RANGES :
	     ranges->nr - (__u64)chunk * SEAL_CHUNK_RANGES;
	for (; nr > 1; nr -= half) {
		half = nr / 2;
		if (range[half].start <= start)
			range += half;
	}
	/* ranges that touch are one range, so one range must hold it all */
	return range->start <= start && range->end >= end;
}

bool seal_ranges_subset(const struct seal_ranges *a, const struct seal_ranges *b)
{
	__u64 i;

	for (i = 0; i < a->nr; i++) {
		const struct seal_range *range = range_at(a, i);

		if (!seal_ranges_cover(b, range->start, range->end))
			return false;
	}
	return true;
}

int seal_ranges_intersect(struct seal_ranges *out, const struct seal_ranges *a,
			  const struct seal_ranges *b)
{
	__u64 i = 0, j = 0;

	while (i < a->nr && j < b->nr) {
		const struct seal_range *x = range_at(a, i);
		const struct seal_range *y = range_at(b, j);
		__u64 start = x->start > y->start ? x->start : y->start;
		__u64 end = x->end < y->end ? x->end : y->end;
		int ret = seal_ranges_add(out, start, end);

		if (ret)
			return ret;
		if (x->end <= y->end)
			i++;
		else
			j++;
	}
	return 0;
}

/* Append a range that may overlap the last one but does not begin before it. */
static int ranges_merge(struct seal_ranges *out, const struct seal_range *range)
{
	struct seal_range *last;

	if (out->nr) {
		last = range_at(out, out->nr - 1);
		if (range->start <= last->end) {
			if (range->end > last->end)
				last->end = range->end;
			return 0;
		}
	}
	return seal_ranges_add(out, range->start, range->end);
}

int seal_ranges_union(struct seal_ranges *out, const struct seal_ranges *a,
		      const struct seal_ranges *b)
{
	__u64 i = 0, j = 0;

	while (i < a->nr || j < b->nr) {
		const struct seal_range *next;
		int ret;

		if (j == b->nr || (i < a->nr && range_at(a, i)->start <=
						range_at(b, j)->start))
			next = range_at(a, i++);
		else
			next = range_at(b, j++);
		ret = ranges_merge(out, next);
		if (ret)
			return ret;
	}
	return 0;
}

bool seal_ranges_next(const struct seal_ranges *ranges, __u64 pos,
		      struct seal_range *range)
{
	__u64 low = 0, high = ranges->nr;

	while (low < high) {
		__u64 mid = low + (high - low) / 2;

		if (range_at(ranges, mid)->end <= pos)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == ranges->nr)
		return false;
	*range = *range_at(ranges, low);
	if (range->start < pos)
		range->start = pos;
	return true;
}

bool seal_ranges_overlap(const struct seal_ranges *ranges, __u64 start,
			 __u64 end)
{
	struct seal_range range;

	return start < end && seal_ranges_next(ranges, start, &range) &&
	       range.start < end;
}

int seal_ranges_subtract(struct seal_ranges *out, const struct seal_ranges *a,
			 const struct seal_ranges *b)
{
	struct seal_range cut;
	__u64 i;

	for (i = 0; i < a->nr; i++) {
		__u64 pos = range_at(a, i)->start;
		__u64 end = range_at(a, i)->end;

		while (pos < end) {
			int ret;

			if (!seal_ranges_next(b, pos, &cut) ||
			    cut.start >= end) {
				cut.start = end;
				cut.end = end;
			}
			ret = seal_ranges_add(out, pos, cut.start);
			if (ret)
				return ret;
			pos = cut.end;
		}
	}
	return 0;
}

__u64 seal_ranges_bytes(const struct seal_ranges *ranges)
{
	__u64 i, bytes = 0;

	for (i = 0; i < ranges->nr; i++)
		bytes += range_at(ranges, i)->end - range_at(ranges, i)->start;
	return bytes;
}

void seal_ranges_free(struct seal_ranges *ranges)
{
	__u32 i;

	for (i = 0; i < ranges->nr_chunks; i++)
		ranges_free(ranges->chunk[i]);
	ranges_free(ranges->chunk);
	memset(ranges, 0, sizeof(*ranges));
}
