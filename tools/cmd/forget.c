// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl forget: no longer seal files at boot.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "manifest/persist.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct forget {
	const char *path;	/* as it was given */
	char *whole;		/* of its name, or NULL */
	char *target;		/* if that is a link, or NULL */
	bool found;
};

static bool is_path(const struct persist_record *record, const char *path)
{
	return path && !strcmp(record->path, path);
}

static int forget(const struct persist_record *record, void *context)
{
	struct forget *wanted = context;

	if (!is_path(record, wanted->path) && !is_path(record, wanted->whole) &&
	    !is_path(record, wanted->target))
		return 0;
	wanted->found = true;
	return persist_remove(record) ? 1 : 0;
}

int cmd_forget(const struct verb *verb, int argc, char **argv)
{
	int status = STATUS_OK;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return option == 'h' ? verb_help(verb) : verb_usage(verb);
	if (optind == argc)
		return verb_usage(verb);
	for (; optind < argc; optind++) {
		struct forget wanted = { .path = argv[optind] };
		int failures;

		wanted.whole = absolute_path(wanted.path);
		wanted.target = realpath(wanted.path, NULL);
		failures = persist_each(forget, &wanted);
		/* What could not be read, which was said, may be its record. */
		if (!wanted.found && !failures)
			complain(wanted.path,
				 "it is not recorded; \"sealctl list --persistent\" lists what is");
		if (!wanted.found || failures)
			status = STATUS_FAILED;
		free(wanted.target);
		free(wanted.whole);
	}
	return status;
}
