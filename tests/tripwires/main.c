// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "sealtest.h"
#include "tests.h"

/* The argument "cold" runs what must run while nothing is sealed. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("tripwires");

	if (argc == 2 && !strcmp(argv[1], "cold")) {
		suite_add_tcase(suite, trip_cold());
		return st_main(suite);
	}
	suite_add_tcase(suite, trip_broken());
	suite_add_tcase(suite, trip_benign());
	/* the counters of the tripwires are shown while they are attached */
	st_anchor();
	return st_main(suite);
}
