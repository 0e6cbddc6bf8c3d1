// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading and writing that goes on until all bytes are done.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#include "delta/delta.h"

/*
 * Return: 0, with *@have smaller than @length only at the end; -ECANCELED;
 * -errno. When a signal ends the wait for a pipe, the progress function is
 * asked whether to go on.
 */
int delta_read_all(struct seal_delta *delta, int fd, void *data, size_t length,
		   size_t *have)
{
	ssize_t n;
	int ret;

	*have = 0;
	while (*have < length) {
		n = read(fd, (char *)data + *have, length - *have);
		if (!n)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			*have += (size_t)n;
		ret = delta_poll(delta);
		if (ret)
			return ret;
	}
	return 0;
}

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

static int write_zeros(struct seal_delta *delta, int fd, uint64_t offset,
		       uint64_t length)
{
	static const char zeros[64 * 1024];
	size_t part;
	int ret = 0;

	while (!ret && length) {
		part = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);
		ret = delta_pwrite_all(fd, zeros, part, offset);
		offset += part;
		length -= part;
		if (!ret)
			ret = delta_poll(delta);
	}
	return ret;
}

/*
 * Punch a hole. If the filesystem cannot do that, write zeros, but not into
 * holes.
 */
int delta_zero(struct seal_delta *delta, int fd, uint64_t offset,
	       uint64_t length)
{
	uint64_t end = offset + length;
	off_t data, hole;
	int ret = 0;

	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       (off_t)offset, (off_t)length))
		return 0;
	if (errno != EOPNOTSUPP)
		return -errno;
	while (!ret && offset < end) {
		data = lseek(fd, (off_t)offset, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0) {		/* it does not tell holes */
			data = (off_t)offset;
			hole = (off_t)end;
		}
		if ((uint64_t)data >= end)
			break;
		if ((uint64_t)hole > end)
			hole = (off_t)end;
		ret = write_zeros(delta, fd, (uint64_t)data,
				  (uint64_t)(hole - data));
		offset = (uint64_t)hole;
	}
	return ret;
}
