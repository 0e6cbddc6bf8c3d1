// SPDX-License-Identifier: GPL-2.0-only
/* The ways to write. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DEPTH 8

const char *const way_name[] = {
	[W_PWRITE] = "pwrite", [W_DSYNC] = "dsync", [W_AIO] = "aio",
	[W_URING] = "io_uring", [W_SPLICE] = "splice", [W_STORE] = "store",
};

static __thread sigjmp_buf *fault_jump;

static void on_fault(int sig)
{
	if (fault_jump)
		siglongjmp(*fault_jump, 1);
	signal(sig, SIG_DFL);
}

void catch_sigbus(void)
{
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

int caught(void (*fn)(void *arg), void *arg)
{
	sigjmp_buf jump;
	int ret = 0;

	if (sigsetjmp(jump, 0)) {
		ret = -ETXTBSY;
	} else {
		fault_jump = &jump;
		fn(arg);
	}
	fault_jump = NULL;
	return ret;
}

void ways_open(struct worker *w)
{
	int ret;

	if (syscall(SYS_io_setup, DEPTH, &w->aio))
		die("io_setup: %s", strerror(errno));
	ret = io_uring_queue_init(DEPTH, &w->ring, 0);
	if (ret)
		die("io_uring: %s", strerror(-ret));
}

void ways_close(struct worker *w)
{
	syscall(SYS_io_destroy, w->aio);
	io_uring_queue_exit(&w->ring);
}

static long ret_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

static void write_aio(struct worker *w, int fd, struct piece *piece,
		      unsigned int nr)
{
	struct iocb cb[DEPTH], *list[DEPTH];
	struct io_event event[DEPTH];
	unsigned int submitted = 0, ended = 0;
	long ret;

	memset(cb, 0, sizeof(cb));
	for (unsigned int i = 0; i < nr; i++) {
		cb[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		cb[i].aio_fildes = fd;
		cb[i].aio_buf = (uintptr_t)piece[i].buf;
		cb[i].aio_nbytes = piece[i].len;
		cb[i].aio_offset = piece[i].off;
		cb[i].aio_data = (uintptr_t)&piece[i];
		list[i] = &cb[i];
	}
	/* What cannot be queued is told by the call itself, one by one. */
	for (unsigned int i = 0; i < nr; i++) {
		ret = ret_errno(syscall(SYS_io_submit, w->aio, 1, &list[i]));
		if (ret == 1)
			submitted++;
		else
			piece[i].ret = ret;
	}
	while (ended < submitted) {
		ret = syscall(SYS_io_getevents, w->aio, 1, DEPTH, event, NULL);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret <= 0)
			die("io_getevents: %s", strerror(errno));
		for (long i = 0; i < ret; i++)
			((struct piece *)(uintptr_t)event[i].data)->ret =
				event[i].res;
		ended += ret;
	}
}

static struct io_uring_sqe *entry(struct worker *w)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

	if (!sqe)
		die("an empty io_uring is full");
	return sqe;
}

static void uring_wait(struct worker *w, unsigned int nr)
{
	unsigned int ended = 0;
	int ret = io_uring_submit(&w->ring);

	if (ret != (int)nr)
		die("io_uring_submit: %d of %u", ret, nr);
	while (ended < nr) {
		struct io_uring_cqe *cqe;

		ret = io_uring_wait_cqe(&w->ring, &cqe);
		if (ret == -EINTR)
			continue;
		if (ret)
			die("io_uring_wait_cqe: %s", strerror(-ret));
		((struct piece *)io_uring_cqe_get_data(cqe))->ret = cqe->res;
		io_uring_cqe_seen(&w->ring, cqe);
		ended++;
	}
}

/* @sqe was taken from the worker's ring. */
long uring_one(struct worker *w, struct io_uring_sqe *sqe)
{
	struct piece piece = { 0 };

	io_uring_sqe_set_data(sqe, &piece);
	uring_wait(w, 1);
	return piece.ret;
}

static void write_uring(struct worker *w, int fd, struct piece *piece,
			unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct io_uring_sqe *sqe = entry(w);

		io_uring_prep_write(sqe, fd, piece[i].buf, piece[i].len,
				    piece[i].off);
		io_uring_sqe_set_data(sqe, &piece[i]);
	}
	uring_wait(w, nr);
}

static long write_splice(int fd, struct piece *piece)
{
	loff_t pos = piece->off;
	int ends[2];
	long ret;

	if (pipe2(ends, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	if (write(ends[1], piece->buf, piece->len) != (ssize_t)piece->len)
		die("pipe: %s", strerror(errno));
	ret = ret_errno(splice(ends[0], NULL, fd, &pos, piece->len, 0));
	close(ends[0]);
	close(ends[1]);
	return ret;
}

struct store {
	volatile uint64_t *to;
	const uint64_t *from;
	uint64_t words;
	volatile uint64_t done;
};

static void store_words(void *arg)
{
	struct store *s = arg;

	for (uint64_t i = 0; i < s->words; i++) {
		s->to[i] = s->from[i];
		s->done = i + 1;
	}
}

long store_piece(struct worker *w, struct file *f, struct piece *piece,
		 uint64_t *stored)
{
	struct store s = {
		.to = (uint64_t *)(w->mapped[f - files] + piece->off),
		.from = (uint64_t *)piece->buf,
		.words = piece->len / sizeof(uint64_t),
	};
	int ret = caught(store_words, &s);

	*stored = s.done * sizeof(uint64_t);
	piece->ret = ret ? ret : (long)piece->len;
	return piece->ret;
}

void write_pieces(struct worker *w, struct file *f, enum way way, bool direct,
		  struct piece *piece, unsigned int nr)
{
	int fd = direct ? w->direct[f - files] : w->fd[f - files];
	uint64_t stored;

	switch (way) {
	case W_AIO:
		write_aio(w, fd, piece, nr);
		return;
	case W_URING:
		write_uring(w, fd, piece, nr);
		return;
	default:
		break;
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct iovec iov = { piece[i].buf, piece[i].len };

		switch (way) {
		case W_DSYNC:
			piece[i].ret = ret_errno(pwritev2(fd, &iov, 1,
							  piece[i].off,
							  RWF_DSYNC));
			break;
		case W_SPLICE:
			piece[i].ret = write_splice(fd, &piece[i]);
			break;
		case W_STORE:
			store_piece(w, f, &piece[i], &stored);
			break;
		default:
			piece[i].ret = ret_errno(pwrite(fd, piece[i].buf,
							piece[i].len,
							piece[i].off));
			break;
		}
	}
}
