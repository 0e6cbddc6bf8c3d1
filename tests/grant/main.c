// SPDX-License-Identifier: GPL-2.0-only
/* Blocks granted to others, and committed. */
#include "sealtest.h"
#include "tests.h"

#include <string.h>

static const struct {
	const char *name;
	TCase *(*make)(void);
} cases[] = {
	{ "basic", grant_basic },
	{ "refused", grant_refused },
	{ "rounds", grant_rounds },
	{ "races", grant_races },
	{ "killed", grant_killed },
	{ "crash", grant_crash },
	{ "written", grant_written },
	{ "speed", grant_speed },
};

/* The arguments are the cases to run. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("grant");

	for (int i = 1; i < argc; i++)
		for (unsigned int c = 0; c < sizeof(cases) / sizeof(*cases); c++)
			if (!strcmp(argv[i], cases[c].name))
				suite_add_tcase(suite, cases[c].make());
	return st_main(suite);
}
