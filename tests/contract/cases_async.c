// SPDX-License-Identifier: GPL-2.0-only
/* Asynchronous ways to write, and other requests through io_uring. */
#include "writes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The io_submit() call itself may say it, or the completion. */
static ssize_t aio(int fd, void *buf, size_t len, off_t off)
{
	aio_context_t ctx = 0;
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = len,
		.aio_offset = off,
	}, *list[] = { &cb };
	struct io_event event;
	ssize_t ret;

	if (syscall(SYS_io_setup, 4, &ctx))
		die("io_setup: %s", strerror(errno));
	ret = syscall(SYS_io_submit, ctx, 1, list);
	if (ret == 1)
		ret = syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL);
	ret = ret == 1 ? event.res : -errno;
	syscall(SYS_io_destroy, ctx);
	return ret;
}

static int open_direct(struct ctx *c)
{
	int fd = open_more(&c->f, O_WRONLY | O_DIRECT);

	if (fd < 0)
		die("%s: open: %s", c->f.path, strerror(-fd));
	return fd;
}

static ssize_t by_aio(struct ctx *c, void *buf, size_t len, off_t off)
{
	return aio(c->f.fd, buf, len, off);
}

static ssize_t by_aio_direct(struct ctx *c, void *buf, size_t len, off_t off)
{
	int fd = open_direct(c);
	ssize_t ret = aio(fd, buf, len, off);

	close(fd);
	return ret;
}

static ssize_t by_uring(struct ctx *c, void *buf, size_t len, off_t off)
{
	return uring_write(c, c->f.fd, buf, len, off);
}

static ssize_t by_uring_direct(struct ctx *c, void *buf, size_t len, off_t off)
{
	int fd = open_direct(c);
	ssize_t ret = uring_write(c, fd, buf, len, off);

	close(fd);
	return ret;
}

static const struct method methods[] = {
	{ "aio", by_aio, 0, NULL },
	{ "aio-direct", by_aio_direct, M_DIRECT, NULL },
	{ "uring", by_uring, 0, NULL },
	{ "uring-direct", by_uring_direct, M_DIRECT, NULL },
};

static int op_uring_fallocate(struct ctx *c)
{
	return uring_fallocate(c, c->f.fd, c->tc->arg, c->tc->off, c->tc->len);
}

static int op_uring_ftruncate(struct ctx *c)
{
	return uring_ftruncate(c, c->f.fd, c->tc->off);
}

static const char no_ftruncate[] = "no ftruncate through io_uring (6.9)";

static const struct contract_case cases[] = {
	{ .name = "uring-fallocate", .targets = T_UNWRITTEN,
	  .layout = "WWWW....WWWW", .off = B(5), .len = B(1),
	  .op = op_uring_fallocate, .expect = -ETXTBSY,
	  .guard = &guard_fallocate },
	{ .name = "uring-fallocate-punch", .targets = T_ANY,
	  .layout = "WWWWWWWWWWWW", .off = B(5), .len = B(1),
	  .arg = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	  .op = op_uring_fallocate, .expect = -EOPNOTSUPP,
	  .guard = &guard_fallocate },
	{ .name = "uring-ftruncate-down", .targets = T_ANY,
	  .layout = "WWWWWWWW", .off = B(3), .op = op_uring_ftruncate,
	  .expect = -ETXTBSY, .guard = &guard_setattr,
	  .flags = C_LACK_EINVAL, .may_lack = no_ftruncate },
	{ .name = "uring-ftruncate-up", .targets = T_ANY,
	  .layout = "WWWWWWWW", .off = B(11), .op = op_uring_ftruncate,
	  .expect = -ETXTBSY, .guard = &guard_setattr,
	  .flags = C_LACK_EINVAL, .may_lack = no_ftruncate },
	{ .name = "uring-ftruncate-same", .targets = T_ANY,
	  .layout = "WWWWWWWW", .off = B(8), .op = op_uring_ftruncate,
	  .flags = C_LACK_EINVAL, .may_lack = no_ftruncate },
};

void cases_async(void)
{
	write_matrix(methods, ARRAY_SIZE(methods));
	add_cases(cases, ARRAY_SIZE(cases));
}
