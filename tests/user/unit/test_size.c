// SPDX-License-Identifier: GPL-2.0-only
/* Sizes: reading and writing them. */
#include <errno.h>

#include "base/sealctl.h"
#include "unit.h"

static const struct {
	const char *text;
	int ret;
	uint64_t size;
} sizes[] = {
	{ "0", 0, 0 },
	{ "1", 0, 1 },
	{ "4096", 0, 4096 },
	{ "4K", 0, 4096 },
	{ "4k", 0, 4096 },
	{ "4KiB", 0, 4096 },
	{ "3M", 0, 3ULL << 20 },
	{ "2g", 0, 2ULL << 30 },
	{ "1T", 0, 1ULL << 40 },
	{ "0T", 0, 0 },
	{ "007", 0, 7 },
	{ "9223372036854775807", 0, INT64_MAX },
	{ "8388607T", 0, 8388607ULL << 40 },
	{ "9223372036854775808", -ERANGE, 0 },
	{ "18446744073709551615", -ERANGE, 0 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "8388608T", -ERANGE, 0 },
	{ "99999999999999999999K", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "1KB", -EINVAL, 0 },
	{ "1Ki", -EINVAL, 0 },
	{ "1KiBs", -EINVAL, 0 },
	{ "1P", -EINVAL, 0 },
	{ "1.5G", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
};

START_TEST(test_parse)
{
	uint64_t size = 12345;

	ck_assert_msg(parse_size(sizes[_i].text, &size) == sizes[_i].ret,
		      "\"%s\"", sizes[_i].text);
	/* what is wrong leaves the value alone */
	ck_assert_uint_eq(size, sizes[_i].ret ? 12345 : sizes[_i].size);
}
END_TEST

static const struct {
	uint64_t size;
	const char *text;
} texts[] = {
	{ 0, "0 B" },
	{ 1023, "1023 B" },
	{ 1024, "1.0 KiB" },
	{ 1536, "1.5 KiB" },
	{ (1ULL << 20) - 1, "1.0 MiB" },
	{ 1ULL << 20, "1.0 MiB" },
	{ 1ULL << 30, "1.0 GiB" },
	{ 1ULL << 40, "1.0 TiB" },
	{ 1ULL << 50, "1024.0 TiB" },
	{ UINT64_MAX, "16777216.0 TiB" },
};

START_TEST(test_format)
{
	char buffer[24];

	ck_assert_str_eq(format_size(texts[_i].size, buffer, sizeof(buffer)),
			 texts[_i].text);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("size");

	tcase_add_loop_test(tests, test_parse, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(tests, test_format, 0, ARRAY_SIZE(texts));
	return run_tests(tests, "size");
}
