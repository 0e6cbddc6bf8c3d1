// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test of the test: a disk that keeps everything a guest ever wrote would
 * show nothing about what is durable. Two blocks of a disk of their own, one
 * flushed, one not.
 */
#define _GNU_SOURCE
#include "powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSHED		0
#define UNFLUSHED	(4 << 20)

static char *disk_open(const char *disk, int flags, int *fd)
{
	char *buf;

	*fd = open(disk, flags | O_DIRECT | O_CLOEXEC);
	if (*fd < 0 || posix_memalign((void **)&buf, BLOCK, BLOCK))
		die("%s: %s", disk, strerror(errno));
	return buf;
}

void volatile_write(const char *disk)
{
	int fd;
	char *buf = disk_open(disk, O_RDWR, &fd);

	block_fill(buf, 1, 1, 1);
	if (pwrite(fd, buf, BLOCK, FLUSHED) != BLOCK || fsync(fd) ||
	    pwrite(fd, buf, BLOCK, UNFLUSHED) != BLOCK)
		die("%s: %s", disk, strerror(errno));
	free(buf);
	/* Left open: closing a disk writes back its cache. */
}

int volatile_check(const char *disk)
{
	bool flushed, unflushed;
	int fd;
	char *buf = disk_open(disk, O_RDONLY, &fd);

	flushed = pread(fd, buf, BLOCK, FLUSHED) == BLOCK &&
		  block_version(buf, 1, 1) == 1;
	unflushed = pread(fd, buf, BLOCK, UNFLUSHED) == BLOCK &&
		    block_version(buf, 1, 1) == 1;
	printf("the disk %s what was flushed, %s what was not\n",
	       flushed ? "kept" : "LOST", unflushed ? "kept" : "lost");
	free(buf);
	close(fd);
	return !flushed || unflushed;
}
