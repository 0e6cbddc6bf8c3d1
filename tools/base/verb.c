// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints how a verb is used.
 */
#include "base/sealctl.h"

static void print_usage(FILE *out, const struct verb *verb)
{
	fprintf(out, "usage: sealctl %s %s\n", verb->name, verb->arguments);
}

int verb_help(const struct verb *verb)
{
	print_usage(stdout, verb);
	printf("%s\n%s", verb->summary, verb->options);
	return STATUS_OK;
}

int verb_usage(const struct verb *verb)
{
	print_usage(stderr, verb);
	return STATUS_USAGE;
}
