// SPDX-License-Identifier: GPL-2.0-only
/* Who holds a seal, and when a claim ends. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A child that seals the file, reports through the pipe and waits. */
static pid_t holder(const char *name, bool threads, pid_t *grandchild)
{
	int ends[2];
	pid_t pid, word = 0;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		int dev = st_session(), fd = st_open(name, 0);
		pthread_t thread;

		st_seal(dev, fd);
		close(fd);
		if (threads) {
			pthread_create(&thread, NULL, sleeper, NULL);
			pthread_create(&thread, NULL, sleeper, NULL);
		}
		if (grandchild)
			word = fork();
		if (grandchild && !word)
			sleeper(NULL);
		if (write(ends[1], &word, sizeof(word)) != sizeof(word))
			_exit(1);
		sleeper(NULL);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &word, sizeof(word)), sizeof(word));
	close(ends[0]);
	if (grandchild)
		*grandchild = word;
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	status = st_wait_child(pid, 20);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(kill_releases)
{
	int fd = st_create_written("kill", 65536);
	pid_t pid = holder("kill", _i, NULL);

	ck_assert(st_sealed(fd));
	kill_and_reap(pid);
	ck_assert(st_becomes_unsealed(fd));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
}
END_TEST

START_TEST(inherited_session)
{
	int fd = st_create_written("inherit", 65536);
	pid_t grandchild, pid = holder("inherit", false, &grandchild);

	ck_assert(st_sealed(fd));
	kill_and_reap(pid);
	st_sleep_ms(200);
	ck_assert(st_sealed(fd));
	ck_assert_uint_eq(st_status(fd).holders, 1);
	ck_assert_int_eq(kill(grandchild, SIGKILL), 0);
	ck_assert(st_becomes_unsealed(fd));
	close(fd);
}
END_TEST

START_TEST(duplicate_descriptor)
{
	int fd = st_create_written("dup", 65536);
	int dev = st_session(), copy = dup(dev);

	st_seal(dev, fd);
	close(dev);
	ck_assert(st_sealed(fd));
	/* The claim belongs to the open file description, not the number. */
	st_unseal(copy, fd);
	ck_assert(!st_sealed(fd));
	st_seal(copy, fd);
	close(copy);
	ck_assert(!st_sealed(fd));
	close(fd);
}
END_TEST

START_TEST(holders_are_counted)
{
	int fd = st_create_written("count", 65536);
	int a = st_session(), b = st_session(), c = st_session();
	struct seal_status status = { .size = sizeof(status), .fd = fd };

	st_seal(a, fd);
	ck_assert_uint_eq(st_status(fd).holders, 1);
	st_seal(b, fd);
	ck_assert_uint_eq(st_status(fd).holders, 2);
	/* One claim per session, however often it asks. */
	st_seal(b, fd);
	ck_assert_uint_eq(st_status(fd).holders, 2);
	/* A session without a claim drops nobody's. */
	st_unseal(c, fd);
	ck_assert_int_eq(st_do_unseal(c, fd, SEAL_UNSEAL_STICKY), 0);
	ck_assert_uint_eq(st_status(fd).holders, 2);

	ck_assert_int_eq(st_do_ioctl(a, SEAL_IOC_STATUS, &status), 0);
	ck_assert(status.flags & SEAL_STATUS_HELD);
	status = (struct seal_status){ .size = sizeof(status), .fd = fd };
	ck_assert_int_eq(st_do_ioctl(c, SEAL_IOC_STATUS, &status), 0);
	ck_assert(!(status.flags & SEAL_STATUS_HELD));
	ck_assert(status.flags & SEAL_STATUS_SEALED);

	st_unseal(b, fd);
	ck_assert_uint_eq(st_status(fd).holders, 1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	st_unseal(a, fd);
	ck_assert_uint_eq(st_status(fd).holders, 0);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	st_unseal(a, fd);
	close(a);
	close(b);
	close(c);
	close(fd);
}
END_TEST

START_TEST(sticky)
{
	int fd = st_create_written("sticky", 65536);
	int dev = st_session();
	struct seal_files out;
	pid_t pid;
	int status;

	ck_assert_int_eq(st_do_seal(dev, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out),
			 0);
	ck_assert_uint_eq(st_status(fd).holders, 1);
	ck_assert(st_status(fd).flags & SEAL_STATUS_STICKY);
	/* Not this session's: a plain UNSEAL does not touch it. */
	st_unseal(dev, fd);
	ck_assert(st_sealed(fd));
	st_seal(dev, fd);
	ck_assert_uint_eq(st_status(fd).holders, 2);
	close(dev);
	ck_assert_uint_eq(st_status(fd).holders, 1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, ETXTBSY);

	/* Dropping it needs the capability, whoever owns the file. */
	ck_assert_int_eq(fchown(fd, ST_NOBODY, ST_NOBODY), 0);
	dev = st_session();
	pid = fork();
	if (!pid) {
		if (setresuid(ST_NOBODY, ST_NOBODY, ST_NOBODY))
			_exit(2);
		_exit(st_do_unseal(dev, fd, SEAL_UNSEAL_STICKY) != -EPERM);
	}
	status = st_wait_child(pid, 20);
	ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	ck_assert(st_sealed(fd));

	/* Any session may, and twice is as good as once. */
	ck_assert_int_eq(st_do_unseal(dev, fd, SEAL_UNSEAL_STICKY), 0);
	ck_assert(!st_sealed(fd));
	ck_assert_int_eq(st_do_unseal(dev, fd, SEAL_UNSEAL_STICKY), 0);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(dev);
	close(fd);
}
END_TEST

START_TEST(close_releases_all)
{
	int dev = st_session(), fds[8];
	struct seal_files out;
	char name[16];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "all%d", i);
		fds[i] = st_create_written(name, 4096);
	}
	ck_assert_int_eq(st_do_seal(dev, fds, 8, 0, 0, 0, &out), 0);
	for (int i = 0; i < 8; i++)
		ck_assert(st_sealed(fds[i]));
	close(dev);
	for (int i = 0; i < 8; i++)
		ck_assert(!st_sealed(fds[i]));
}
END_TEST

START_TEST(a_thousand_files)
{
	struct rlimit limit = { 4096, 4096 };
	int dev = st_session(), *fds = calloc(1000, sizeof(*fds));
	struct seal_files out;
	double start;
	char name[16];
	int ret;

	ck_assert_ptr_nonnull(fds);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		fds[i] = st_create(name);
		st_fill(fds[i], 0, 4096, 'm');
	}
	/* Dirty, so that the seal has to write every one of them. */
	start = st_now();
	ret = st_do_seal(dev, fds, 1000, 0, SEAL_REQ_ALLOCATED, 0, &out);
	printf("a_thousand_files: %.1f s\n", st_now() - start);
	ck_assert_msg(!ret, "%d at %u: %.*s", ret, out.bad_index,
		      SEAL_REASON_LEN, (char *)out.reason);
	for (int i = 0; i < 1000; i += 111)
		ck_assert(st_sealed(fds[i]));
	start = st_now();
	close(dev);
	printf("a_thousand_files: closed in %.1f s\n", st_now() - start);
	for (int i = 0; i < 1000; i++) {
		if (i % 111 == 0)
			ck_assert(st_becomes_unsealed(fds[i]));
		close(fds[i]);
		snprintf(name, sizeof(name), "many%d", i);
		st_remove(name);
	}
	free(fds);
}
END_TEST

static TCase *life_claims(void)
{
	TCase *tc = tcase_create("claims");

	tcase_set_timeout(tc, 90);
	tcase_add_loop_test(tc, kill_releases, 0, 2);
	tcase_add_test(tc, inherited_session);
	tcase_add_test(tc, duplicate_descriptor);
	tcase_add_test(tc, holders_are_counted);
	tcase_add_test(tc, sticky);
	tcase_add_test(tc, close_releases_all);
	tcase_add_test(tc, a_thousand_files);
	return tc;
}

ST_CASE(claims, life_claims, ST_HERE);
