// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some list all claims, in a group that gets very little processor time: they stop for a
 * second again and again, wherever in the kernel they can be made to. Nobody else waits
 * for them.
 */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <libseal-events.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES	300
#define SECONDS	5
#define GROUPS	"/run/seal-groups"
#define SLOW	GROUPS "/slow"
/* microseconds of so many */
#define LITTLE	"2000 1000000"
#define SLOW_ONES	4
/* seconds; by the guest's clock, on a machine that may be busy */
#define MAX_WAIT	0.5

static volatile int *done;	/* times, by the one in the slow group */

static void list_claims(void)
{
	const struct seal_claim *claim;
	struct seal_list *list;

	if (seal_list_open(&list))
		_exit(1);
	while (seal_list_next(list, &claim) > 0)
		;
	seal_list_close(list);
}

/* Of the kernel's time, too, and nothing to do with a seal. */
static void read_random(void)
{
	static char buffer[1 << 18];
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, buffer, sizeof(buffer)) < 0)
		_exit(1);
	close(fd);
}

/* Several of them: where the kernel makes one wait for another, one is always there. */
static void slow_start(void (*work)(void), pid_t *pids)
{
	char text[16];

	for (int i = 0; i < SLOW_ONES; i++) {
		*done = 0;
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;) {
				work();
				++*done;
			}
		}
		/* what it needs to begin with is not to take seconds */
		while (!*done)
			st_sleep_ms(20);
	}
	for (int i = 0; i < SLOW_ONES; i++) {
		snprintf(text, sizeof(text), "%d", pids[i]);
		ck_assert_int_eq(st_do_write_file(SLOW "/cgroup.procs", text), 0);
	}
}

static void slow_end(const pid_t *pids)
{
	for (int i = 0; i < SLOW_ONES; i++)
		kill(pids[i], SIGKILL);
	ck_assert_int_eq(st_do_write_file(SLOW "/cpu.max", "max"), 0);
	for (int i = 0; i < SLOW_ONES; i++)
		ck_assert_int_ne(st_wait_child(pids[i], st_patience(10)), -1);
	ck_assert_int_eq(st_do_write_file(SLOW "/cpu.max", LITTLE), 0);
}

/* The slowest STATUS, SEAL or end of a session of somebody else. */
static double slowest_call(int fd)
{
	struct seal_status status = { .size = sizeof(status), .fd = fd };
	double end = st_now() + SECONDS, slowest = 0, began;
	int dev;

	status.ask = SEAL_ASK_SEAL;
	while (st_now() < end) {
		began = st_now();
		dev = st_session();
		st_seal(dev, fd);
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
		close(dev);
		if (st_now() - began > slowest)
			slowest = st_now() - began;
		st_sleep_ms(20);
	}
	return slowest;
}

static double slowest_beside(void (*work)(void), int fd, const char *what)
{
	pid_t pids[SLOW_ONES];
	double slowest;
	int before;

	slow_start(work, pids);
	before = *done;
	slowest = slowest_call(fd);
	printf("%s: %d times in %d s, and the slowest call of somebody else took %.3f s\n",
	       what, *done - before, SECONDS, slowest);
	slow_end(pids);
	return slowest;
}

static bool groups_up(void)
{
	mkdir(GROUPS, 0700);
	if (mount("none", GROUPS, "cgroup2", 0, NULL)) {
		rmdir(GROUPS);
		return false;
	}
	st_do_write_file(GROUPS "/cgroup.subtree_control", "+cpu");
	ck_assert(!mkdir(SLOW, 0700) || errno == EEXIST);
	return !st_do_write_file(SLOW "/cpu.max", LITTLE);
}

static void groups_down(void)
{
	rmdir(SLOW);
	st_do_write_file(GROUPS "/cgroup.subtree_control", "-cpu");
	ck_assert_int_eq(umount(GROUPS), 0);
	rmdir(GROUPS);
}

START_TEST(list_while_throttled)
{
	int fd = st_create_written("victim", 65536), dev = st_session();
	double control, slowest;
	char name[32];

	if (!groups_up()) {
		ST_SKIP("the processor time of a group cannot be limited here");
		close(dev);
		return;
	}
	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	ck_assert(done != MAP_FAILED);
	for (int i = 0; i < FILES; i++) {
		int held;

		snprintf(name, sizeof(name), "held%d", i);
		held = st_create_written(name, 4096);
		st_seal(dev, held);
		close(held);
	}
	control = slowest_beside(read_random, fd, "/dev/urandom is read");
	slowest = slowest_beside(list_claims, fd, "claims are listed");
	ck_assert_msg(slowest < MAX_WAIT + control,
		      "somebody lists claims, and others wait for %.2f s",
		      slowest);
	groups_down();
	munmap((void *)done, 4096);
	close(dev);
	close(fd);
}
END_TEST

static TCase *throttled(void)
{
	TCase *tc = tcase_create("throttled");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, list_while_throttled);
	return tc;
}

ST_CASE(throttled, throttled, ST_NOWHERE);
