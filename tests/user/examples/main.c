// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run the examples of libseal(3).
 *
 *   examples seal FILE			1: seal it, and see that it is
 *   examples copy SNAPSHOT NOW COPY	2: bring COPY from SNAPSHOT to NOW
 *   examples events			3: print the first operation refused
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libseal-events.h>
#include <libseal.h>

static int copy_fd;

static void copy(int fd, uint64_t offset, uint64_t length)
{
	char buffer[4096];
	size_t part;

	while (length) {
		part = length < sizeof(buffer) ? length : sizeof(buffer);
		if (pread(fd, buffer, part, (off_t)offset) != (ssize_t)part ||
		    pwrite(copy_fd, buffer, part, (off_t)offset) != (ssize_t)part)
			err(1, "copying");
		offset += part;
		length -= part;
	}
}

static void look_at_everything(void)
{
	errx(1, "events were lost");
}

static void look_at(uint64_t inode, const char *operation)
{
	if (!operation)
		return;
	printf("%" PRIu64 " %s\n", inode, operation);
	exit(0);
}

#include "examples.h"

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* The claim of this program lasts until it ends. */
static int is_sealed(int fd)
{
	struct seal_session *session;
	struct seal_status status;

	if (seal_open(&session) || seal_status(session, fd, &status))
		errx(1, "no status");
	return status.flags & SEAL_STATUS_SEALED;
}

int main(int argc, char **argv)
{
	struct seal_monitor *monitor;
	int fd;

	if (argc == 3 && !strcmp(argv[1], "seal")) {
		fd = open_file(argv[2], O_RDONLY);
		example_1(fd, -1, -1, NULL);
		return is_sealed(fd) ? 0 : 3;
	}
	if (argc == 5 && !strcmp(argv[1], "copy")) {
		copy_fd = open_file(argv[4], O_WRONLY);
		example_2(-1, open_file(argv[2], O_RDONLY),
			  open_file(argv[3], O_RDONLY), NULL);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "events")) {
		if (seal_monitor_open(&monitor, SEAL_EVENTS_ALL))
			errx(1, "no monitor");
		puts("ready");
		fflush(stdout);
		example_3(-1, -1, -1, monitor);
		errx(1, "its loop ended");
	}
	fputs("usage: examples seal|copy|events ...\n", stderr);
	return 2;
}
