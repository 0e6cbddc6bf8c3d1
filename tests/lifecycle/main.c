// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "sealtest.h"
#include "tests.h"

static const struct {
	const char *name;
	TCase *(*make)(void);
} cases[] = {
	{ "claims", life_claims },
	{ "mounts", life_mounts },
	{ "gates", life_gates },
	{ "races", life_races },
	{ "module", life_module },
	{ "big", life_big },
};

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

/* The arguments are the cases to run, none means all. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("lifecycle");

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (wanted(cases[i].name, argc, argv))
			suite_add_tcase(suite, cases[i].make());
	return st_main(suite);
}
