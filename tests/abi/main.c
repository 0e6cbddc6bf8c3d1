// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "sealtest.h"
#include "tests.h"

static const struct {
	const char *name;
	TCase *(*make)(void);
} cases[] = {
	{ "args", abi_args },
	{ "memory", abi_memory },
	{ "descriptors", abi_descriptors },
	{ "rights", abi_rights },
	{ "require", abi_require },
	{ "node", abi_node },
	{ "compat", abi_compat },
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
	Suite *suite = suite_create("abi");

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (wanted(cases[i].name, argc, argv))
			suite_add_tcase(suite, cases[i].make());
	st_anchor();
	return st_main(suite);
}
