// SPDX-License-Identifier: GPL-2.0-only
/* What a progress bar shows. */
#include <string.h>

#include "base/sealctl.h"
#include "print/progress.h"
#include "unit.h"

START_TEST(test_percent)
{
	ck_assert_uint_eq(progress_percent(0, 100), 0);
	ck_assert_uint_eq(progress_percent(1, 3), 33);
	ck_assert_uint_eq(progress_percent(999, 1000), 99);
	ck_assert_uint_eq(progress_percent(1000, 1000), 100);
	/* a file that shrank, and one without anything to do */
	ck_assert_uint_eq(progress_percent(2000, 1000), 100);
	ck_assert_uint_eq(progress_percent(0, 0), 100);
	ck_assert_uint_eq(progress_percent(INT64_MAX / 2, INT64_MAX), 50);
}
END_TEST

START_TEST(test_eta)
{
	ck_assert_int_eq(progress_eta(50, 100, 10000), 10);
	ck_assert_int_eq(progress_eta(25, 100, 10000), 30);
	ck_assert_int_eq(progress_eta(100, 100, 10000), 0);
	ck_assert_int_eq(progress_eta(200, 100, 10000), 0);
	/* nothing is known yet */
	ck_assert_int_eq(progress_eta(0, 100, 10000), -1);
	ck_assert_int_eq(progress_eta(50, 100, 0), -1);
	ck_assert_int_eq(progress_eta(1ULL << 60, 1ULL << 61, 60000), 60);
}
END_TEST

START_TEST(test_line)
{
	char line[512];

	progress_line(line, sizeof(line), 79, "file", 1ULL << 20, 4ULL << 20,
		      10000);
	ck_assert_ptr_nonnull(strstr(line, "file ["));
	ck_assert_ptr_nonnull(strstr(line, " 25% 1.0 MiB of 4.0 MiB, ETA 00:30"));
	progress_line(line, sizeof(line), 79, "file", 0, 1, 0);
	ck_assert_ptr_nonnull(strstr(line, "ETA --:--"));
	progress_line(line, sizeof(line), 79, "file", 1, 7201, 1000);
	ck_assert_ptr_nonnull(strstr(line, "ETA 2:00:00"));
}
END_TEST

/* It fits whatever the terminal and the name are like. */
START_TEST(test_width)
{
	char label[300], line[512];

	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	progress_line(line, sizeof(line), (unsigned int)_i, label, 1, 2, 1000);
	ck_assert_uint_le(strlen(line), (size_t)_i);
	progress_line(line, sizeof(line), (unsigned int)_i, "", 1, 2, 1000);
	ck_assert_uint_le(strlen(line), (size_t)_i);
}
END_TEST

/* The end of a long path tells more than its beginning. */
START_TEST(test_long_label)
{
	char line[512];

	progress_line(line, sizeof(line), 79,
		      "/a/very/long/way/to/go/until/one/arrives/at/the/name.img",
		      1, 2, 1000);
	ck_assert_ptr_nonnull(strstr(line, "name.img ["));
	ck_assert_ptr_null(strstr(line, "/a/very"));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("progress");

	tcase_add_test(tests, test_percent);
	tcase_add_test(tests, test_eta);
	tcase_add_test(tests, test_line);
	tcase_add_loop_test(tests, test_width, 40, 200);
	tcase_add_test(tests, test_long_label);
	return run_tests(tests, "progress");
}
