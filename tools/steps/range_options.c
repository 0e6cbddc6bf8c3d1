// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of prealloc and unshare.
 */
#include <errno.h>
#include <getopt.h>

#include "base/errors.h"
#include "steps/range_options.h"

enum { OPT_WRITTEN = 256 };

static const struct option options_prealloc[] = {
	{ "written", no_argument, NULL, OPT_WRITTEN },
	{ "keep-size", no_argument, NULL, 'n' },
	{ "offset", required_argument, NULL, 'o' },
	{ "length", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const struct option options_unshare[] = {
	{ "offset", required_argument, NULL, 'o' },
	{ "length", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int parse(const char *what, const char *text, uint64_t *size)
{
	int ret = parse_size(text, size);

	if (ret)
		complain(text, "%s for --%s; give bytes, or a number with K, M, G or T",
			 ret == -ERANGE ? "too large" : "not a size", what);
	return ret;
}

/* Return: 0, or the exit status plus one. */
int parse_range_options(const struct verb *verb, int argc, char **argv,
			bool is_prealloc, struct range_options *options)
{
	const struct option *table = is_prealloc ? options_prealloc :
						   options_unshare;
	const char *letters = is_prealloc ? "no:l:h" : "o:l:h";
	bool has_length = false;
	int option;

	*options = (struct range_options){ 0 };
	while ((option = getopt_long(argc, argv, letters, table, NULL)) != -1) {
		switch (option) {
		case OPT_WRITTEN:
			options->flags |= SEAL_PREALLOC_WRITTEN;
			break;
		case 'n':
			options->flags |= SEAL_PREALLOC_KEEP_SIZE;
			break;
		case 'o':
			if (parse("offset", optarg, &options->offset))
				return STATUS_USAGE + 1;
			break;
		case 'l':
			if (parse("length", optarg, &options->length))
				return STATUS_USAGE + 1;
			has_length = true;
			break;
		case 'h':
			return verb_help(verb) + 1;
		default:
			return verb_usage(verb) + 1;
		}
	}
	if (optind == argc)
		return verb_usage(verb) + 1;
	/* For the module a length of 0 would mean "up to EOF". */
	if (has_length && !options->length) {
		complain("--length", "0 is no range; leave it out to go up to the end of the file");
		return STATUS_USAGE + 1;
	}
	return 0;
}
