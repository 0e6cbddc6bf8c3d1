// SPDX-License-Identifier: GPL-2.0-only
/* Names of others, as they are printed. */
#include "base/escape.h"
#include "unit.h"

static const struct {
	const char *name;
	const char *text;
} names[] = {
	{ "plain file.img", "plain file.img" },
	{ "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "", "" },
	{ NULL, "?" },
	{ "a\nb", "a\\012b" },
	{ "\x1b[2J", "\\033[2J" },
	{ "back\\slash", "back\\134slash" },
	{ "\x7f", "\\177" },
	{ "caf\xe9", "caf\\351" },		/* not UTF-8 */
	{ "\xc0\xaf", "\\300\\257" },		/* overlong */
	{ "\xc2\x9b" "2J", "\\302\\2332J" },	/* C1: CSI */
	{ "a\xe2\x80\xae" "b", "a\\342\\200\\256b" },	/* right to left */
	{ "\xe2\x81\xa6", "\\342\\201\\246" },
	{ "\xe2\x80\xa8", "\\342\\200\\250" },	/* line separator */
	{ "\xe2\x82\xac", "\xe2\x82\xac" },	/* a currency */
	{ "cut \xe2\x82", "cut \\342\\202" },
};

START_TEST(printed)
{
	ck_assert_str_eq(shown(names[_i].name), names[_i].text);
}
END_TEST

/* What has been shown is good until the eighth call. */
START_TEST(several)
{
	const char *first = shown("first");
	int i;

	for (i = 0; i < 7; i++)
		shown("another");
	ck_assert_str_eq(first, "first");
}
END_TEST

/* However long it is, it ends, and not in the middle of an escape. */
START_TEST(long_name)
{
	static char name[9000];
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(name) - 1; i++)
		name[i] = '\n';
	text = shown(name);
	i = strlen(text);
	ck_assert_uint_lt(i, 4 * 4096);
	ck_assert_uint_eq(i % 4, 0);
	ck_assert_str_eq(text + i - 4, "\\012");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("escape");

	tcase_add_loop_test(tests, printed, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(tests, several);
	tcase_add_test(tests, long_name);
	return run_tests(tests, "escape");
}
