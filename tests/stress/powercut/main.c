// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "powercut.h"

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "run")) {
		volatile_write(argv[3]);
		writers_run(argv[2], atoi(argv[4]));
	}
	if (argc == 4 && !strcmp(argv[1], "check"))
		return promises_check(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "volatile"))
		return volatile_check(argv[2]);
	fprintf(stderr,
		"usage: powercut run DIR DISK SEED | check DIR RECORD | volatile DISK\n");
	return 2;
}
