// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "sealtest.h"
#include "tests.h"

static const struct {
	const char *name;
	TCase *(*make)(void);
} cases[] = {
	{ "list", events_list },
	{ "monitor", events_monitor },
	{ "flood", events_flood },
	{ "raw", events_raw },
	{ "revoke", events_revoke },
	{ "recall", events_recall },
	{ "broken", events_broken },
	{ "committed", events_committed },
};

/* The argument is the case to run. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("events");

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc != 2 || strcmp(cases[i].name, argv[1]))
			continue;
		suite_add_tcase(suite, cases[i].make());
		st_anchor();
		return st_main(suite);
	}
	fprintf(stderr, "usage: events CASE\n");
	return 2;
}
