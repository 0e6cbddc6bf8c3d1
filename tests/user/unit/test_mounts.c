// SPDX-License-Identifier: GPL-2.0-only
/* The type of a filesystem, out of lines of mountinfo. */
#include "../../../tools/base/mounts.c"
#include "unit.h"

static const struct {
	const char *line;
	const char *name;	/* NULL: it is about another filesystem */
} lines[] = {
	{ "36 35 8:1 / /srv rw - xfs /dev/sda1 rw", "xfs" },
	{ "36 35 8:1 / /a\\040-\\040ext4 rw shared:1 - xfs none rw", "xfs" },
	{ "36 35 8:2 / /srv rw - xfs /dev/sda1 rw", NULL },
	{ "36 35 8:1 / /srv rw", NULL },
	{ "", NULL },
	/* the part behind the dot is chosen by whoever mounts it */
	{ "36 35 8:1 / /m rw - fuse.\x1b[2Jgood:\xc2\x9b x rw",
	  "fuse.?[2Jgood:??" },
	{ "36 35 8:1 / /m rw - fuse.a\nb x rw", "fuse.a?b" },
};

START_TEST(type)
{
	char name[32] = "";

	if (!lines[_i].name) {
		ck_assert(!match(lines[_i].line, makedev(8, 1), name,
				 sizeof(name)));
		return;
	}
	ck_assert(match(lines[_i].line, makedev(8, 1), name, sizeof(name)));
	ck_assert_str_eq(name, lines[_i].name);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("mounts");

	tcase_add_loop_test(tests, type, 0, sizeof(lines) / sizeof(lines[0]));
	return run_tests(tests, "mounts");
}
