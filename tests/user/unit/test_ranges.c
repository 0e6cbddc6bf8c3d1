// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of in-place ranges, against a bitmap and an array that do the same
 * simply. The table gets its memory from here (see Makefile).
 */
#undef calloc
#undef free
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/ranges.h"
#include "unit.h"

#define BITS 256

/* What the table takes for calloc() and free(). */
void *ranges_calloc(size_t nr, size_t size);
void ranges_drop(void *ptr);

struct header {
	size_t		size;
	max_align_t	aligned[];
};

static size_t allocated, allocations;
/* This one fails, counted from 1. */
static size_t failing;

void *ranges_calloc(size_t nr, size_t size)
{
	struct header *header;

	if (++allocations == failing)
		return NULL;
	header = calloc(1, sizeof(*header) + nr * size);
	if (!header)
		abort();
	header->size = nr * size;
	allocated += header->size;
	return header + 1;
}

void ranges_drop(void *ptr)
{
	struct header *header = ptr;

	if (!ptr)
		return;
	header--;
	allocated -= header->size;
	free(header);
}

/* The ranges of a table, read one after the other. */
static __u64 count(const struct seal_ranges *ranges)
{
	struct seal_range range;
	__u64 pos = 0, nr = 0;

	for (; seal_ranges_next(ranges, pos, &range); nr++)
		pos = range.end;
	return nr;
}

static void fill(struct seal_ranges *ranges, const char *bits)
{
	for (int start = 0; start < BITS; start++) {
		int end = start;

		while (end < BITS && bits[end])
			end++;
		ck_assert_int_eq(seal_ranges_add(ranges, start, end), 0);
		if (end > start)
			start = end;
	}
}

static void random_bits(char *bits, unsigned int dense)
{
	int state = 0;

	for (int i = 0; i < BITS; i++) {
		if (!(rand() % dense))
			state = !state;
		bits[i] = state;
	}
}

static int covered(const char *bits, int start, int end)
{
	for (int i = start; i < end; i++)
		if (!bits[i])
			return 0;
	return 1;
}

START_TEST(test_against_bitmap)
{
	struct seal_ranges a = { 0 }, b = { 0 }, both = { 0 };
	char x[BITS], y[BITS];
	int subset = 1, bytes = 0, wrong = 0;

	srand(_i);
	random_bits(x, 2 + _i % 20);
	random_bits(y, 2 + _i % 7);
	if (_i % 3 == 0)
		for (int i = 0; i < BITS; i++)
			y[i] |= x[i];
	fill(&a, x);
	fill(&b, y);

	for (int start = 0; start < BITS; start += 3)
		for (int end = start; end <= BITS; end++)
			wrong += seal_ranges_cover(&a, start, end) !=
				 covered(x, start, end);
	/* an assertion is a message through a pipe: too dear for each */
	ck_assert_int_eq(wrong, 0);

	ck_assert_int_eq(seal_ranges_intersect(&both, &a, &b), 0);
	for (int i = 0; i < BITS; i++) {
		ck_assert_int_eq(seal_ranges_cover(&both, i, i + 1),
				 x[i] && y[i]);
		subset &= !x[i] || y[i];
		bytes += x[i];
	}
	ck_assert_int_eq(seal_ranges_subset(&a, &b), subset);
	ck_assert(seal_ranges_subset(&both, &a));
	ck_assert(seal_ranges_subset(&both, &b));
	ck_assert_uint_eq(seal_ranges_bytes(&a), bytes);

	seal_ranges_free(&a);
	seal_ranges_free(&b);
	seal_ranges_free(&both);
}
END_TEST

/* Touching ranges are one: the table says the same as the bits, and no more. */
static void same(const struct seal_ranges *ranges, const char *bits)
{
	__u64 runs = 0;
	int wrong = 0;

	for (int i = 0; i < BITS; i++) {
		wrong += seal_ranges_cover(ranges, i, i + 1) != bits[i];
		runs += bits[i] && (!i || !bits[i - 1]);
	}
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(count(ranges), runs);
	ck_assert_int_eq(seal_ranges_empty(ranges), !runs);
}

START_TEST(test_arithmetic)
{
	struct seal_ranges a = { 0 }, b = { 0 }, out = { 0 };
	char x[BITS], y[BITS], want[BITS];
	struct seal_range range;
	int wrong = 0;

	srand(_i);
	random_bits(x, 2 + _i % 20);
	random_bits(y, 2 + _i % 7);
	fill(&a, x);
	fill(&b, y);

	ck_assert_int_eq(seal_ranges_union(&out, &a, &b), 0);
	for (int i = 0; i < BITS; i++)
		want[i] = x[i] || y[i];
	same(&out, want);
	seal_ranges_free(&out);

	ck_assert_int_eq(seal_ranges_subtract(&out, &a, &b), 0);
	for (int i = 0; i < BITS; i++)
		want[i] = x[i] && !y[i];
	same(&out, want);
	seal_ranges_free(&out);

	for (int pos = 0; pos <= BITS; pos++) {
		int first = pos, end;

		while (first < BITS && !x[first])
			first++;
		for (end = first; end < BITS && x[end];)
			end++;
		if (first == BITS)
			wrong += seal_ranges_next(&a, pos, &range);
		else
			wrong += !seal_ranges_next(&a, pos, &range) ||
				 range.start != (__u64)first ||
				 range.end != (__u64)end;
		for (int stop = pos; stop <= BITS; stop += 5)
			wrong += seal_ranges_overlap(&a, pos, stop) !=
				 (first < stop);
	}
	ck_assert_int_eq(wrong, 0);
	seal_ranges_free(&a);
	seal_ranges_free(&b);
}
END_TEST

START_TEST(test_many)
{
	struct seal_ranges ranges = { 0 };
	const __u64 nr = 100003;
	int wrong = 0;

	for (__u64 i = 0; i < nr; i++)
		wrong += seal_ranges_add(&ranges, i * 8, i * 8 + 4) != 0;
	ck_assert_uint_eq(count(&ranges), nr);
	for (__u64 i = 0; i < nr; i++) {
		wrong += !seal_ranges_cover(&ranges, i * 8, i * 8 + 4);
		wrong += seal_ranges_cover(&ranges, i * 8, i * 8 + 5);
		wrong += seal_ranges_cover(&ranges, i * 8 + 4, i * 8 + 5);
	}
	ck_assert_int_eq(wrong, 0);
	seal_ranges_free(&ranges);
	ck_assert_uint_eq(count(&ranges), 0);
	ck_assert(!seal_ranges_cover(&ranges, 0, 1));
}
END_TEST

START_TEST(test_edges)
{
	struct seal_ranges ranges = { 0 };

	/* nothing is in an empty table, but nothing is also all of nothing */
	ck_assert(!seal_ranges_cover(&ranges, 0, 1));
	ck_assert(seal_ranges_cover(&ranges, 5, 5));
	/* touching ranges are one */
	ck_assert_int_eq(seal_ranges_add(&ranges, 10, 20), 0);
	ck_assert_int_eq(seal_ranges_add(&ranges, 20, 30), 0);
	ck_assert_uint_eq(count(&ranges), 1);
	ck_assert(seal_ranges_cover(&ranges, 10, 30));
	ck_assert(!seal_ranges_cover(&ranges, 9, 11));
	ck_assert(!seal_ranges_cover(&ranges, 29, 31));
	/* an empty one leaves no trace */
	ck_assert_int_eq(seal_ranges_add(&ranges, 40, 40), 0);
	ck_assert_uint_eq(count(&ranges), 1);
	/* the end of the address space */
	ck_assert_int_eq(seal_ranges_add(&ranges, UINT64_MAX - 1, UINT64_MAX), 0);
	ck_assert(seal_ranges_cover(&ranges, UINT64_MAX - 1, UINT64_MAX));
	seal_ranges_free(&ranges);
}
END_TEST

#define KIB		1024ULL
#define TIB		(1ULL << 40)
#define FILE_MAX	(UINT64_MAX / 2)	/* s_maxbytes at its largest */
#define MAX_RANGES	4096
/* How many of them fill a page. */
#define NARROW_ROOM	511
#define WIDE_ROOM	255

/* The same ranges in an array, touching ones joined. */
struct model {
	int			nr;
	struct seal_range	range[MAX_RANGES];
};

static void model_add(struct model *model, __u64 start, __u64 end)
{
	if (start >= end)
		return;
	if (model->nr && model->range[model->nr - 1].end == start) {
		model->range[model->nr - 1].end = end;
		return;
	}
	if (model->nr == MAX_RANGES)
		ck_abort_msg("the array is full");
	model->range[model->nr++] = (struct seal_range) { start, end };
}

/* The first range that ends behind @pos. */
static int model_next(const struct model *model, __u64 pos)
{
	int i = 0;

	while (i < model->nr && model->range[i].end <= pos)
		i++;
	return i;
}

static int model_cover(const struct model *model, __u64 start, __u64 end)
{
	int i = model_next(model, start);

	return start >= end ||
	       (i < model->nr && model->range[i].start <= start &&
		model->range[i].end >= end);
}

/* Append to both. */
static void add(struct seal_ranges *ranges, struct model *model, __u64 start,
		__u64 end)
{
	if (seal_ranges_add(ranges, start, end))
		ck_abort_msg("out of memory");
	model_add(model, start, end);
}

/* Ask for one request all there is to ask. */
static int wrong_at(const struct seal_ranges *ranges, const struct model *model,
		    __u64 start, __u64 end)
{
	int i = model_next(model, start), wrong = 0;
	struct seal_range range, want;

	wrong += seal_ranges_cover(ranges, start, end) !=
		 model_cover(model, start, end);
	wrong += seal_ranges_overlap(ranges, start, end) !=
		 (i < model->nr && start < end && model->range[i].start < end);
	if (seal_ranges_next(ranges, start, &range) != (i < model->nr))
		return wrong + 1;
	if (i < model->nr) {
		want = model->range[i];
		if (want.start < start)
			want.start = start;
		wrong += range.start != want.start || range.end != want.end;
	}
	return wrong;
}

/* Is the table what the array is? Each edge is looked at, and a byte beyond. */
static void same_as(const struct seal_ranges *ranges, const struct model *model)
{
	__u64 pos = 0, bytes = 0;
	struct seal_range range;
	int wrong = 0, i;

	for (i = 0; i < model->nr; i++) {
		const struct seal_range *want = &model->range[i];

		if (!seal_ranges_next(ranges, pos, &range)) {
			wrong++;
			break;
		}
		wrong += range.start != want->start || range.end != want->end;
		pos = range.end;
		bytes += want->end - want->start;
		wrong += !seal_ranges_cover(ranges, want->start, want->end);
		wrong += !seal_ranges_cover(ranges, want->end - 1, want->end);
		wrong += seal_ranges_cover(ranges, want->start, want->end + 1);
		wrong += seal_ranges_cover(ranges, want->end, want->end + 1);
		wrong += seal_ranges_cover(ranges, want->start, UINT64_MAX);
		if (want->start) {
			wrong += seal_ranges_cover(ranges, want->start - 1,
						   want->end);
			wrong += seal_ranges_cover(ranges, want->start - 1,
						   want->start);
		}
	}
	wrong += seal_ranges_next(ranges, pos, &range);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(seal_ranges_bytes(ranges), bytes);
	ck_assert_uint_eq(seal_ranges_nr(ranges), model->nr);
	ck_assert_int_eq(seal_ranges_empty(ranges), !model->nr);
}

static __u64 random_below(__u64 limit)
{
	return (((__u64)rand() << 42) ^ ((__u64)rand() << 21) ^ rand()) % limit;
}

/* What a chunk can be full of, and all of it in one file. */
enum shape { BLOCKS, BYTES, GAPS, LONG, SECTORS, SHAPES };

static void random_ranges(struct seal_ranges *ranges, struct model *model)
{
	int nr = rand() % (rand() % 2 ? 20 : 1200), often = 1 + rand() % 400;
	__u64 pos = rand() % 3 ? 0 : random_below(3 * TIB);
	enum shape shape = rand() % SHAPES;

	model->nr = 0;
	while (nr--) {
		__u64 gap, length;

		if (!(rand() % often))
			shape = rand() % SHAPES;
		switch (shape) {
		case BYTES:
			gap = rand() % 5;
			length = rand() % 5;
			break;
		case GAPS:
			gap = random_below(3 * TIB) & ~511ULL;
			length = rand() % 8 * 4 * KIB;
			break;
		case LONG:
			gap = rand() % 8 * 4 * KIB;
			length = random_below(3 * TIB) & ~511ULL;
			break;
		case SECTORS:
			gap = rand() % 4 * 512;
			length = rand() % 4 * 512;
			break;
		default:
			/* from whatever is there: to a multiple of the block */
			gap = -pos % (4 * KIB) + rand() % 8 * 4 * KIB;
			length = rand() % 8 * 4 * KIB;
			break;
		}
		if (gap + length > FILE_MAX - pos)
			break;
		add(ranges, model, pos + gap, pos + gap + length);
		pos += gap + length;
	}
}

enum operation { INTERSECT, UNION, SUBTRACT };

/* By the pieces between all edges of both, each of which is in or not. */
static void model_do(struct model *out, enum operation operation,
		     const struct model *a, const struct model *b)
{
	__u64 pos = 0, next;

	for (out->nr = 0; pos != UINT64_MAX; pos = next) {
		int i = model_next(a, pos), j = model_next(b, pos);
		int in_a = i < a->nr && a->range[i].start <= pos;
		int in_b = j < b->nr && b->range[j].start <= pos;
		int in;

		next = UINT64_MAX;
		if (i < a->nr)
			next = in_a ? a->range[i].end : a->range[i].start;
		if (j < b->nr) {
			__u64 edge = in_b ? b->range[j].end : b->range[j].start;

			next = edge < next ? edge : next;
		}
		in = operation == INTERSECT ? in_a && in_b :
		     operation == UNION ? in_a || in_b : in_a && !in_b;
		if (in)
			model_add(out, pos, next);
	}
}

START_TEST(test_against_array)
{
	static struct model x, y, want;
	struct seal_ranges a = { 0 }, b = { 0 }, out = { 0 };
	int wrong = 0;

	srand(_i);
	random_ranges(&a, &x);
	random_ranges(&b, &y);
	same_as(&a, &x);
	same_as(&b, &y);
	for (int i = 0; i < 500; i++) {
		__u64 start, end;

		/* near an edge, near another one, or anywhere */
		start = x.nr ? x.range[rand() % x.nr].start : 0;
		end = x.nr ? x.range[rand() % x.nr].end : 0;
		start += (rand() % 3 - 1) * (__u64)(rand() % 1024);
		if (rand() % 2)
			end = start + rand() % 8192;
		else
			end += (rand() % 3 - 1) * (__u64)(rand() % 1024);
		if (!(rand() % 10))
			start = random_below(FILE_MAX);
		wrong += wrong_at(&a, &x, start, end);
		wrong += wrong_at(&b, &y, start, end);
	}
	ck_assert_int_eq(wrong, 0);

	ck_assert_int_eq(seal_ranges_intersect(&out, &a, &b), 0);
	model_do(&want, INTERSECT, &x, &y);
	same_as(&out, &want);
	ck_assert(seal_ranges_subset(&out, &a) && seal_ranges_subset(&out, &b));
	ck_assert_int_eq(seal_ranges_subset(&a, &b),
			 seal_ranges_bytes(&out) == seal_ranges_bytes(&a));
	seal_ranges_free(&out);

	ck_assert_int_eq(seal_ranges_union(&out, &a, &b), 0);
	model_do(&want, UNION, &x, &y);
	same_as(&out, &want);
	ck_assert(seal_ranges_subset(&a, &out) && seal_ranges_subset(&b, &out));
	seal_ranges_free(&out);

	ck_assert_int_eq(seal_ranges_subtract(&out, &a, &b), 0);
	model_do(&want, SUBTRACT, &x, &y);
	same_as(&out, &want);
	ck_assert(seal_ranges_subset(&out, &a));
	seal_ranges_free(&out);

	seal_ranges_free(&a);
	seal_ranges_free(&b);
	ck_assert_uint_eq(allocated, 0);
}
END_TEST

static __u64 some(struct seal_ranges *ranges, struct model *model, __u64 pos,
		  int nr)
{
	while (nr--) {
		add(ranges, model, pos, pos + 4 * KIB);
		pos += 8 * KIB;
	}
	return pos;
}

/* A chunk has @nr ranges when what makes it wide comes; others follow. */
static void switch_after(int nr, __u64 gap, __u64 length)
{
	struct seal_ranges ranges = { 0 };
	static struct model model;
	__u64 pos;

	model.nr = 0;
	some(&ranges, &model, 64 * KIB, nr);
	pos = model.range[nr - 1].end + gap;
	add(&ranges, &model, pos, pos + length);
	some(&ranges, &model, pos + length + 4 * KIB, 20);
	same_as(&ranges, &model);
	seal_ranges_free(&ranges);
	ck_assert_uint_eq(allocated, 0);
}

#define SWITCHES 20

START_TEST(test_switch)
{
	for (int nr = 1 + _i; nr < NARROW_ROOM + 20; nr += SWITCHES) {
		switch_after(nr, 4 * TIB, 4 * KIB);
		switch_after(nr, 4 * KIB, 4 * TIB);
		switch_after(nr, 4 * KIB, 1);
		switch_after(nr, 1, 4 * KIB - 1);
		/* these extend the range before */
		switch_after(nr, 0, 4 * TIB);
		switch_after(nr, 0, 1);
	}
}
END_TEST

/* With each count of ranges, what is at its ends and around them. */
START_TEST(test_counts)
{
	static const __u64 steps[] = { 8 * KIB, 3 * KIB + 1, 16ULL << 30 };
	static struct model model;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct seal_ranges ranges = { 0 };
		int wrong = 0;

		model.nr = 0;
		for (__u64 nr = 0; nr < 1300; nr++) {
			__u64 pos = 64 * KIB + nr * steps[i];

			add(&ranges, &model, pos, pos + KIB);
			wrong += wrong_at(&ranges, &model, 0, 64 * KIB + 1);
			wrong += wrong_at(&ranges, &model, 64 * KIB, 65 * KIB);
			wrong += wrong_at(&ranges, &model, pos - 1, pos + KIB);
			wrong += wrong_at(&ranges, &model, pos, pos + KIB);
			wrong += wrong_at(&ranges, &model, pos + 1, pos + KIB);
			wrong += wrong_at(&ranges, &model, pos, pos + KIB + 1);
			wrong += wrong_at(&ranges, &model, pos + KIB, FILE_MAX);
		}
		ck_assert_int_eq(wrong, 0);
		same_as(&ranges, &model);
		seal_ranges_free(&ranges);
	}
}
END_TEST

/* Around the last unit a narrow chunk can name. */
START_TEST(test_narrow_limit)
{
	static struct model model;

	for (__u64 base = 0; base < 4 * KIB; base += 511) {
		for (int i = -3; i <= 3; i++) {
			for (__u64 by = 1; by <= 512; by += 511) {
				struct seal_ranges ranges = { 0 };
				__u64 end = base + 2 * TIB + i * by;

				/* one that begins there */
				model.nr = 0;
				add(&ranges, &model, base, base + 512);
				add(&ranges, &model, end, end + 4 * KIB);
				same_as(&ranges, &model);
				/* the same place in the next 2 TiB is not there */
				ck_assert(!seal_ranges_cover(&ranges,
							     base + 2 * TIB * 5,
							     base + 2 * TIB * 5 + 512));
				seal_ranges_free(&ranges);

				/* one that ends there, at once and bit by bit */
				model.nr = 0;
				add(&ranges, &model, base, base + 512);
				add(&ranges, &model, base + KIB, end);
				same_as(&ranges, &model);
				seal_ranges_free(&ranges);

				model.nr = 0;
				add(&ranges, &model, base, base + 512);
				add(&ranges, &model, base + KIB, base + TIB);
				add(&ranges, &model, base + TIB, end);
				add(&ranges, &model, end, end + 512);
				same_as(&ranges, &model);
				add(&ranges, &model, end + KIB, end + 2 * KIB);
				same_as(&ranges, &model);
				seal_ranges_free(&ranges);
			}
		}
	}
}
END_TEST

START_TEST(test_large)
{
	struct seal_ranges ranges = { 0 };
	size_t before = allocations;
	static struct model model;

	model.nr = 0;
	/* a fully allocated file is one range, however long, and takes nothing */
	for (__u64 pos = 0; pos < 8 * TIB; pos += TIB / 8)
		add(&ranges, &model, pos, pos + TIB / 8);
	ck_assert_int_eq(model.nr, 1);
	same_as(&ranges, &model);
	add(&ranges, &model, 8 * TIB, FILE_MAX);
	same_as(&ranges, &model);
	ck_assert_uint_eq(allocations, before);
	seal_ranges_free(&ranges);
	ck_assert(seal_ranges_empty(&ranges));

	/* ranges of all sizes, up to the end of the largest file */
	model.nr = 0;
	for (__u64 pos = 1; pos < FILE_MAX / 2; pos *= 2)
		add(&ranges, &model, pos, pos + pos / 2);
	add(&ranges, &model, FILE_MAX / 2 + 1, FILE_MAX);
	same_as(&ranges, &model);
	seal_ranges_free(&ranges);
	ck_assert_uint_eq(allocated, 0);
}
END_TEST

/* Bytes taken by @nr ranges, @step apart, of @length. */
static size_t taken(__u64 nr, __u64 step, __u64 length)
{
	struct seal_ranges ranges = { 0 };
	size_t bytes;
	int wrong = 0;

	for (__u64 i = 0; i < nr; i++)
		wrong += seal_ranges_add(&ranges, i * step,
					 i * step + length) != 0;
	bytes = allocated;
	for (__u64 i = 0; i < nr; i++)
		wrong += !seal_ranges_cover(&ranges, i * step,
					    i * step + length) ||
			 seal_ranges_cover(&ranges, i * step,
					   i * step + length + 1);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(count(&ranges), nr);
	seal_ranges_free(&ranges);
	ck_assert_uint_eq(allocated, 0);
	return bytes;
}

START_TEST(test_memory)
{
	struct seal_ranges ranges = { 0 };
	__u64 pos = 0, nr = 0;

	ck_assert_uint_le(sizeof(struct seal_ranges), 16);
	ck_assert_uint_eq(taken(1, 8 * KIB, 4 * KIB), 0);
	ck_assert_uint_le(taken(3, 8 * KIB, 4 * KIB), 64);
	ck_assert_uint_le(taken(15, 8 * KIB, 4 * KIB), 160);
	ck_assert_uint_le(taken(NARROW_ROOM, 8 * KIB, 4 * KIB), 4096 + 32);
	ck_assert_uint_le(taken(NARROW_ROOM + 1, 8 * KIB, 4 * KIB), 8192 + 64);
	ck_assert_uint_le(taken(WIDE_ROOM, 8 * KIB, 1), 4096 + 32);
	ck_assert_uint_le(taken(WIDE_ROOM + 1, 8 * KIB, 1), 8192 + 64);
	/* narrow: 8 bytes and a little; up to 16 TiB and more */
	ck_assert_uint_le(taken(100000, 8 * KIB, 4 * KIB), 815000);
	ck_assert_uint_le(taken(100000, 2 << 20, 1 << 20), 815000);
	ck_assert_uint_le(taken(100000, 256 << 20, 128 << 20), 825000);
	/* wide: not a multiple of 512; farther apart than 2 TiB a chunk */
	ck_assert_uint_le(taken(100000, 8 * KIB, 1), 1620000);
	ck_assert_uint_le(taken(100000, 16ULL << 30, 4 * KIB), 1620000);

	/* and no more if each chunk is left for the next as early as can be */
	while (nr < 100000) {
		for (int i = 0; i <= WIDE_ROOM; i++, nr++, pos += 8 * KIB)
			if (seal_ranges_add(&ranges, pos, pos + 4 * KIB))
				ck_abort_msg("out of memory");
		pos += 4 * TIB;
	}
	ck_assert_uint_le(allocated, nr * 16 + nr / 5);
	seal_ranges_free(&ranges);
}
END_TEST

/* Each allocation fails: nothing has happened, and the next try works. */
START_TEST(test_no_memory)
{
	struct seal_ranges ranges = { 0 };
	static struct model model;
	__u64 pos = 0;
	int failed = 0;

	model.nr = 0;
	for (int i = 0; i < 3000; i++) {
		/* each kind of chunk, and ranges that outgrow narrow ones */
		__u64 length = i % 1500 < 700 ? 4 * KIB : i % 1500 < 1100 ? 1 :
			       3 * TIB;
		int ret;

		if (i % 1500 != 700)
			pos += 4 * KIB;
		/* the first it needs, the second, and so on until none fails */
		for (int nth = 1;; nth++) {
			failing = allocations + nth;
			ret = seal_ranges_add(&ranges, pos, pos + length);
			failing = 0;
			if (!ret)
				break;
			ck_assert_int_eq(ret, -ENOMEM);
			same_as(&ranges, &model);
			failed++;
		}
		model_add(&model, pos, pos + length);
		pos += length;
	}
	ck_assert_int_ge(failed, 20);
	same_as(&ranges, &model);
	seal_ranges_free(&ranges);
	ck_assert_uint_eq(allocated, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("ranges");

	/* emulated, and not alone on the machine */
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, test_against_bitmap, 0, 200);
	tcase_add_loop_test(tests, test_arithmetic, 0, 200);
	tcase_add_test(tests, test_many);
	tcase_add_test(tests, test_edges);
	tcase_add_loop_test(tests, test_against_array, 0, 100);
	tcase_add_loop_test(tests, test_switch, 0, SWITCHES);
	tcase_add_test(tests, test_counts);
	tcase_add_test(tests, test_narrow_limit);
	tcase_add_test(tests, test_large);
	tcase_add_test(tests, test_memory);
	tcase_add_test(tests, test_no_memory);
	return run_tests(tests, "ranges");
}
