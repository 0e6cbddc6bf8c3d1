// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading and writing all of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#include "delta/delta.h"

int delta_write_all(int fd, const void *data, size_t length)
{
	const char *at = data;
	ssize_t n;

	while (length) {
		n = write(fd, at, length);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int delta_pwrite_all(int fd, const void *data, size_t length, uint64_t offset)
{
	const char *at = data;
	ssize_t n;

	while (length) {
		n = pwrite(fd, at, length, (off_t)offset);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

ssize_t delta_pread_all(int fd, void *data, size_t length, uint64_t offset)
{
	size_t have = 0;
	ssize_t n;

	while (have < length) {
		n = pread(fd, (char *)data + have, length - have,
			  (off_t)(offset + have));
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* A hole where the filesystem can make one. */
int delta_zero(int fd, uint64_t offset, uint64_t length)
{
	static const char zeros[64 * 1024];
	size_t part;
	int ret;

	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       (off_t)offset, (off_t)length))
		return 0;
	if (errno != EOPNOTSUPP)
		return -errno;
	while (length) {
		part = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);
		ret = delta_pwrite_all(fd, zeros, part, offset);
		if (ret)
			return ret;
		offset += part;
		length -= part;
	}
	return 0;
}
