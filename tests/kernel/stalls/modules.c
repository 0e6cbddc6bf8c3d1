// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever loads or unloads a module takes the locks of ftrace. Attaching and detaching
 * gates takes them as well, so that must not take long, whatever tasks do.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE	"ts_bm"
#define GROUPS	"/run/seal-groups"
#define LINGER	"/sys/module/seal/parameters/linger_ms"

/* Longer than it takes under emulation, and far shorter than with the locks kept. */
#define MAX_WAIT	4.0

static double run(const char *command)
{
	double began = st_now();

	ck_assert_msg(!system(command), "%s", command);
	return st_now() - began;
}

/* How long the longest call takes that loads or unloads a module, in @seconds. */
static double longest(unsigned int seconds)
{
	double end = st_now() + st_patience(seconds), most = 0, took;
	bool loaded = false;

	do {
		took = run(loaded ? "rmmod " MODULE : "modprobe " MODULE);
		loaded = !loaded;
		if (took > most)
			most = took;
	} while (loaded || st_now() < end);
	return most;
}

static void judge(const char *what, double without, double with)
{
	printf("%s: a module is loaded or unloaded in %.2f s at most (%.2f s without a seal)\n",
	       what, with, without);
	ck_assert_msg(with < MAX_WAIT + 3 * without, "%s: %.2f s", what, with);
}

START_TEST(gates_go_beside_a_reader)
{
	int fd = st_create_written("victim", 65536), dev = st_session();
	const char *what = "a task reads all the time, gates go";
	double without, with;
	pid_t reader;

	ck_assert(st_at_rest());
	seal_at_last(dev, fd);
	reader = st_reader_start(2);
	without = longest(3);
	st_unseal(dev, fd);
	/* now they would go */
	ck_assert_int_eq(st_do_write_file(LINGER, "0"), 0);
	with = longest(20);
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	judge(what, without, with);
	ck_assert_msg(st_at_rest(), "%s: not even without the reader", what);
	close(dev);
	close(fd);
}
END_TEST

static void group_write(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), GROUPS "/%s", file);
	ck_assert_msg(!st_do_write_file(path, text), "%s: %s: %s", path, text,
		      strerror(errno));
}

/* A task that gets little of a processor, and stops long in between. */
static void become_slow(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", getpid());
	group_write("slow/cpu.max", "1000 400000");
	group_write("slow/cgroup.procs", text);
}

START_TEST(slow_task_attaches)
{
	const char *what = "a task with little processor time seals";
	int fd = st_create_written("victim", 65536);
	double without, with;
	pid_t pid;

	mkdir(GROUPS, 0700);
	if (mount("none", GROUPS, "cgroup2", 0, NULL)) {
		ST_SKIP("cgroup v2: %s", strerror(errno));
		close(fd);
		return;
	}
	group_write("cgroup.subtree_control", "+cpu");
	ck_assert(!mkdir(GROUPS "/slow", 0700) || errno == EEXIST);
	ck_assert(st_at_rest());
	without = longest(2);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		int dev;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		become_slow();
		dev = st_session();
		/* it may take too long for the limit of these tests */
		st_do_seal_one(dev, fd);
		close(dev);
		_exit(0);
	}
	with = longest(6);
	group_write("slow/cpu.max", "max");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	rmdir(GROUPS "/slow");
	ck_assert_int_eq(umount(GROUPS), 0);
	judge(what, without, with);
	close(fd);
}
END_TEST

static void end(void)
{
	st_do_write_file(LINGER, "1000");
	limit_long();
}

static TCase *modules(void)
{
	TCase *tc = tcase_create("modules");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, limit_short, end);
	tcase_add_test(tc, gates_go_beside_a_reader);
	tcase_add_test(tc, slow_task_attaches);
	return tc;
}

ST_CASE(modules, modules, ST_NOWHERE);
