// SPDX-License-Identifier: GPL-2.0-only
/* A file with more than a hundred thousand extents. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECES		55000
#define EXTENTS		(2 * PIECES - 1)
#define BLOCK		1024
#define CGROUP		"/sys/fs/cgroup/seal-test"

/*
 * Every other block of 1 KiB written, the ones between unwritten: the cheapest
 * way to that many extents.
 */
static int create_checkered(void)
{
	int fd = st_create("checkered");
	double start = st_now();
	char buf[BLOCK];

	ck_assert_int_eq(fallocate(fd, 0, 0, (2 * PIECES - 1) * BLOCK), 0);
	memset(buf, 'c', sizeof(buf));
	for (off_t i = 0; i < PIECES; i++)
		ck_assert_int_eq(pwrite(fd, buf, BLOCK, i * 2 * BLOCK), BLOCK);
	ck_assert_int_eq(fsync(fd), 0);
	printf("create_checkered: %.1f s\n", st_now() - start);
	return fd;
}

/*
 * Bytes of the kernel's that are charged. Not memory.current, which counts what
 * each processor has in stock, up to 64 pages. What it is made of is brought up
 * to date every two seconds.
 */
static long long cgroup_memory(void)
{
	const char key[] = "\nslab_unreclaimable ";
	char *text, *at;
	long long n;

	st_sleep_ms(3000);
	text = st_read_file(CGROUP "/memory.stat");
	at = strstr(text, key);
	ck_assert_ptr_nonnull(at);
	n = atoll(at + strlen(key));
	free(text);
	return n;
}

static bool enter_cgroup(void)
{
	char pid[32];

	/* Already there when the controller was switched on before. */
	st_do_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return false;
	snprintf(pid, sizeof(pid), "%d", getpid());
	return !st_do_write_file(CGROUP "/cgroup.procs", pid) &&
	       !access(CGROUP "/memory.stat", R_OK);
}

START_TEST(many_extents)
{
	int fd = create_checkered(), dev = st_session(), direct;
	struct seal_status a, b;
	double start, seconds;
	long long before, charged;
	bool grouped;

	a = st_status(fd);
	ck_assert_uint_ge(a.extents, EXTENTS);
	grouped = enter_cgroup();
	before = grouped ? cgroup_memory() : 0;
	start = st_now();
	st_seal(dev, fd);
	seconds = st_now() - start;
	charged = grouped ? cgroup_memory() - before : 0;
	printf("many_extents: %llu extents sealed in %.1f s, %lld bytes charged\n",
	       (unsigned long long)a.extents, seconds, charged);
	ck_assert_msg(seconds < st_patience(20), "%.1f s", seconds);

	a = st_status(fd);
	b = st_status(fd);
	ck_assert_uint_eq(a.digest, b.digest);
	ck_assert_uint_eq(a.extents, b.extents);
	ck_assert_uint_ge(a.extents, EXTENTS);
	ck_assert_uint_eq(a.in_place, (uint64_t)PIECES * BLOCK);
	ck_assert_uint_eq(a.written, (uint64_t)PIECES * BLOCK);

	/*
	 * The table decides right at its start, middle and end. With direct
	 * writes: cached ones may be refused because of the page they share
	 * with other blocks.
	 */
	direct = st_open("checkered", O_RDWR | O_DIRECT);
	for (off_t i = 0; i < PIECES - 1; i += (PIECES - 2) / 2) {
		static char buf[BLOCK] __attribute__((aligned(BLOCK))) = "C";

		ck_assert_int_eq(pwrite(direct, buf, BLOCK, i * 2 * BLOCK),
				 BLOCK);
		ck_assert_int_eq(pwrite(direct, buf, BLOCK,
					i * 2 * BLOCK + BLOCK), -1);
		ck_assert_int_eq(errno, ETXTBSY);
	}
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_uint_eq(st_status(fd).digest, a.digest);
	start = st_now();
	st_unseal(dev, fd);
	seconds = st_now() - start;
	ck_assert_msg(seconds < st_patience(5), "UNSEAL: %.1f s", seconds);
	ck_assert_int_eq(st_do_write_file("/sys/fs/cgroup/cgroup.procs", "0"), 0);
	if (grouped)
		/* What the table takes, against the caller. */
		ck_assert_msg(charged >= PIECES * 8LL, "%lld bytes charged",
			      charged);
	close(direct);
	close(dev);
}
END_TEST

START_TEST(killed_while_reading_the_map)
{
	int fd = st_open("checkered", O_RDWR), dev = st_session(), status;
	pid_t pid = fork();

	if (!pid)
		_exit(st_do_seal_one(dev, fd) ? 1 : 0);
	close(dev);
	st_sleep_ms(100);
	kill(pid, SIGKILL);
	status = st_wait_child(pid, 20);
	ck_assert_int_ne(status, -1);
	ck_assert(st_becomes_unsealed(fd));
	ck_assert_int_eq(pwrite(fd, "x", 1, BLOCK), 1);
	close(fd);
}
END_TEST

static TCase *life_big(void)
{
	TCase *tc = tcase_create("big");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, many_extents);
	tcase_add_test(tc, killed_while_reading_the_map);
	return tc;
}

ST_CASE(big, life_big, ST_NOWHERE);
