// SPDX-License-Identifier: GPL-2.0-only
/* Taking a file from its holders, who are told. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int do_revoke(int dev, int fd, unsigned int *holders)
{
	struct seal_revoke req = { .size = sizeof(req), .fd = fd };
	int ret = st_do_ioctl(dev, SEAL_IOC_REVOKE, &req);

	if (holders)
		*holders = req.holders;
	return ret;
}

static uint32_t flags_of(int dev, int fd)
{
	struct seal_status req = { .size = sizeof(req), .fd = fd };

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &req), 0);
	return req.flags;
}

/* Does the session report something urgent within @ms? */
static bool alerted(int dev, int ms)
{
	struct pollfd p = { dev, POLLPRI, 0 };

	ck_assert_int_ge(poll(&p, 1, ms), 0);
	return p.revents & POLLPRI;
}

START_TEST(holders_are_told)
{
	struct seal_monitor *m = ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_REVOKED) |
					    SEAL_EVENT_BIT(SEAL_EVENT_UNSEALED));
	int fd = st_create_written("told", 65536);
	int a = st_session(), b = st_session(), admin = st_session();
	const struct seal_event *e;
	struct seal_files out;
	unsigned int holders;
	uint64_t claim;

	st_seal(a, fd);
	ck_assert_int_eq(st_do_seal(b, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out), 0);
	st_seal(b, fd);
	ck_assert(!alerted(a, 0));
	ck_assert_int_eq(do_revoke(admin, fd, &holders), 0);
	ck_assert_uint_eq(holders, 3);
	ck_assert(!st_sealed(fd));
	ck_assert_int_eq(ftruncate(fd, 4096), 0);

	e = ev_next(m, fd);
	ck_assert_str_eq(seal_event_name(e->type), "revoked");
	ck_assert_uint_eq(e->holders, 2);
	ck_assert_msg(e->path, "no path");
	claim = e->claim;
	e = ev_next(m, fd);
	ck_assert_uint_eq(e->type, SEAL_EVENT_REVOKED);
	ck_assert_uint_gt(e->claim, claim);
	ck_assert(e->flags & SEAL_STATUS_STICKY);
	e = ev_next(m, fd);
	ck_assert_uint_eq(e->type, SEAL_EVENT_REVOKED);
	ck_assert_uint_eq(e->holders, 0);

	/* Each session knows, and can do nothing to the file before it says so. */
	ck_assert(alerted(a, 0));
	ck_assert(alerted(b, 0));
	ck_assert(!alerted(admin, 0));
	ck_assert_uint_eq(flags_of(a, fd), SEAL_STATUS_REVOKED);
	ck_assert_uint_eq(flags_of(admin, fd), 0);
	ck_assert_int_eq(st_do_seal(a, &fd, 1, 0, 0, 0, &out), -EOWNERDEAD);
	ck_assert_uint_eq(out.bad_index, 0);
	ck_assert(out.reason[0]);
	ck_assert_int_eq(st_do_range(a, SEAL_IOC_PREALLOC, fd, 0, 0, 4096),
			 -EOWNERDEAD);
	ck_assert_int_eq(st_do_range(a, SEAL_IOC_UNSHARE, fd, 0, 0, 4096),
			 -EOWNERDEAD);
	st_unseal(a, fd);
	ck_assert(!alerted(a, 0));
	ck_assert_uint_eq(flags_of(a, fd), 0);
	st_seal(a, fd);
	ck_assert_uint_eq(flags_of(a, fd), SEAL_STATUS_SEALED | SEAL_STATUS_HELD);
	/* sealed by another: still not b's */
	ck_assert_uint_eq(flags_of(b, fd),
			  SEAL_STATUS_SEALED | SEAL_STATUS_REVOKED);
	close(a);
	close(b);
	close(admin);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

START_TEST(who_may_revoke)
{
	int fd = st_create_written("may", 4096), dev = st_session();
	struct seal_revoke req = { .size = sizeof(req), .fd = fd, .flags = 1 };
	unsigned int holders;
	int status;
	pid_t pid;

	st_seal(dev, fd);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_REVOKE, &req), -EINVAL);
	req.size = 4;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_REVOKE, &req), -EINVAL);
	ck_assert_int_eq(do_revoke(dev, -1, NULL), -EBADF);
	ck_assert_int_eq(fchown(fd, ST_NOBODY, ST_NOBODY), 0);
	pid = fork();
	if (!pid) {
		if (setresuid(ST_NOBODY, ST_NOBODY, ST_NOBODY))
			_exit(2);
		_exit(do_revoke(dev, fd, NULL) != -EPERM);
	}
	status = st_wait_child(pid, 20);
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	ck_assert(st_sealed(fd));
	ck_assert_int_eq(do_revoke(dev, fd, &holders), 0);
	ck_assert_uint_eq(holders, 1);
	ck_assert_int_eq(do_revoke(dev, fd, &holders), 0);
	ck_assert_uint_eq(holders, 0);
	close(dev);
	close(fd);
}
END_TEST

/* Nothing of the file is kept busy by a session that lost it. */
START_TEST(nothing_is_pinned)
{
	int fd = st_create_written("pinned", 65536), dev = st_session();

	st_seal(dev, fd);
	ck_assert_int_eq(do_revoke(dev, fd, NULL), 0);
	close(fd);
	st_remove("pinned");
	/* the inode may be used again, for another file */
	for (int i = 0; i < 50; i++) {
		fd = st_create_written("pinned", 4096);
		ck_assert_uint_eq(flags_of(dev, fd), 0);
		st_seal(dev, fd);
		st_unseal(dev, fd);
		close(fd);
		st_remove("pinned");
	}
	ck_assert(alerted(dev, 0));
	close(dev);
}
END_TEST

static atomic_bool stop;

static void *seal_and_unseal(void *arg)
{
	int fd = *(int *)arg, dev = st_session();
	long dead = 0;

	while (!stop) {
		int ret = st_do_seal_one(dev, fd);

		if (ret == -EOWNERDEAD)
			dead++;
		else if (ret)
			return (void *)(long)ret;
		st_do_unseal(dev, fd, 0);
	}
	close(dev);
	return (void *)dead;
}

START_TEST(against_holders_at_work)
{
	int fd = st_create_written("race", 65536), admin = st_session();
	unsigned int holders, all = 0;
	pthread_t threads[4];
	double start;
	void *ret;

	stop = false;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						seal_and_unseal, &fd), 0);
	start = st_now();
	while (st_now() < start + 8) {
		ck_assert_int_eq(do_revoke(admin, fd, &holders), 0);
		all += holders;
	}
	stop = true;
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &ret);
		ck_assert_msg((long)ret >= 0, "SEAL: %s", strerror(-(long)ret));
	}
	printf("against_holders_at_work: %u claims revoked\n", all);
	ck_assert_uint_gt(all, 0);
	ck_assert(!st_sealed(fd));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(admin);
	close(fd);
}
END_TEST

static TCase *events_revoke(void)
{
	TCase *tc = tcase_create("revoke");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, holders_are_told);
	tcase_add_test(tc, who_may_revoke);
	tcase_add_test(tc, nothing_is_pinned);
	tcase_add_test(tc, against_holders_at_work);
	return tc;
}

ST_CASE(revoke, events_revoke, ST_HERE);
