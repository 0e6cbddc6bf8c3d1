// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl list: the files that are to be sealed at boot.
 */
#include <getopt.h>

#include "list_persistent.h"
#include "sealctl.h"

enum { OPT_JSON = 256, OPT_PERSISTENT, OPT_PATHS };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "persistent", no_argument, NULL, OPT_PERSISTENT },
	{ "paths", no_argument, NULL, OPT_PATHS },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

int cmd_list(const struct verb *verb, int argc, char **argv)
{
	bool persistent = false;
	bool paths = false;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_PERSISTENT:
			persistent = true;
			break;
		case OPT_PATHS:
			paths = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind != argc || !persistent || (paths && json))
		return verb_usage(verb);
	return list_persistent(paths, json);
}
