// SPDX-License-Identifier: GPL-2.0-only
/* SEAL on a busy system, and many that are killed. */
#define _GNU_SOURCE
#include "../races/park/park.h"
#include "sealtest.h"
#include "stuck.h"
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS	2000

static void seal_and_unseal(int dev, int fd, const char *what)
{
	double began;

	ck_assert_int_eq(seal_in_time(dev, fd, what), 0);
	began = st_now();
	st_unseal(dev, fd);
	printf("%s: UNSEAL after %.2f s\n", what, st_now() - began);
	ck_assert_msg(st_now() - began < st_patience(1), "%s: UNSEAL took %.1f s",
		      what, st_now() - began);
}

START_TEST(many_tasks)
{
	int fd = st_create_written("victim", 65536), dev = st_session();
	struct watch watch;
	pid_t parent;
	char text[8];
	int ready[2];

	ck_assert(st_at_rest());
	seal_and_unseal(dev, fd, "the system at rest");
	ck_assert(st_at_rest());
	ck_assert_int_eq(pipe(ready), 0);
	parent = fork();
	ck_assert_int_ge(parent, 0);
	if (!parent) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < TASKS; i++) {
			pid_t pid = fork();

			if (pid < 0)
				_exit(1);
			if (!pid) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				for (;;)
					pause();
			}
		}
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], text, 1), 1);
	close(ready[0]);
	watch_start(&watch);
	watch_control(&watch);
	seal_and_unseal(dev, fd, "2000 tasks");
	watch_check(&watch, "2000 tasks");
	watch_stop(&watch);
	kill(-parent, SIGKILL);
	ck_assert_int_ne(st_wait_child(parent, st_patience(20)), -1);
	close(dev);
	close(fd);
}
END_TEST

/* What waits for every task of the kernel to sleep waits for this one. */
START_TEST(busy_kernel_thread)
{
	const char *what = "a kernel thread that never sleeps";
	int fd = st_create_written("victim", 65536), dev = st_session();
	int park = open("/dev/seal-park", O_RDWR | O_CLOEXEC);
	struct watch watch;
	pid_t holder;

	ck_assert_int_ge(park, 0);
	ck_assert(st_at_rest());
	ck_assert_int_eq(ioctl(park, PARK_SPIN), 0);
	watch_start(&watch);
	watch_control(&watch);
	seal_and_unseal(dev, fd, what);
	seal_and_unseal(dev, fd, what);
	holder = holder_start("held", 0);
	holder_kill(holder, what);
	/* a worker would detach the gates, which would take until the thread sleeps */
	st_sleep_ms(2500);
	seal_and_unseal(dev, fd, what);
	answers_in_time(dev, fd, what);
	watch_check(&watch, what);
	close(park);
	limit_long();
	seal_at_last(dev, fd);
	watch_stop(&watch);
	close(dev);
	close(fd);
}
END_TEST

/* Objects of a slab cache or -1. */
static long slab_objects(const char *name)
{
	char *text, *line, *rest, path[128];
	size_t length = strlen(name);
	long n = -1;

	/* all of a slab that a processor keeps at hand would count */
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", name);
	st_do_write_file(path, "1");
	text = rest = st_read_file("/proc/slabinfo");
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, length) && line[length] == ' ')
			n = strtol(line + length, NULL, 10);
	free(text);
	return n;
}

/* Kernel threads whose name has @part in it. */
static int threads_named(const char *part)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(proc))) {
		char path[300], name[64] = "";
		FILE *comm;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		comm = fopen(path, "re");
		if (!comm)
			continue;
		if (fgets(name, sizeof(name), comm) && strstr(name, part))
			n++;
		fclose(comm);
	}
	closedir(proc);
	return n;
}

static void comes_back(const char *cache, long before)
{
	long after = 0;

	for (int i = 0; i < 100; i++) {
		after = slab_objects(cache);
		if (after <= before)
			break;
		st_sleep_ms(100);
	}
	printf("%s: %ld objects before, %ld after\n", cache, before, after);
	ck_assert_int_le(after, before < 0 ? after : before);
}

#define KILLED		60
#define KILLED_LONG	300

/* SEALs that are killed at random leave nothing behind. */
START_TEST(killed)
{
	/* waits for a call that is older; for the lock of the file */
	const char *const stuck_at[] = { "fallocate", "a direct read" };
	const struct stuck_kind *kind = stuck_find(stuck_at[_i]);
	const char *name = _i ? "stuck" : "victim";
	const int rounds = st_long() ? KILLED_LONG : KILLED;
	long claims, entries;
	char path[256];
	pid_t pid, stuck;
	int dev, fd;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	claims = slab_objects("seal_claim");
	entries = slab_objects("seal_entry");
	st_path(path, sizeof(path), "stuck");
	stuck = stuck_start(kind, path);
	fd = _i ? st_open(name, O_RDWR) : st_create_written(name, 65536);
	for (int i = 0; i < rounds; i++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (!pid) {
			struct seal_files out;

			st_do_seal(st_session(), &fd, 1, 0, 0, 0, &out);
			_exit(0);
		}
		usleep(random() % 60000);
		kill(pid, SIGKILL);
		ck_assert_int_ne(st_wait_child(pid, st_patience(10)), -1);
	}
	printf("%d SEALs were killed while one was stuck in %s\n", rounds,
	       kind->name);
	ck_assert_int_eq(threads_named("seal-lock"), 0);
	/* with somebody still stuck there is nothing of them */
	ck_assert(st_at_rest());
	comes_back("seal_claim", claims);
	comes_back("seal_entry", entries);
	unloads_in_time("after that");
	stuck_end(stuck);
	/* and the file is as good as before */
	dev = st_session();
	limit_long();
	st_seal(dev, fd);
	close(dev);
	close(fd);
	ck_assert_int_eq(st_do_unmount(), 0);
	st_mount();
}
END_TEST

/* How many threads wait for a lock, when there is one; 0: it does not come. */
static int lock_threads(void)
{
	/* SEAL attaches its gates first */
	for (int i = 0; i < 400; i++) {
		int n = threads_named("seal-lock");

		if (n)
			return n;
		st_sleep_ms(50);
	}
	return 0;
}

/*
 * The thread that waits for a lock in place of SEAL is killed, which only the kernel
 * can do: it has not got the lock, and SEAL must not take it for its own. Or SEAL is
 * killed: the thread is gone before SEAL has ended.
 */
START_TEST(killed_lock_thread)
{
	const struct stuck_kind *kind = stuck_find("a direct read");
	const char *what = _i ? "SEAL is killed" : "the thread for a lock is killed";
	struct park op = { .symbol = "seal-lock" };
	int park = open("/dev/seal-park", O_RDWR | O_CLOEXEC), fd, dev, status;
	pid_t stuck, pid;
	char path[256];

	ck_assert_int_ge(park, 0);
	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	limit_long();
	st_path(path, sizeof(path), "stuck");
	stuck = stuck_start(kind, path);
	fd = st_open("stuck", O_RDWR);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct seal_files out;
		int ret = st_do_seal(st_session(), &fd, 1, 0, 0, 0, &out);

		printf("%s: %s (%s)\n", what, strerror(-ret), (char *)out.reason);
		_exit(ret == -EBUSY && strstr((char *)out.reason, "killed") ?
		      0 : 1);
	}
	ck_assert_msg(lock_threads(), "%s: no thread waits", what);
	if (_i)
		kill(pid, SIGKILL);
	else
		ck_assert_int_eq(ioctl(park, PARK_KILL, &op), 1);
	status = st_wait_child(pid, st_patience(5));
	ck_assert_msg(status == (_i ? SIGKILL : 0), "%s: status %#x", what, status);
	ck_assert_int_eq(threads_named("seal-lock"), 0);

	/* nobody has the lock but who is stuck: with him it goes */
	stuck_end(stuck);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(ftruncate(fd, 65536) || pwrite(fd, "x", 1, 65536) != 1 ||
		      ftruncate(fd, 65536));
	status = st_wait_child(pid, st_patience(5));
	ck_assert_msg(!status, "%s: the lock is not free, status %#x", what, status);
	dev = st_session();
	st_seal(dev, fd);
	st_unseal(dev, fd);
	close(dev);
	close(fd);
	close(park);
}
END_TEST

static TCase *loads(void)
{
	TCase *tc = tcase_create("loads");

	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, limit_short, limit_long);
	tcase_add_test(tc, many_tasks);
	tcase_add_test(tc, busy_kernel_thread);
	tcase_add_loop_test(tc, killed, 0, 2);
	tcase_add_loop_test(tc, killed_lock_thread, 0, 2);
	return tc;
}

ST_CASE(loads, loads, ST_NOWHERE);
