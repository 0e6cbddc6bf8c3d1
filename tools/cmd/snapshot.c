// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl snapshot: a copy of a file that is in use, which shares its blocks.
 */
#include <getopt.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "steps/snapshot.h"
#include "steps/unnamed.h"

static const struct option options[] = {
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int snapshot(const char *path, const char *copy, bool quiet)
{
	int fd = snapshot_take(path, copy);
	int ret;

	if (fd < 0)
		return STATUS_FAILED;
	ret = unnamed_keep(fd, copy);
	close(fd);
	if (ret)
		return STATUS_FAILED;
	if (!quiet)
		puts("The copy is crash-consistent: it has what a power cut at this moment\n"
		     "would have left. What a program or a guest has not written yet is not in it.");
	return STATUS_OK;
}

int cmd_snapshot(const struct verb *verb, int argc, char **argv)
{
	bool quiet = false;
	int option;

	while ((option = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
		switch (option) {
		case 'q':
			quiet = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 2 != argc)
		return verb_usage(verb);
	return snapshot(argv[optind], argv[optind + 1], quiet);
}
