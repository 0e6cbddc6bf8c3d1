// SPDX-License-Identifier: GPL-2.0-only
/* Lists of requirements. */
#include <errno.h>

#include "base/sealctl.h"
#include "unit.h"

static const struct {
	const char *text;
	int ret;
	uint32_t mask;
	uint64_t max_extents;
} lists[] = {
	{ "allocated", 0, SEAL_REQ_ALLOCATED, 0 },
	{ "written,unshared", 0, SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED, 0 },
	{ "allocated,written,unshared,extents=4", 0, SEAL_REQ_ALL, 4 },
	{ "extents=2K", 0, SEAL_REQ_EXTENTS, 2048 },
	{ "extents=0", 0, SEAL_REQ_EXTENTS, 0 },
	{ "written,written", 0, SEAL_REQ_WRITTEN, 0 },
	{ "", -EINVAL, 0, 0 },
	{ ",", -EINVAL, 0, 0 },
	{ "written,", -EINVAL, 0, 0 },
	{ ",written", -EINVAL, 0, 0 },
	{ "extents", -EINVAL, 0, 0 },
	{ "extents=", -EINVAL, 0, 0 },
	{ "extents=x", -EINVAL, 0, 0 },
	{ "Written", -EINVAL, 0, 0 },
	{ "written unshared", -EINVAL, 0, 0 },
	{ "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
	  -EINVAL, 0, 0 },
};

START_TEST(test_parse)
{
	struct requirements require = { 0 };

	ck_assert_msg(parse_require(lists[_i].text, &require) == lists[_i].ret,
		      "\"%s\"", lists[_i].text);
	if (lists[_i].ret)
		return;
	ck_assert_uint_eq(require.mask, lists[_i].mask);
	ck_assert_uint_eq(require.max_extents, lists[_i].max_extents);
}
END_TEST

START_TEST(test_adds_up)
{
	struct requirements require = { 0 };

	ck_assert_int_eq(parse_require("written", &require), 0);
	ck_assert_int_eq(parse_require("extents=1", &require), 0);
	ck_assert_uint_eq(require.mask, SEAL_REQ_WRITTEN | SEAL_REQ_EXTENTS);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(require_name(SEAL_REQ_ALLOCATED), "allocated");
	ck_assert_str_eq(require_name(SEAL_REQ_WRITTEN), "written");
	ck_assert_str_eq(require_name(SEAL_REQ_UNSHARED), "unshared");
	ck_assert_str_eq(require_name(SEAL_REQ_EXTENTS), "extents");
	ck_assert_str_eq(require_name(0), "unknown");
	ck_assert_str_eq(require_name(1U << 31), "unknown");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("require");

	tcase_add_loop_test(tests, test_parse, 0, ARRAY_SIZE(lists));
	tcase_add_test(tests, test_adds_up);
	tcase_add_test(tests, test_names);
	return run_tests(tests, "require");
}
