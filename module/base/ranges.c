// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of byte ranges, sorted and disjoint.
 *
 * A table with more than one range keeps them in chunks of at most 4096 bytes,
 * so that no chunk needs a high-order allocation. An array lists the chunks.
 *
 * Block sizes of files are multiples of 512 bytes. A narrow chunk therefore
 * stores the start and the end of a range as 32-bit numbers of 512-byte units,
 * counted from the start of the first range of the chunk. A range that does not
 * fit this form, because it is not a multiple of the unit or ends 2 TiB or more
 * away, makes the chunk a wide one, which stores ranges in bytes. If a chunk
 * has too many ranges to become wide, it stays narrow and a new chunk begins.
 *
 * So a range takes 8 bytes. A range in a wide chunk takes 16 bytes, but only a
 * huge and sparse file has many of those.
 */
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/* GFP_NOFS: a table is filled while the filesystem holds locks of the file. */
#define ranges_alloc(size)	kvzalloc(size, GFP_NOFS | __GFP_ACCOUNT)
#define ranges_free(ptr)	kvfree(ptr)
#else
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ranges_alloc(size)	calloc(1, size)
#define ranges_free(ptr)	free(ptr)
#endif

#include "base/ranges.h"

/*
 * Chunk sizes are sizes of kmalloc() caches. The first chunk begins small and
 * grows, because most files have few ranges.
 */
#define CHUNK_FIRST_BYTES	32
#define CHUNK_BYTES		4096

#define UNIT_SHIFT	9
#define UNIT_MASK	((1ULL << UNIT_SHIFT) - 1)

struct narrow_range {
	__u32	start;
	__u32	end;		/* exclusive */
};

/* A chunk; its ranges, at least one, follow it in memory. */
struct seal_chunk {
	__u16	nr;
	__u16	top;		/* the largest power of two not above @nr */
	__u16	bytes;		/* allocated, with this header */
	__u16	wide;
};

struct chunk_at {
	__u64			base;	/* start of its first range, bytes */
	struct seal_chunk	*chunk;
};

struct seal_chunks {
	__u32		nr;
	__u32		top;	/* the largest power of two not above @nr */
	__u32		room;
	struct chunk_at	at[];
};

/* The memory that the comment at the top promises. */
static_assert(sizeof(struct seal_ranges) == 16, "one range and nothing else");
static_assert(sizeof(struct narrow_range) == 8, "no padding");
static_assert(sizeof(struct seal_chunk) == 8, "aligned like what follows it");

static struct narrow_range *narrow(const struct seal_chunk *chunk)
{
	return (void *)(chunk + 1);
}

static struct seal_range *wide(const struct seal_chunk *chunk)
{
	return (void *)(chunk + 1);
}

static bool has_chunks(const struct seal_ranges *ranges)
{
	return ranges->many.start == SEAL_RANGES_MANY;
}

/* Can a narrow chunk that begins at @base hold the range [start, end)? */
static bool is_narrow(__u64 base, __u64 start, __u64 end)
{
	return !(((start - base) | (end - base)) & UNIT_MASK) &&
	       (end - base) >> UNIT_SHIFT <= (__u32)~0;
}

static struct seal_range chunk_get(const struct chunk_at *at, __u32 i)
{
	const struct narrow_range *range = narrow(at->chunk) + i;

	if (at->chunk->wide)
		return wide(at->chunk)[i];
	return (struct seal_range) {
		.start = at->base + ((__u64)range->start << UNIT_SHIFT),
		.end = at->base + ((__u64)range->end << UNIT_SHIFT),
	};
}

static void chunk_put(struct chunk_at *at, __u32 i, struct seal_range range)
{
	if (at->chunk->wide) {
		wide(at->chunk)[i] = range;
		return;
	}
	narrow(at->chunk)[i] = (struct narrow_range) {
		.start = (range.start - at->base) >> UNIT_SHIFT,
		.end = (range.end - at->base) >> UNIT_SHIFT,
	};
}

static __u32 room(__u32 bytes, bool is_wide)
{
	return (bytes - sizeof(struct seal_chunk)) /
	       (is_wide ? sizeof(struct seal_range) :
			  sizeof(struct narrow_range));
}

/* The new value of @top after the number of ranges or chunks changed by one. */
static __u32 top(__u32 old, __u32 nr)
{
	if (old > nr)
		return old / 2;
	return nr >= old * 2 ? old * 2 : old;
}

static void chunk_set_nr(struct seal_chunk *chunk, __u32 nr)
{
	chunk->nr = nr;
	chunk->top = nr == 1 ? 1 : top(chunk->top, nr);
}

static struct seal_chunk *chunk_alloc(__u32 bytes, bool is_wide)
{
	struct seal_chunk *chunk = ranges_alloc(bytes);

	if (chunk) {
		chunk->bytes = bytes;
		chunk->wide = is_wide;
	}
	return chunk;
}

/* Make room for @nr ranges in a chunk, which becomes wide if @is_wide. */
static int chunk_reshape(struct chunk_at *at, __u32 nr, bool is_wide)
{
	struct seal_chunk *old = at->chunk;
	struct chunk_at new = { .base = at->base };
	__u32 i, bytes = old->bytes;

	while (room(bytes, is_wide) < nr)
		bytes = bytes * 4 < CHUNK_BYTES ? bytes * 4 : CHUNK_BYTES;
	if (bytes == old->bytes && is_wide == old->wide)
		return 0;

	new.chunk = chunk_alloc(bytes, is_wide);
	if (!new.chunk)
		return -ENOMEM;
	for (i = 0; i < old->nr; i++)
		chunk_put(&new, i, chunk_get(at, i));
	new.chunk->nr = old->nr;
	new.chunk->top = old->top;
	ranges_free(old);
	*at = new;
	return 0;
}

/* Append a chunk that begins with @range. */
static int chunks_add(struct seal_ranges *ranges, struct seal_range range,
		      __u32 bytes)
{
	struct seal_chunks *chunks = ranges->many.chunks;
	struct chunk_at *at;

	if (!chunks || chunks->nr == chunks->room) {
		/* 2^n - 1 items and the header add up to a power of two */
		__u32 more = chunks ? chunks->room * 2 + 1 : 1;
		struct seal_chunks *new;

		new = ranges_alloc(sizeof(*new) + more * sizeof(*at));
		if (!new)
			return -ENOMEM;
		if (chunks)
			memcpy(new, chunks, sizeof(*new) +
					    chunks->nr * sizeof(*at));
		new->room = more;
		ranges_free(chunks);
		chunks = new;
		ranges->many.chunks = new;
	}

	at = &chunks->at[chunks->nr];
	at->base = range.start;
	at->chunk = chunk_alloc(bytes, !is_narrow(range.start, range.start,
						  range.end));
	if (!at->chunk)
		return -ENOMEM;
	chunk_set_nr(at->chunk, 1);
	chunk_put(at, 0, range);
	chunks->nr++;
	chunks->top = chunks->nr == 1 ? 1 : top(chunks->top, chunks->nr);
	return 0;
}

static int chunks_append(struct seal_ranges *ranges, struct seal_range range)
{
	struct seal_chunks *chunks = ranges->many.chunks;
	struct chunk_at *at = &chunks->at[chunks->nr - 1];
	__u32 nr = at->chunk->nr;
	struct seal_range last = chunk_get(at, nr - 1);
	bool extends = last.end == range.start, is_wide;
	int ret;

	if (extends) {
		range.start = last.start;
		nr--;
	}
	is_wide = at->chunk->wide || !is_narrow(at->base, range.start, range.end);
	if (nr < room(CHUNK_BYTES, is_wide)) {
		ret = chunk_reshape(at, nr + 1, is_wide);
		if (ret)
			return ret;
		chunk_put(at, nr, range);
		chunk_set_nr(at->chunk, nr + 1);
		return 0;
	}

	ret = chunks_add(ranges, range, CHUNK_BYTES);
	if (!ret && extends) {
		/* the last range moved to the new chunk: take it off the old */
		chunks = ranges->many.chunks;
		chunk_set_nr(chunks->at[chunks->nr - 2].chunk, nr);
	}
	return ret;
}

int seal_ranges_add(struct seal_ranges *ranges, __u64 start, __u64 end)
{
	struct seal_range range = { .start = start, .end = end };
	struct seal_ranges many = { };
	int ret;

	if (start >= end)
		return 0;
	if (has_chunks(ranges))
		return chunks_append(ranges, range);
	if (seal_ranges_empty(ranges)) {
		ranges->one = range;
		return 0;
	}
	if (ranges->one.end == start) {
		ranges->one.end = end;
		return 0;
	}

	many.many.start = SEAL_RANGES_MANY;
	ret = chunks_add(&many, ranges->one, CHUNK_FIRST_BYTES);
	if (!ret)
		ret = chunks_append(&many, range);
	if (ret) {
		seal_ranges_free(&many);
		return ret;
	}
	*ranges = many;
	return 0;
}

/*
 * The three searches return the last item that begins at or before a position,
 * or the first item if none does. Every write to a sealed file runs them, so
 * they do without divisions and without branches that depend on the data. After
 * the first step, step sizes are powers of two: a step is a comparison, a
 * conditional move and a shift.
 */
static const struct chunk_at *chunks_find(const struct seal_chunks *chunks,
					  __u64 pos)
{
	const struct chunk_at *at = chunks->at;
	size_t step = chunks->top;
	const struct chunk_at *next = at + (chunks->nr - step);

	at = next->base <= pos ? next : at;
	while (step >>= 1) {
		next = at + step;
		at = next->base <= pos ? next : at;
	}
	return at;
}

static const struct narrow_range *narrow_find(const struct seal_chunk *chunk,
					      __u32 unit)
{
	const struct narrow_range *range = narrow(chunk);
	size_t step = chunk->top;
	const struct narrow_range *next = range + (chunk->nr - step);

	range = next->start <= unit ? next : range;
	while (step >>= 1) {
		next = range + step;
		range = next->start <= unit ? next : range;
	}
	return range;
}

static const struct seal_range *wide_find(const struct seal_chunk *chunk,
					  __u64 pos)
{
	const struct seal_range *range = wide(chunk);
	size_t step = chunk->top;
	const struct seal_range *next = range + (chunk->nr - step);

	range = next->start <= pos ? next : range;
	while (step >>= 1) {
		next = range + step;
		range = next->start <= pos ? next : range;
	}
	return range;
}

static bool chunks_cover(const struct seal_chunks *chunks, __u64 start,
			 __u64 end)
{
	const struct chunk_at *at;

	if (start < chunks->at[0].base)
		return false;
	/* now the range that is found begins at or before start */
	at = chunks_find(chunks, start);
	if (at->chunk->wide)
		return wide_find(at->chunk, start)->end >= end;
	/*
	 * The unit number of start may lose its upper bits in the call. Then
	 * the unit of end is beyond every range of the chunk, and the
	 * comparison fails, whichever range was found.
	 */
	return narrow_find(at->chunk, (start - at->base) >> UNIT_SHIFT)->end >
	       (end - 1 - at->base) >> UNIT_SHIFT;
}

bool seal_ranges_cover(const struct seal_ranges *ranges, __u64 start, __u64 end)
{
	if (start >= end)
		return true;
	/* ranges never touch each other, so one range must hold all of it */
	if (has_chunks(ranges))
		return chunks_cover(ranges->many.chunks, start, end);
	return ranges->one.start <= start && ranges->one.end >= end;
}

/* A position in a table that is read range by range. */
struct cursor {
	const struct seal_ranges	*ranges;
	__u32				chunk;
	__u32				i;
};

/* Get the range at the cursor; false if it is behind the last one. */
static bool cursor_get(const struct cursor *cursor, struct seal_range *range)
{
	const struct seal_ranges *ranges = cursor->ranges;

	if (!has_chunks(ranges)) {
		*range = ranges->one;
		return !cursor->i && !seal_ranges_empty(ranges);
	}
	if (cursor->chunk == ranges->many.chunks->nr)
		return false;
	*range = chunk_get(&ranges->many.chunks->at[cursor->chunk], cursor->i);
	return true;
}

static void cursor_step(struct cursor *cursor)
{
	const struct seal_ranges *ranges = cursor->ranges;

	cursor->i++;
	if (has_chunks(ranges) &&
	    cursor->i == ranges->many.chunks->at[cursor->chunk].chunk->nr) {
		cursor->chunk++;
		cursor->i = 0;
	}
}

/*
 * Return a cursor to the last range that begins at or before @pos, or else to
 * the first range.
 */
static struct cursor cursor_at(const struct seal_ranges *ranges, __u64 pos)
{
	struct cursor cursor = { .ranges = ranges };
	const struct chunk_at *at;
	__u64 unit;

	if (!has_chunks(ranges))
		return cursor;
	at = chunks_find(ranges->many.chunks, pos);
	cursor.chunk = at - ranges->many.chunks->at;
	if (pos < at->base)
		return cursor;
	if (at->chunk->wide) {
		cursor.i = wide_find(at->chunk, pos) - wide(at->chunk);
		return cursor;
	}
	unit = (pos - at->base) >> UNIT_SHIFT;
	if (unit > (__u32)~0)
		unit = (__u32)~0;
	cursor.i = narrow_find(at->chunk, unit) - narrow(at->chunk);
	return cursor;
}

bool seal_ranges_subset(const struct seal_ranges *a, const struct seal_ranges *b)
{
	struct cursor cursor = { .ranges = a };
	struct seal_range range;

	for (; cursor_get(&cursor, &range); cursor_step(&cursor)) {
		if (!seal_ranges_cover(b, range.start, range.end))
			return false;
	}
	return true;
}

int seal_ranges_intersect(struct seal_ranges *out, const struct seal_ranges *a,
			  const struct seal_ranges *b)
{
	struct cursor i = { .ranges = a }, j = { .ranges = b };
	struct seal_range x, y;

	while (cursor_get(&i, &x) && cursor_get(&j, &y)) {
		__u64 start = x.start > y.start ? x.start : y.start;
		__u64 end = x.end < y.end ? x.end : y.end;
		int ret = seal_ranges_add(out, start, end);

		if (ret)
			return ret;
		cursor_step(x.end <= y.end ? &i : &j);
	}
	return 0;
}

int seal_ranges_union(struct seal_ranges *out, const struct seal_ranges *a,
		      const struct seal_ranges *b)
{
	struct cursor i = { .ranges = a }, j = { .ranges = b };
	struct seal_range x, y;
	__u64 done = 0;

	for (;;) {
		bool in_a = cursor_get(&i, &x), in_b = cursor_get(&j, &y);
		int ret;

		if (!in_a && !in_b)
			return 0;
		if (!in_a || (in_b && y.start < x.start)) {
			x = y;
			cursor_step(&j);
		} else {
			cursor_step(&i);
		}
		/* add only the part that the ranges so far do not have */
		ret = seal_ranges_add(out, x.start > done ? x.start : done,
				      x.end);
		if (ret)
			return ret;
		done = x.end > done ? x.end : done;
	}
}

bool seal_ranges_next(const struct seal_ranges *ranges, __u64 pos,
		      struct seal_range *range)
{
	struct cursor cursor = cursor_at(ranges, pos);

	if (!cursor_get(&cursor, range))
		return false;
	if (range->end <= pos) {
		cursor_step(&cursor);
		if (!cursor_get(&cursor, range))
			return false;
	}
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
	struct cursor cursor = { .ranges = a };
	struct seal_range left, cut;

	for (; cursor_get(&cursor, &left); cursor_step(&cursor)) {
		__u64 pos = left.start;

		while (pos < left.end) {
			int ret;

			if (!seal_ranges_next(b, pos, &cut) ||
			    cut.start >= left.end) {
				cut.start = left.end;
				cut.end = left.end;
			}
			ret = seal_ranges_add(out, pos, cut.start);
			if (ret)
				return ret;
			pos = cut.end;
		}
	}
	return 0;
}

__u64 seal_ranges_nr(const struct seal_ranges *ranges)
{
	__u64 nr = 0;
	__u32 i;

	if (!has_chunks(ranges))
		return !seal_ranges_empty(ranges);
	for (i = 0; i < ranges->many.chunks->nr; i++)
		nr += ranges->many.chunks->at[i].chunk->nr;
	return nr;
}

__u64 seal_ranges_bytes(const struct seal_ranges *ranges)
{
	struct cursor cursor = { .ranges = ranges };
	struct seal_range range;
	__u64 bytes = 0;

	for (; cursor_get(&cursor, &range); cursor_step(&cursor))
		bytes += range.end - range.start;
	return bytes;
}

void seal_ranges_free(struct seal_ranges *ranges)
{
	if (has_chunks(ranges)) {
		struct seal_chunks *chunks = ranges->many.chunks;
		__u32 i;

		for (i = 0; chunks && i < chunks->nr; i++)
			ranges_free(chunks->at[i].chunk);
		ranges_free(chunks);
	}
	memset(ranges, 0, sizeof(*ranges));
}
