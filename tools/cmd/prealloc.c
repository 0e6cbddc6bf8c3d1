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
	/* Of a part of a file it is not known beforehand what it needs. */
	if (!options.offset && !options.length &&
	    space_check_paths(session, argv + optind, SPACE_HOLES))
		status = STATUS_FAILED;
	for (; optind < argc && status == STATUS_OK; optind++) {
		fd = open_file(argv[optind], O_RDWR);
		if (fd < 0) {
			status = STATUS_FAILED;
			break;
		}
		if (step_prealloc(session, argv[optind], fd, options.flags,
				  options.offset, options.length))
			status = STATUS_FAILED;
		close(fd);
	}
	seal_close(session);
	return status;
}
