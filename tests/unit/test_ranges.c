// SPDX-License-Identifier: GPL-2.0-only
/* The table of in-place ranges, against a bitmap that does the same simply. */
#include <errno.h>
#include <string.h>

#include "ranges.h"
#include "unit.h"

#define BITS 256

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
	ck_assert_uint_eq(ranges->nr, runs);
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
	ck_assert_uint_eq(ranges.nr, nr);
	for (__u64 i = 0; i < nr; i++) {
		wrong += !seal_ranges_cover(&ranges, i * 8, i * 8 + 4);
		wrong += seal_ranges_cover(&ranges, i * 8, i * 8 + 5);
		wrong += seal_ranges_cover(&ranges, i * 8 + 4, i * 8 + 5);
	}
	ck_assert_int_eq(wrong, 0);
	seal_ranges_free(&ranges);
	ck_assert_uint_eq(ranges.nr, 0);
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
	ck_assert_uint_eq(ranges.nr, 1);
	ck_assert(seal_ranges_cover(&ranges, 10, 30));
	ck_assert(!seal_ranges_cover(&ranges, 9, 11));
	ck_assert(!seal_ranges_cover(&ranges, 29, 31));
	/* an empty one leaves no trace */
	ck_assert_int_eq(seal_ranges_add(&ranges, 40, 40), 0);
	ck_assert_uint_eq(ranges.nr, 1);
	/* the end of the address space */
	ck_assert_int_eq(seal_ranges_add(&ranges, UINT64_MAX - 1, UINT64_MAX), 0);
	ck_assert(seal_ranges_cover(&ranges, UINT64_MAX - 1, UINT64_MAX));
	seal_ranges_free(&ranges);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("ranges");

	tcase_add_loop_test(tests, test_against_bitmap, 0, 200);
	tcase_add_loop_test(tests, test_arithmetic, 0, 200);
	tcase_add_test(tests, test_many);
	tcase_add_test(tests, test_edges);
	return run_tests(tests, "ranges");
}
