// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl receive: give a file the contents that were sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include <libseal-delta.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "print/delta.h"
#include "steps/delta.h"
#include "steps/step.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "in-place", no_argument, NULL, 'i' },
	{ "max-size", required_argument, NULL, 'm' },
	{ "where", no_argument, NULL, 'w' },
	{ "dump", no_argument, NULL, 'd' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct receive {
	struct seal_delta delta;
	bool where;
	bool dump;
	bool quiet;
	bool json;
};

static int open_delta(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return STDIN_FILENO;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		complain(path, "%s", strerror(errno));
	return fd;
}

static int where(const struct receive *receive, const char *path)
{
	char token[SEAL_DELTA_TOKEN_LEN];
	int ret;

	ret = seal_delta_where(path, receive->delta.flags, token);
	if (!ret) {
		puts(token);
		return STATUS_OK;
	}
	if (ret == -ENODATA)
		complain(path, "no transfer to it was interrupted; send it from the beginning");
	else if (ret == -EINVAL)
		complain(path,
			 "the note of how far it got makes no sense; send it from the beginning");
	else
		complain(path, "%s", strerror(-ret));
	return STATUS_FAILED;
}

/* @source names the step; @file is the file that receives, or NULL. */
static int run(struct receive *receive, const char *source, const char *file)
{
	struct seal_delta *delta = &receive->delta;
	struct step step;
	int fd, ret;

	fd = open_delta(source);
	if (fd < 0)
		return STATUS_FAILED;
	step_begin(&step, file ? file : source);
	delta->progress = step_progress;
	delta->progress_arg = &step;
	if (file)
		ret = seal_delta_receive(delta, fd, file);
	else
		ret = print_delta(delta, fd, receive->json);
	step_end(&step);
	if (fd != STDIN_FILENO)
		close(fd);
	if (!ret && file && receive->json)
		print_delta_result(delta, file);
	return delta_result(delta, file ? file : source, ret,
			    receive->quiet || receive->json || !file);
}

static int parse_max_size(const char *text, uint64_t *size)
{
	if (!parse_size(text, size) && *size)
		return STATUS_OK;
	complain(text, "not a size; give bytes, or a number with K, M, G or T");
	return STATUS_USAGE;
}

int cmd_receive(const struct verb *verb, int argc, char **argv)
{
	struct receive receive = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "im:wdqh", options,
				     NULL)) != -1) {
		switch (option) {
		case 'i':
			receive.delta.flags |= SEAL_DELTA_IN_PLACE;
			break;
		case 'm':
			if (parse_max_size(optarg, &receive.delta.max_size))
				return STATUS_USAGE;
			break;
		case 'w':
			receive.where = true;
			break;
		case 'd':
			receive.dump = true;
			break;
		case OPT_JSON:
			receive.json = true;
			break;
		case 'q':
			receive.quiet = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if ((receive.where && (receive.dump || receive.json)) ||
	    (receive.quiet && receive.json) ||
	    argc - optind != (receive.where || receive.dump ? 1 : 2))
		return verb_usage(verb);
	if (receive.where)
		return where(&receive, argv[optind]);
	return run(&receive, argv[optind],
		   receive.dump ? NULL : argv[optind + 1]);
}
