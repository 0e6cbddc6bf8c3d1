// SPDX-License-Identifier: GPL-2.0-only
/* The comparison of maps, fed with made-up ones, also such as no file has. */
#include "two_maps.h"

static void expect(uint64_t offset, uint64_t length, uint32_t kind,
		   uint32_t reason)
{
	struct seal_diff_range range;

	ck_assert_int_eq(diff_merged(&diff, &range), 1);
	ck_assert_uint_eq(range.offset, offset);
	ck_assert_uint_eq(range.length, length);
	ck_assert_uint_eq(range.kind, kind);
	ck_assert_uint_eq(range.reason, reason);
}

static void expect_end(void)
{
	struct seal_diff_range range;

	ck_assert_int_eq(diff_merged(&diff, &range), 0);
}

START_TEST(same_blocks_are_equal_however_they_are_cut)
{
	add(0, 0, 1024 * K, 64 * K, FIEMAP_EXTENT_SHARED);
	add(1, 0, 1024 * K, 16 * K, FIEMAP_EXTENT_SHARED);
	add(1, 16 * K, 1040 * K, 48 * K, 0);
	begin(64 * K, 64 * K);
	expect_end();
}
END_TEST

START_TEST(changed_blocks_are_one_range)
{
	add(0, 0, 1024 * K, 64 * K, FIEMAP_EXTENT_SHARED);
	add(1, 0, 1024 * K, 16 * K, FIEMAP_EXTENT_SHARED);
	add(1, 16 * K, 4096 * K, 8 * K, 0);
	add(1, 24 * K, 4104 * K, 8 * K, 0);
	add(1, 32 * K, 1056 * K, 32 * K, FIEMAP_EXTENT_SHARED);
	begin(64 * K, 64 * K);
	expect(16 * K, 16 * K, SEAL_DIFF_DATA, SEAL_DIFF_ADDRESS);
	expect_end();
}
END_TEST

START_TEST(zeros)
{
	add(0, 0, 1024 * K, 8 * K, 0);
	add(0, 16 * K, 2048 * K, 8 * K, FIEMAP_EXTENT_UNWRITTEN);
	add(1, 4 * K, 3072 * K, 4 * K, FIEMAP_EXTENT_UNWRITTEN);
	add(1, 24 * K, 4096 * K, 8 * K, 0);
	begin(32 * K, 32 * K);
	expect(0, 4 * K, SEAL_DIFF_ZERO, SEAL_DIFF_STATE);
	expect(4 * K, 4 * K, SEAL_DIFF_ZERO, SEAL_DIFF_STATE);
	expect(16 * K, 8 * K, SEAL_DIFF_LAYOUT, SEAL_DIFF_STATE);
	expect(24 * K, 8 * K, SEAL_DIFF_DATA, SEAL_DIFF_STATE);
	expect_end();
}
END_TEST

START_TEST(sizes_count_to_the_byte)
{
	add(0, 0, 1024 * K, 8 * K, 0);
	add(1, 0, 1024 * K, 8 * K, 0);
	begin(5000, 6000);
	expect(5000, 1000, SEAL_DIFF_DATA, SEAL_DIFF_SIZE);
	expect_end();
}
END_TEST

START_TEST(the_end_is_gone)
{
	add(0, 0, 1024 * K, 16 * K, 0);
	add(1, 0, 1024 * K, 16 * K, 0);
	begin(16 * K, 5 * K);
	expect(5 * K, 11 * K, SEAL_DIFF_GONE, SEAL_DIFF_SIZE);
	expect_end();
}
END_TEST

START_TEST(blocks_beyond_both_ends_hold_nothing)
{
	add(0, 0, 1024 * K, 16 * K, 0);
	add(1, 0, 1024 * K, 4 * K, 0);
	add(1, 64 * K, 2048 * K, 16 * K, FIEMAP_EXTENT_UNWRITTEN);
	begin(4 * K, 4 * K);
	expect_end();
}
END_TEST

START_TEST(without_an_address_nothing_is_equal)
{
	add(0, 0, 1024 * K, 4 * K, FIEMAP_EXTENT_ENCODED);
	add(1, 0, 1024 * K, 4 * K, FIEMAP_EXTENT_ENCODED);
	add(0, 4 * K, 0, 4 * K, FIEMAP_EXTENT_DELALLOC);
	add(1, 4 * K, 0, 4 * K, FIEMAP_EXTENT_DELALLOC);
	begin(8 * K, 8 * K);
	expect(0, 4 * K, SEAL_DIFF_DATA, SEAL_DIFF_NO_ADDRESS);
	expect(4 * K, 4 * K, SEAL_DIFF_DATA, SEAL_DIFF_NO_ADDRESS);
	expect_end();
}
END_TEST

START_TEST(another_filesystem_has_other_blocks)
{
	add(0, 0, 1024 * K, 8 * K, 0);
	add(1, 0, 1024 * K, 8 * K, 0);
	begin(16 * K, 16 * K);
	diff.same_filesystem = false;
	expect(0, 8 * K, SEAL_DIFF_DATA, SEAL_DIFF_FILESYSTEM);
	expect_end();
}
END_TEST

START_TEST(compared_with_nothing)
{
	add(1, 4 * K, 1024 * K, 4 * K, 0);
	diff.old.fd = -1;
	side(&diff.new, 12 * K);
	expect(0, 4 * K, SEAL_DIFF_ZERO, SEAL_DIFF_SIZE);
	expect(4 * K, 4 * K, SEAL_DIFF_DATA, SEAL_DIFF_SIZE);
	expect(8 * K, 4 * K, SEAL_DIFF_ZERO, SEAL_DIFF_SIZE);
	expect_end();
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("diff");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, same_blocks_are_equal_however_they_are_cut);
	tcase_add_test(tests, changed_blocks_are_one_range);
	tcase_add_test(tests, zeros);
	tcase_add_test(tests, sizes_count_to_the_byte);
	tcase_add_test(tests, the_end_is_gone);
	tcase_add_test(tests, blocks_beyond_both_ends_hold_nothing);
	tcase_add_test(tests, without_an_address_nothing_is_equal);
	tcase_add_test(tests, another_filesystem_has_other_blocks);
	tcase_add_test(tests, compared_with_nothing);
	return run_tests(tests, "diff");
}
