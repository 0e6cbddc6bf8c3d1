// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a run has to do before it shows something. A busy machine takes
 * longer for it, so the time alone does not end a run.
 */
#include <errno.h>
#include <stdlib.h>
#include "torture.h"

enum { TRIED, REFUSED, SEALS, MAPS, INPLACE, COMMITS, NR_FIGURES };

/* as the row at the end has them */
static char *const name[] = {
	[TRIED] = "tried", [REFUSED] = "refused", [SEALS] = "seals",
	[MAPS] = "maps", [INPLACE] = "inplace", [COMMITS] = "commits", NULL,
};

static unsigned long least[NR_FIGURES];

bool least_parse(char *text)
{
	while (*text) {
		char *value, *end;
		int i = getsubopt(&text, name, &value);

		if (i < 0 || !value || *value < '0' || *value > '9')
			return false;
		errno = 0;
		least[i] = strtoul(value, &end, 10);
		if (errno || *end)
			return false;
	}
	return true;
}

bool least_done(void)
{
	unsigned long done[NR_FIGURES] = {
		[SEALS] = nr_seals, [MAPS] = nr_maps,
		[INPLACE] = nr_sealed_writes, [COMMITS] = nr_commits,
	};

	ops_totals(&done[TRIED], &done[REFUSED]);
	for (int i = 0; i < NR_FIGURES; i++)
		if (done[i] < least[i])
			return false;
	return true;
}
