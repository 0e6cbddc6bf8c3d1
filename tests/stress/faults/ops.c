// SPDX-License-Identifier: GPL-2.0-only
/* The operations, what they need and what must hold whatever fails in them. */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE		(256 * 1024)
#define CHUNK		4096
#define FILESYSTEMS	8

/* --- files --- */

static void written(struct state *s)
{
	s->dev = st_session();
	s->fd[0] = st_create_written("first", SIZE);
	s->content = st_content(s->fd[0]);
}

static void two_written(struct state *s)
{
	written(s);
	s->fd[1] = st_create_written("second", SIZE);
}

/* Every other block is there: many extents, and holes. */
static void with_holes(struct state *s)
{
	s->dev = st_session();
	s->fd[0] = st_create("first");
	ck_assert_int_eq(ftruncate(s->fd[0], SIZE), 0);
	for (off_t at = 0; at < SIZE; at += 2 * CHUNK)
		st_fill(s->fd[0], at, CHUNK, 'h');
	ck_assert_int_eq(fsync(s->fd[0]), 0);
	s->content = st_content(s->fd[0]);
}

/* Somebody writes in place all the time, so that sealing is never alone. */
static void with_writer(struct state *s)
{
	char same[CHUNK];

	with_holes(s);
	memset(same, 'h', sizeof(same));
	s->writer = fork();
	ck_assert_int_ge(s->writer, 0);
	if (s->writer)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (pwrite(s->fd[0], same, sizeof(same), 0) == sizeof(same))
		usleep(200);
	_exit(1);
}

static void unwritten(struct state *s)
{
	s->dev = st_session();
	s->fd[0] = st_create("first");
	ck_assert_int_eq(fallocate(s->fd[0], 0, 0, SIZE), 0);
	st_fill(s->fd[0], 0, CHUNK, 'u');
	ck_assert_int_eq(fsync(s->fd[0]), 0);
	s->content = st_content(s->fd[0]);
}

static void dirty(struct state *s)
{
	s->dev = st_session();
	s->fd[0] = st_create("first");
	st_fill(s->fd[0], 0, SIZE, 'd');
	s->content = st_content(s->fd[0]);
}

static void reflinked(struct state *s)
{
	two_written(s);
	ck_assert_int_eq(ioctl(s->fd[1], FICLONE, s->fd[0]), 0);
	ck_assert_int_eq(fsync(s->fd[0]), 0);
}

static void sealed(struct state *s)
{
	written(s);
	st_seal(s->dev, s->fd[0]);
}

static void sealed_sticky(struct state *s)
{
	written(s);
	ck_assert_int_eq(st_do_seal(s->dev, s->fd, 1, SEAL_SEAL_STICKY, 0, 0,
				    NULL), 0);
}

static void two_sealed(struct state *s)
{
	two_written(s);
	ck_assert_int_eq(st_do_seal(s->dev, s->fd, 2, 0, 0, 0, NULL), 0);
}

/* Another session's seal; its descriptor is where the second file's would be. */
static void sealed_by_other(struct state *s)
{
	written(s);
	s->fd[1] = st_session();
	st_seal(s->fd[1], s->fd[0]);
}

static void sealed_by_other_with_holes(struct state *s)
{
	with_holes(s);
	s->fd[1] = st_session();
	st_seal(s->fd[1], s->fd[0]);
}

static void nothing(struct state *s)
{
	(void)s;
}

/* --- what must hold --- */

static void refuses(int fd, bool want)
{
	struct seal_status status = st_status(fd);

	ck_assert_int_eq(!!(status.flags & SEAL_STATUS_SEALED), want);
	ck_assert_int_eq(status.holders, want);
	ck_assert(!(status.flags & (SEAL_STATUS_DISARMED | SEAL_STATUS_MISSED |
				    SEAL_STATUS_REPAIRED |
				    SEAL_STATUS_BROKEN)));
	if (want)
		ck_assert(ftruncate(fd, SIZE / 2) < 0 && errno == ETXTBSY);
}

/* A file that is not sealed can be changed, and sealed at the next attempt. */
static void is_free(int fd)
{
	int dev = st_session();

	refuses(fd, false);
	ck_assert_int_eq(ftruncate(fd, SIZE + CHUNK), 0);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	st_seal(dev, fd);
	refuses(fd, true);
	st_unseal(dev, fd);
	close(dev);
	refuses(fd, false);
}

static void content_is_kept(const struct state *s)
{
	ck_assert_uint_eq(st_content(s->fd[0]), s->content);
}

static void end(struct state *s)
{
	for (int i = 0; i < 2; i++)
		if (s->fd[i] >= 0)
			close(s->fd[i]);
	if (s->dev >= 0)
		close(s->dev);
	st_remove("first");
	st_remove("second");
}

/* A session that ends takes its claims along, the failed ones too. */
static void end_free(struct state *s)
{
	close(s->dev);
	s->dev = -1;
	is_free(s->fd[0]);
	end(s);
}

/* It was never refused anything. */
static void end_writer_free(struct state *s)
{
	int status;

	ck_assert_int_eq(waitpid(s->writer, &status, WNOHANG), 0);
	kill(s->writer, SIGKILL);
	ck_assert_int_eq(waitpid(s->writer, &status, 0), s->writer);
	end_free(s);
}

static void end_two_free(struct state *s)
{
	close(s->dev);
	s->dev = -1;
	is_free(s->fd[0]);
	is_free(s->fd[1]);
	end(s);
}

/* --- open, close --- */

static int call_open(struct state *s)
{
	s->dev = open(ST_DEVICE, O_RDWR | O_CLOEXEC);
	return s->dev < 0 ? -errno : 0;
}

static void after_open(struct state *s, int ret)
{
	int fd;

	if (!ret) {
		fd = st_create_written("first", SIZE);
		st_seal(s->dev, fd);
		close(s->dev);
		s->dev = -1;
		refuses(fd, false);
		close(fd);
	}
}

static int call_close(struct state *s)
{
	int ret = close(s->dev) ? -errno : 0;

	s->dev = -1;
	return ret;
}

/* close(2) cannot fail half-way: what it returns, the claims are gone. */
static void after_close(struct state *s, int ret)
{
	(void)ret;
	is_free(s->fd[0]);
	is_free(s->fd[1]);
}

/* --- INFO, STATUS --- */

static struct seal_fs_info fs_info[FILESYSTEMS];

static int call_info(struct state *s)
{
	struct seal_info info = {
		.size = sizeof(info),
		.nr_fs = FILESYSTEMS,
		.fs = (uintptr_t)fs_info,
	};
	int ret = st_do_ioctl(s->dev, SEAL_IOC_INFO, &info);

	if (!ret && (info.flags & SEAL_INFO_DISARMED))
		ret = -ENOTRECOVERABLE;
	return ret;
}

static void session_only(struct state *s)
{
	s->dev = st_session();
	memset(fs_info, 0, sizeof(fs_info));
}

/* Success is no success if the answer is wrong. */
static void after_info(struct state *s, int ret)
{
	const char *type = st_env("SEAL_TYPE");
	bool found = false;

	(void)s;
	if (ret)
		return;
	for (int i = 0; i < FILESYSTEMS; i++) {
		const struct seal_fs_info *fs = &fs_info[i];

		if (strcmp((const char *)fs->name, type))
			continue;
		found = true;
		ck_assert_msg(fs->state == SEAL_FS_SUPPORTED,
			      "INFO: %s is in state %u: %s", type, fs->state,
			      fs->reason);
	}
	ck_assert(found);
}

static struct seal_status answer;

static int call_status(struct state *s)
{
	answer = (struct seal_status){ .size = sizeof(answer), .fd = s->fd[0] };
	return st_do_ioctl(s->dev, SEAL_IOC_STATUS, &answer);
}

static void after_status(struct state *s, int ret)
{
	struct seal_status status = st_status(s->fd[0]);

	if (ret)
		return;
	ck_assert_uint_eq(answer.flags & ~SEAL_STATUS_HELD, status.flags);
	ck_assert_uint_eq(answer.digest, status.digest);
	ck_assert_uint_eq(answer.in_place, status.in_place);
	ck_assert_uint_eq(answer.file_size, status.file_size);
}

static void after_status_sealed(struct state *s, int ret)
{
	after_status(s, ret);
	refuses(s->fd[0], true);
}

/* --- PREALLOC, UNSHARE --- */

static int call_range(struct state *s, unsigned long cmd, uint32_t flags)
{
	struct seal_range_op req = {
		.size = sizeof(req),
		.fd = s->fd[0],
		.flags = flags,
	};
	int ret = st_do_ioctl(s->dev, cmd, &req);

	return ret ?: req.done == SIZE ? 0 : -ENODATA;
}

static int call_prealloc(struct state *s)
{
	return call_range(s, SEAL_IOC_PREALLOC, 0);
}

static int call_prealloc_written(struct state *s)
{
	return call_range(s, SEAL_IOC_PREALLOC, SEAL_PREALLOC_WRITTEN);
}

static int call_unshare(struct state *s)
{
	return call_range(s, SEAL_IOC_UNSHARE, 0);
}

static void meets(struct state *s, int ret, uint32_t require)
{
	content_is_kept(s);
	refuses(s->fd[0], false);
	if (!ret)
		ck_assert_uint_eq(st_status(s->fd[0]).met & require, require);
}

static void after_prealloc(struct state *s, int ret)
{
	meets(s, ret, SEAL_REQ_ALLOCATED);
	ck_assert_int_eq(call_prealloc(s), 0);
	meets(s, 0, SEAL_REQ_ALLOCATED);
}

static void after_prealloc_written(struct state *s, int ret)
{
	meets(s, ret, SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN);
	ck_assert_int_eq(call_prealloc_written(s), 0);
	meets(s, 0, SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN);
}

static void after_unshare(struct state *s, int ret)
{
	meets(s, ret, SEAL_REQ_UNSHARED);
	ck_assert_int_eq(call_unshare(s), 0);
	meets(s, 0, SEAL_REQ_UNSHARED);
}

/* --- SEAL --- */

static int call_seal(struct state *s)
{
	return st_do_seal_one(s->dev, s->fd[0]);
}

static int call_seal_pair(struct state *s)
{
	return st_do_seal(s->dev, s->fd, 2, 0, 0, 0, NULL);
}

static int call_seal_sticky(struct state *s)
{
	return st_do_seal(s->dev, s->fd, 1, SEAL_SEAL_STICKY, 0, 0, NULL);
}

static int call_seal_require(struct state *s)
{
	return st_do_seal(s->dev, s->fd, 1, 0, SEAL_REQ_ALL, 16, NULL);
}

static int call_seal_unmet(struct state *s)
{
	return st_do_seal(s->dev, s->fd, 1, 0, SEAL_REQ_ALLOCATED, 0, NULL);
}

static void after_seal(struct state *s, int ret)
{
	refuses(s->fd[0], !ret);
	content_is_kept(s);
}

static void after_seal_pair(struct state *s, int ret)
{
	refuses(s->fd[0], !ret);
	refuses(s->fd[1], !ret);
}

static void after_seal_sticky(struct state *s, int ret)
{
	after_seal(s, ret);
	ck_assert_int_eq(st_do_unseal(s->dev, s->fd[0], SEAL_UNSEAL_STICKY), 0);
	refuses(s->fd[0], false);
}

static void after_seal_unmet(struct state *s, int ret)
{
	(void)ret;
	refuses(s->fd[0], false);
}

/* The first session's claim is as good as before. */
static void after_seal_again(struct state *s, int ret)
{
	ck_assert_uint_eq(st_status(s->fd[0]).holders, ret ? 1 : 2);
	close(s->dev);
	s->dev = -1;
	refuses(s->fd[0], true);
	close(s->fd[1]);
	s->fd[1] = -1;
	is_free(s->fd[0]);
}

static void after_seal_again_unmet(struct state *s, int ret)
{
	(void)ret;
	after_seal_again(s, -EBADFD);
}

static void after_seal_held(struct state *s, int ret)
{
	(void)ret;
	refuses(s->fd[0], true);
}

/* --- UNSEAL --- */

static int call_unseal(struct state *s)
{
	return st_do_unseal(s->dev, s->fd[0], 0);
}

static int call_unseal_sticky(struct state *s)
{
	return st_do_unseal(s->dev, s->fd[0], SEAL_UNSEAL_STICKY);
}

static void after_unseal(struct state *s, int ret)
{
	refuses(s->fd[0], ret);
}

static void after_unseal_sticky(struct state *s, int ret)
{
	refuses(s->fd[0], ret);
	ck_assert_int_eq(call_unseal_sticky(s), 0);
}

const struct op ops[] = {
	{ "open", 0, false, nothing, call_open, after_open, end },
	{ "close", 0, false, two_sealed, call_close, after_close, end },
	{ "info", 0, false, session_only, call_info, after_info, end },
	{ "status", 0, false, written, call_status, after_status, end },
	{ "status-holes", 0, false, with_holes, call_status, after_status,
	  end },
	{ "status-sealed", 0, false, sealed, call_status, after_status_sealed,
	  end_free },
	{ "prealloc", 0, false, with_holes, call_prealloc, after_prealloc,
	  end },
	{ "prealloc-written", 0, false, unwritten, call_prealloc_written,
	  after_prealloc_written, end },
	{ "unshare", 0, true, reflinked, call_unshare, after_unshare, end },
	{ "seal", 0, false, written, call_seal, after_seal, end_free },
	{ "seal-holes", 0, false, with_holes, call_seal, after_seal,
	  end_free },
	{ "seal-dirty", 0, false, dirty, call_seal, after_seal, end_free },
	{ "seal-busy", 0, false, with_writer, call_seal, after_seal,
	  end_writer_free },
	{ "seal-pair", 0, false, two_written, call_seal_pair, after_seal_pair,
	  end_two_free },
	{ "seal-sticky", 0, false, written, call_seal_sticky,
	  after_seal_sticky, end_free },
	{ "seal-require", 0, false, written, call_seal_require, after_seal,
	  end_free },
	{ "seal-unmet", -EBADFD, false, with_holes, call_seal_unmet,
	  after_seal_unmet, end_free },
	{ "seal-again", 0, false, sealed_by_other, call_seal,
	  after_seal_again, end },
	{ "seal-again-unmet", -EBADFD, false, sealed_by_other_with_holes,
	  call_seal_unmet, after_seal_again_unmet, end },
	{ "seal-held", 0, false, sealed, call_seal, after_seal_held,
	  end_free },
	{ "unseal", 0, false, sealed, call_unseal, after_unseal, end_free },
	{ "unseal-sticky", 0, false, sealed_sticky, call_unseal_sticky,
	  after_unseal_sticky, end_free },
};

const unsigned int nr_ops = sizeof(ops) / sizeof(ops[0]);
