// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl prealloc: allocate the holes of files.
 */
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "steps/range_options.h"
#include "steps/space.h"
#include "steps/step.h"

/* Of all of a file it is known beforehand. Shared blocks stay shared. */
static int look_at_space(struct seal_session *session, const char *path, int fd,
			 const struct range_options *options)
{
	struct seal_status status;

	if (options->offset || options->length ||
	    seal_status(session, fd, &status))
		return 0;
	status.shared = 0;
	return space_check(path, fd, &status);
}

int cmd_prealloc(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	struct range_options options;
	int status = STATUS_OK;
	int fd, ret;

	ret = parse_range_options(verb, argc, argv, true, &options);
	if (ret)
		return ret - 1;
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	for (; optind < argc && status == STATUS_OK; optind++) {
		fd = open_file(argv[optind], O_RDWR);
		if (fd < 0) {
			status = STATUS_FAILED;
			break;
		}
		if (look_at_space(session, argv[optind], fd, &options) ||
		    step_prealloc(session, argv[optind], fd, options.flags,
				  options.offset, options.length))
			status = STATUS_FAILED;
		close(fd);
	}
	seal_close(session);
	return status;
}
