// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl receive: bring a file to the contents that were sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include <libseal-delta.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "steps/delta.h"
#include "steps/step.h"

static const struct option options[] = {
	{ "in-place", no_argument, NULL, 'i' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
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

int cmd_receive(const struct verb *verb, int argc, char **argv)
{
	struct seal_delta delta = { 0 };
	bool quiet = false;
	struct step step;
	int option, fd, ret;

	while ((option = getopt_long(argc, argv, "iqh", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			delta.flags |= SEAL_DELTA_IN_PLACE;
			break;
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
	fd = open_delta(argv[optind]);
	if (fd < 0)
		return STATUS_FAILED;
	step_begin(&step, argv[optind + 1]);
	delta.progress = step_progress;
	delta.progress_arg = &step;
	ret = seal_delta_receive(&delta, fd, argv[optind + 1]);
	step_end(&step);
	if (fd != STDIN_FILENO)
		close(fd);
	return delta_result(&delta, argv[optind + 1], ret, quiet);
}
