// SPDX-License-Identifier: GPL-2.0-only
/* A layout in one line. */
#include <string.h>

#include <libseal.h>

#include "print/picture.h"
#include "unit.h"

static struct picture picture;
static char line[256];

static const char *draw(void)
{
	picture_draw(&picture, line);
	picture_end(&picture);
	return line;
}

START_TEST(test_parts)
{
	ck_assert_int_eq(picture_begin(&picture, 10, 1000), 0);
	picture_add(&picture, 0, 500, SEAL_RANGE_WRITTEN);
	picture_add(&picture, 500, 200, SEAL_RANGE_HOLE);
	picture_add(&picture, 700, 100, SEAL_RANGE_UNWRITTEN);
	picture_add(&picture, 800, 100, SEAL_RANGE_SHARED);
	picture_add(&picture, 900, 100, SEAL_RANGE_DELALLOC);
	ck_assert_str_eq(draw(), "#####..usd");
}
END_TEST

START_TEST(test_majority)
{
	ck_assert_int_eq(picture_begin(&picture, 2, 200), 0);
	picture_add(&picture, 0, 149, SEAL_RANGE_HOLE);
	picture_add(&picture, 149, 51, SEAL_RANGE_WRITTEN);
	ck_assert_str_eq(draw(), ".#");
}
END_TEST

/* Beyond the end of the file there is nothing to draw. */
START_TEST(test_beyond)
{
	ck_assert_int_eq(picture_begin(&picture, 4, 400), 0);
	picture_add(&picture, 0, 1000, SEAL_RANGE_WRITTEN);
	picture_add(&picture, 1000, UINT64_MAX - 1000, SEAL_RANGE_UNWRITTEN);
	ck_assert_str_eq(draw(), "####");
}
END_TEST

START_TEST(test_small)
{
	ck_assert_int_eq(picture_begin(&picture, 80, 3), 0);
	ck_assert_uint_eq(picture.cells, 3);
	picture_add(&picture, 0, 4096, SEAL_RANGE_WRITTEN);
	ck_assert_str_eq(draw(), "###");
	ck_assert_int_eq(picture_begin(&picture, 80, 0), 0);
	picture_add(&picture, 0, 4096, SEAL_RANGE_WRITTEN);
	ck_assert_str_eq(draw(), "");
}
END_TEST

/* No byte is lost or counted twice at any width, nor with huge files. */
START_TEST(test_sums)
{
	static const uint64_t sizes[] = { 1000003, (1ULL << 40) + 7, INT64_MAX };
	uint64_t size, step, offset, sum;
	unsigned int i, cell;

	for (i = 0; i < 3; i++) {
		size = sizes[i];
		step = size / 13;
		ck_assert_int_eq(picture_begin(&picture, (unsigned int)_i, size), 0);
		for (offset = 0; offset < size; offset += step)
			picture_add(&picture, offset, step, SEAL_RANGE_WRITTEN);
		for (sum = 0, cell = 0; cell < picture.cells; cell++)
			sum += picture.bytes[cell][SEAL_RANGE_WRITTEN];
		ck_assert_uint_eq(sum, size);
		picture_end(&picture);
	}
}
END_TEST

START_TEST(test_symbols)
{
	ck_assert_int_eq(picture_symbol(SEAL_RANGE_NONE), '?');
	ck_assert_int_eq(picture_symbol(SEAL_RANGE_COW), 'c');
	ck_assert_int_eq(picture_symbol(1000), '?');
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("picture");

	tcase_add_test(tests, test_parts);
	tcase_add_test(tests, test_majority);
	tcase_add_test(tests, test_beyond);
	tcase_add_test(tests, test_small);
	tcase_add_loop_test(tests, test_sums, 1, 250);
	tcase_add_test(tests, test_symbols);
	return run_tests(tests, "picture");
}
