// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sealtest.h"
#include "tests.h"

/*
 * Where a file is sealed all the time. On the same filesystem: then the gates
 * are attached, and nobody waits for calls that are older. On another one:
 * only the gates are there, and repair is not refused. Nowhere: nothing is.
 */
enum anchor { HERE, AWAY, NOWHERE };

static const struct {
	const char *name;
	TCase *(*make)(void);
	enum anchor anchor;
} cases[] = {
	{ "windows", race_windows, HERE },
	{ "flight", race_flight, HERE },
	{ "look", race_look, HERE },
	{ "repair", race_repair, AWAY },
	{ "attach", race_attach, NOWHERE },
	{ "conflict", race_conflict, NOWHERE },
};

static void anchor_away(void)
{
	const char *dir = getenv("SEAL_DIR"), *away = getenv("RACE_ANCHOR");
	char *back = dir ? strdup(dir) : NULL;

	if (back && away) {
		setenv("SEAL_DIR", away, 1);
		st_anchor();
		setenv("SEAL_DIR", back, 1);
	}
	free(back);
}

/* The arguments are the cases to run, all with the same anchor. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("races");
	unsigned int chosen = 0, anchors = 0;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int j = 1; j < argc; j++) {
			if (strcmp(cases[i].name, argv[j]))
				continue;
			suite_add_tcase(suite, cases[i].make());
			chosen++;
			anchors |= 1U << cases[i].anchor;
		}
	if (!chosen || anchors & (anchors - 1)) {
		fprintf(stderr,
			"usage: races windows|flight|look... | repair | attach|conflict\n");
		return 2;
	}
	if (anchors == 1U << HERE)
		st_anchor();
	if (anchors == 1U << AWAY)
		anchor_away();
	return st_main(suite);
}
