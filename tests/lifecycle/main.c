// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "sealtest.h"
#include "tests.h"

static const struct {
	const char *name;
	TCase *(*make)(void);
	bool anchor;		/* runs with the gates attached already */
} cases[] = {
	{ "claims", life_claims, true },
	{ "mounts", life_mounts, false },
	{ "gates", life_gates, false },
	{ "races", life_races, true },
	{ "cycles", life_cycles, false },
	{ "reload", life_reload, false },
	{ "module", life_module, false },
	{ "big", life_big, false },
};

/* The argument is the case to run. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("lifecycle");

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc != 2 || strcmp(cases[i].name, argv[1]))
			continue;
		suite_add_tcase(suite, cases[i].make());
		if (cases[i].anchor)
			st_anchor();
		return st_main(suite);
	}
	fprintf(stderr, "usage: lifecycle CASE\n");
	return 2;
}
