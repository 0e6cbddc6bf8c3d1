// SPDX-License-Identifier: GPL-2.0-only
/* One request through io_uring at a time. */
#include "contract.h"

#include <liburing.h>
#include <string.h>

/* Opcode number of the kernel; older headers do not know it. */
#define OP_FTRUNCATE 55

static int start(struct ctx *c, struct io_uring *ring)
{
	int ret = io_uring_queue_init(4, ring, 0);

	return ret ? skip(c, "io_uring: %s", strerror(-ret)) : 0;
}

static struct io_uring_sqe *entry(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		die("an empty io_uring is full");
	return sqe;
}

static int finish(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_submit(ring);

	if (ret == 1)
		ret = io_uring_wait_cqe(ring, &cqe);
	if (!ret)
		ret = cqe->res;
	io_uring_queue_exit(ring);
	return ret;
}

int uring_write(struct ctx *c, int fd, const void *buf, size_t len, off_t off)
{
	struct io_uring ring;
	int ret = start(c, &ring);

	if (ret)
		return ret;
	io_uring_prep_write(entry(&ring), fd, buf, len, off);
	return finish(&ring);
}

int uring_fallocate(struct ctx *c, int fd, int mode, off_t off, off_t len)
{
	struct io_uring ring;
	int ret = start(c, &ring);

	if (ret)
		return ret;
	io_uring_prep_fallocate(entry(&ring), fd, mode, off, len);
	return finish(&ring);
}

int uring_ftruncate(struct ctx *c, int fd, off_t size)
{
	struct io_uring ring;
	int ret = start(c, &ring);

	if (ret)
		return ret;
	io_uring_prep_rw(OP_FTRUNCATE, entry(&ring), fd, NULL, 0, size);
	return finish(&ring);
}
