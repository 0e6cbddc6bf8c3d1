// SPDX-License-Identifier: GPL-2.0-only
/* FIEMAP's flags as states. */
#include <linux/fiemap.h>

#include "base/sealctl.h"
#include "core/private.h"
#include "unit.h"

static const struct {
	uint32_t flags;
	uint32_t state;
} states[] = {
	{ 0, SEAL_RANGE_WRITTEN },
	{ FIEMAP_EXTENT_LAST, SEAL_RANGE_WRITTEN },
	{ FIEMAP_EXTENT_MERGED, SEAL_RANGE_WRITTEN },
	{ FIEMAP_EXTENT_UNWRITTEN, SEAL_RANGE_UNWRITTEN },
	{ FIEMAP_EXTENT_SHARED, SEAL_RANGE_SHARED },
	{ FIEMAP_EXTENT_SHARED | FIEMAP_EXTENT_UNWRITTEN, SEAL_RANGE_SHARED },
	{ FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN, SEAL_RANGE_DELALLOC },
	{ FIEMAP_EXTENT_UNKNOWN, SEAL_RANGE_NONE },
	{ FIEMAP_EXTENT_ENCODED, SEAL_RANGE_NONE },
	{ FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_SHARED, SEAL_RANGE_NONE },
	{ FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_ENCODED, SEAL_RANGE_NONE },
	{ FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_NOT_ALIGNED, SEAL_RANGE_NONE },
	{ FIEMAP_EXTENT_DATA_TAIL | FIEMAP_EXTENT_NOT_ALIGNED, SEAL_RANGE_NONE },
	{ FIEMAP_EXTENT_NOT_ALIGNED, SEAL_RANGE_NONE },
};

START_TEST(test_decode)
{
	ck_assert_uint_eq(seal_extent_state(states[_i].flags),
			  states[_i].state);
}
END_TEST

START_TEST(test_words)
{
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_NONE), "unknown");
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_HOLE), "hole");
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_DELALLOC), "delalloc");
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_UNWRITTEN), "unwritten");
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_WRITTEN), "written");
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_SHARED), "shared");
	ck_assert_str_eq(seal_range_state_name(SEAL_RANGE_COW), "copy-on-write");
	ck_assert_str_eq(seal_range_state_name(99), "unknown");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("state");

	tcase_add_loop_test(tests, test_decode, 0,
			    ARRAY_SIZE(states));
	tcase_add_test(tests, test_words);
	return run_tests(tests, "state");
}
