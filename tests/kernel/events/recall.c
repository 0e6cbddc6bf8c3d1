// SPDX-License-Identifier: GPL-2.0-only
/* Holders that let themselves be asked, and those who wait for them. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_SIZE	65536

static int do_seal(int dev, int fd, uint32_t ms)
{
	struct seal_files req = {
		.size = sizeof(req),
		.flags = SEAL_SEAL_RECALL,
		.nr_fds = 1,
		.fds = (uintptr_t)&fd,
		.recall_ms = ms,
	};

	return st_do_ioctl(dev, SEAL_IOC_SEAL, &req);
}

static uint32_t flags_of(int dev, int fd)
{
	struct seal_status req = { .size = sizeof(req), .fd = fd };

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &req), 0);
	return req.flags;
}

static bool alerted(int dev, int ms)
{
	struct pollfd p = { dev, POLLPRI, 0 };

	ck_assert_int_ge(poll(&p, 1, ms), 0);
	return p.revents & POLLPRI;
}

/* What waits for holders; 0 or the error. */
enum change { TRUNCATE, FALLOCATE, OPEN_TRUNC, CLONE, CHANGES };

static int do_change(enum change change, const char *name, int fd)
{
	char path[256];
	int other, ret = 0;

	switch (change) {
	case TRUNCATE:
		return ftruncate(fd, 4096) ? errno : 0;
	case FALLOCATE:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 0, 4096) ? errno : 0;
	case OPEN_TRUNC:
		st_path(path, sizeof(path), name);
		other = open(path, O_RDWR | O_TRUNC);
		if (other < 0)
			return errno;
		close(other);
		return 0;
	default:
		other = st_create_written("source", FILE_SIZE);
		if (ioctl(fd, FICLONE, other))
			ret = errno;
		close(other);
		return ret;
	}
}

/* A process that changes the file and ends with the error. */
static pid_t changer(enum change change, const char *name, int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		/* a copy of a session would hold the file, too */
		for (int i = 3; i < 256; i++)
			if (i != fd)
				close(i);
		_exit(do_change(change, name, fd));
	}
	return pid;
}

static void ends_with(pid_t pid, int error)
{
	int status = st_wait_child(pid, 30);

	ck_assert_msg(status != -1, "it still waits");
	ck_assert(WIFEXITED(status));
	ck_assert_msg(WEXITSTATUS(status) == error, "%s instead of %s",
		      strerror(WEXITSTATUS(status)), strerror(error));
}

/* It waits, the holder is told, finishes in place, lets go, it goes on. */
START_TEST(the_holder_lets_go)
{
	struct seal_monitor *m = ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_RECALL));
	int fd = st_create_written("asked", FILE_SIZE), dev = st_session();
	const struct seal_event *e;
	pid_t pid;

	if (_i == CLONE && !st_is_xfs()) {
		ST_SKIP("ext4 has no clones");
	}
	ck_assert_int_eq(do_seal(dev, fd, 20000), 0);
	ck_assert(!alerted(dev, 0));
	ck_assert(!(flags_of(dev, fd) & SEAL_STATUS_RECALLED));
	pid = changer(_i, "asked", fd);
	ck_assert(alerted(dev, 20000));
	ck_assert(flags_of(dev, fd) & SEAL_STATUS_RECALLED);
	e = ev_next(m, fd);
	ck_assert_str_eq(seal_event_name(e->type), "recall");
	ck_assert_int_eq(e->pid, pid);
	ck_assert_uint_ne(e->recall, 0);
	ck_assert_uint_ne(e->claim, 0);
	ck_assert_uint_gt(e->deadline, e->time + 10000000000);
	ck_assert_uint_le(e->deadline, e->time + 21000000000);
	ck_assert_ptr_nonnull(e->operation);

	/* the holder's own business goes on */
	ck_assert_int_eq(pwrite(fd, "last", 4, 0), 4);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	st_unseal(dev, fd);
	ends_with(pid, 0);
	ck_assert(!alerted(dev, 0));
	close(dev);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

/* A deaf holder keeps the file, and costs as much time as it said. */
START_TEST(a_deaf_holder)
{
	int fd = st_create_written("deaf", FILE_SIZE), dev = st_session();
	double start, waited;

	/* a tenth of it must be more than a busy machine takes to start a process */
	ck_assert_int_eq(do_seal(dev, fd, 10000), 0);
	start = st_now();
	ends_with(changer(TRUNCATE, "deaf", fd), ETXTBSY);
	waited = st_now() - start;
	ck_assert_msg(waited >= 10 && waited < st_patience(10) * 1.1,
		      "%.2f s", waited);
	ck_assert_uint_eq(flags_of(dev, fd), SEAL_STATUS_SEALED | SEAL_STATUS_HELD);
	ck_assert(!alerted(dev, 0));
	/* the next one asks again */
	ends_with(changer(FALLOCATE, "deaf", fd), EOPNOTSUPP);
	ck_assert(st_now() - start >= 20);
	close(dev);
	close(fd);
}
END_TEST

/* The longest time counts, and all have to go. */
START_TEST(several_holders)
{
	int fd = st_create_written("several", FILE_SIZE);
	int a = st_session(), b = st_session(), late = st_session();
	pid_t pid;

	ck_assert_int_eq(do_seal(a, fd, 100), 0);
	ck_assert_int_eq(do_seal(b, fd, 20000), 0);
	pid = changer(TRUNCATE, "several", fd);
	ck_assert(alerted(a, 20000));
	ck_assert(alerted(b, 20000));
	st_sleep_ms(500);
	close(a);
	ck_assert(alerted(b, 0));
	/* one that comes meanwhile is asked too */
	ck_assert_int_eq(do_seal(late, fd, 100), 0);
	ck_assert(alerted(late, 0));
	st_unseal(b, fd);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	st_unseal(late, fd);
	ends_with(pid, 0);
	close(b);
	close(late);
	close(fd);
}
END_TEST

/* Without anybody to ask, or to wait, there is an answer at once. */
START_TEST(at_once)
{
	int fd = st_create_written("once", FILE_SIZE), quick;
	int a = st_session(), b = st_session();
	double start = st_now();
	struct seal_files out;

	ck_assert_int_eq(do_seal(a, fd, 60000), 0);
	/* the holder itself */
	ck_assert_int_eq(do_change(TRUNCATE, "once", fd), ETXTBSY);
	/* non-blocking */
	quick = st_open("once", O_RDWR | O_NONBLOCK);
	ends_with(changer(TRUNCATE, "once", quick), ETXTBSY);
	ends_with(changer(FALLOCATE, "once", quick), EOPNOTSUPP);
	/* one who cannot be asked */
	ck_assert_int_eq(st_do_seal(b, &fd, 1, 0, 0, 0, &out), 0);
	ends_with(changer(TRUNCATE, "once", fd), ETXTBSY);
	ck_assert(!alerted(a, 0));
	st_unseal(b, fd);
	ck_assert_int_eq(st_do_seal(b, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out), 0);
	ends_with(changer(TRUNCATE, "once", fd), ETXTBSY);
	ck_assert_int_eq(st_do_unseal(b, fd, SEAL_UNSEAL_STICKY), 0);
	ck_assert_msg(st_now() - start < st_patience(20), "%.1f s",
		      st_now() - start);
	close(a);
	close(b);
	close(quick);
	close(fd);
}
END_TEST

/* Those who die, on either side. */
START_TEST(death)
{
	int fd = st_create_written("death", FILE_SIZE), dev = st_session();
	pid_t pid, holder;
	int ends[2], status;
	char c;

	ck_assert_int_eq(do_seal(dev, fd, 60000), 0);
	pid = changer(TRUNCATE, "death", fd);
	ck_assert(alerted(dev, 20000));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	status = st_wait_child(pid, 20);
	ck_assert(status != -1 && WIFSIGNALED(status));
	/* nobody waits any more */
	ck_assert(!alerted(dev, 0));
	ck_assert(!(flags_of(dev, fd) & SEAL_STATUS_RECALLED));
	close(dev);

	ck_assert_int_eq(pipe(ends), 0);
	holder = fork();
	if (!holder) {
		dev = st_session();
		if (do_seal(dev, fd, 60000) || write(ends[1], "x", 1) != 1)
			_exit(1);
		if (!alerted(dev, 20000) || write(ends[1], "y", 1) != 1)
			_exit(1);
		pause();
	}
	ck_assert_int_eq(read(ends[0], &c, 1), 1);
	pid = changer(FALLOCATE, "death", fd);
	ck_assert_int_eq(read(ends[0], &c, 1), 1);
	ck_assert_int_eq(kill(holder, SIGKILL), 0);
	ends_with(pid, 0);
	ck_assert_int_ne(st_wait_child(holder, 20), -1);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Several who wait, several who hold, again and again. */
START_TEST(rounds)
{
	int fd = st_create_written("rounds", FILE_SIZE);
	const int waiters = 3;
	double begin = st_now();
	unsigned int seed = 1;
	int round;

	for (round = 0; st_long() ? round < 1000 :
	     st_goes_on(round, 40, begin, 25); round++) {
		int a = st_session(), b = st_session();
		pid_t pids[3];

		ck_assert_int_eq(do_seal(a, fd, 30000), 0);
		ck_assert_int_eq(do_seal(b, fd, 30000), 0);
		for (int i = 0; i < waiters; i++)
			pids[i] = changer(i % 2 ? FALLOCATE : TRUNCATE,
					  "rounds", fd);
		if (rand_r(&seed) % 4)
			ck_assert(alerted(a, 20000));
		if (!(rand_r(&seed) % 4))
			st_sleep_ms(rand_r(&seed) % 20);
		if (rand_r(&seed) % 2)
			st_unseal(a, fd);
		close(b);
		close(a);
		for (int i = 0; i < waiters; i++)
			ends_with(pids[i], 0);
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		st_fill(fd, 0, FILE_SIZE, 'r');
	}
	printf("rounds: %d\n", round);
	ck_assert_int_gt(round, 5);
	close(fd);
}
END_TEST

static TCase *events_recall(void)
{
	TCase *tc = tcase_create("recall");

	tcase_set_timeout(tc, st_limit(120));
	tcase_add_loop_test(tc, the_holder_lets_go, 0, CHANGES);
	tcase_add_test(tc, a_deaf_holder);
	tcase_add_test(tc, several_holders);
	tcase_add_test(tc, at_once);
	tcase_add_test(tc, death);
	tcase_add_test(tc, rounds);
	return tc;
}

ST_CASE(recall, events_recall, ST_HERE);
