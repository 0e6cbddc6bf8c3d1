// SPDX-License-Identifier: GPL-2.0-only
/*
 * A clone that nobody writes to keeps its bytes, also while the other file is written
 * to and sealed: since 6.16 SEAL gives blocks back that XFS has reserved for writes,
 * and must not do so where dirty data of a redirected write need them.
 */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096
#define PART	65536
#define SIZE	(24 << 20)
#define SEALS	5
#define ROUNDS	4

static char part[PART];

/* A written block, unwritten ones behind it if @_i, then data. */
static int create(bool unwritten)
{
	int fd = st_create("written");

	memset(part, 'o', sizeof(part));
	if (unwritten)
		ck_assert_int_eq(fallocate(fd, 0, 0, PART), 0);
	ck_assert_int_eq(pwrite(fd, part, PAGE, 0), PAGE);
	for (off_t at = unwritten ? PART : 0; at < SIZE; at += PART)
		ck_assert_int_eq(pwrite(fd, part, PART, at), PART);
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

/* Overwrites pages all over the file, through the cache. */
static pid_t writer_start(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memset(part, 'n', sizeof(part));
		for (unsigned int n = 0;; n++) {
			off_t at = PART + n * 7919U % (SIZE / PAGE - 16) * (off_t)PAGE;

			if (pwrite(fd, part, PAGE, at) < 0 && errno != ETXTBSY)
				_exit(1);
		}
	}
	return pid;
}

static void seal_and_close(int fd)
{
	int dev = st_session(), ret = st_do_seal_one(dev, fd);

	/* a busy file may not come to rest */
	ck_assert_msg(!ret || ret == -EBUSY, "SEAL: %d", ret);
	close(dev);
	st_sleep_ms(20);
}

static void check_clone(int clone)
{
	memset(part, 'o', sizeof(part));
	ck_assert_int_eq(posix_fadvise(clone, 0, 0, POSIX_FADV_DONTNEED), 0);
	for (off_t at = PART; at < SIZE; at += PAGE) {
		static char page[PAGE];

		ck_assert_int_eq(pread(clone, page, PAGE, at), PAGE);
		ck_assert_msg(!memcmp(page, part, PAGE),
			      "the clone has other bytes at %lld", (long long)at);
	}
}

START_TEST(clone_keeps_its_bytes)
{
	double start = st_now();
	int done = 0;

	while (st_goes_on(done++, ROUNDS, start, 20)) {
		int fd = create(_i), clone = st_create("clone");
		pid_t writer;

		if (ioctl(clone, FICLONE, fd)) {
			ck_assert_int_eq(errno, EOPNOTSUPP);
			close(clone);
			close(fd);
			ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
		}
		ck_assert_int_eq(fsync(clone), 0);
		writer = writer_start(fd);
		for (unsigned int i = 0; i < SEALS; i++)
			seal_and_close(fd);
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
		ck_assert_int_eq(fsync(fd), 0);
		check_clone(clone);
		close(clone);
		close(fd);
		st_remove("clone");
		st_remove("written");
	}
}
END_TEST

static TCase *clone_case(void)
{
	TCase *tc = tcase_create("clone");

	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc, clone_keeps_its_bytes, 0, 2);
	return tc;
}

ST_CASE(clone, clone_case, ST_HERE);
