// SPDX-License-Identifier: GPL-2.0-only
/*
 * One request through io_uring at a time, and one ring for all of a process.
 * In stock 6.18 and 7.2 the workers of a task that closes its last ring leave,
 * and a request in the next ring may be given to one that is about to: it is
 * never done (no worker, no completion; without the module as well).
 */
#include "contract.h"

#include <liburing.h>
#include <string.h>
#include <unistd.h>

/* Opcode number of the kernel; older headers do not know it. */
#define OP_FTRUNCATE 55

static struct io_uring ring;
static pid_t owner;

static int start(struct ctx *c)
{
	int ret;

	if (owner == getpid())
		return 0;
	ret = io_uring_queue_init(4, &ring, 0);
	if (ret)
		return skip(c, "io_uring: %s", strerror(-ret));
	owner = getpid();
	return 0;
}

static struct io_uring_sqe *entry(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		die("an empty io_uring is full");
	return sqe;
}

static int finish(void)
{
	struct io_uring_cqe *cqe;
	int ret = io_uring_submit(&ring);

	if (ret != 1)
		die("io_uring took %d requests instead of one", ret);
	ret = io_uring_wait_cqe(&ring, &cqe);
	if (ret)
		die("io_uring: waiting: %s", strerror(-ret));
	ret = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return ret;
}

int uring_write(struct ctx *c, int fd, const void *buf, size_t len, off_t off)
{
	int ret = start(c);

	if (ret)
		return ret;
	io_uring_prep_write(entry(), fd, buf, len, off);
	return finish();
}

int uring_fallocate(struct ctx *c, int fd, int mode, off_t off, off_t len)
{
	int ret = start(c);

	if (ret)
		return ret;
	io_uring_prep_fallocate(entry(), fd, mode, off, len);
	return finish();
}

int uring_ftruncate(struct ctx *c, int fd, off_t size)
{
	int ret = start(c);

	if (ret)
		return ret;
	io_uring_prep_rw(OP_FTRUNCATE, entry(), fd, NULL, 0, size);
	return finish();
}
