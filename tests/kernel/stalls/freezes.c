// SPDX-License-Identifier: GPL-2.0-only
/*
 * A filesystem is frozen, for a snapshot, or the system is suspended, while somebody
 * is inside an operation of the module. The freeze does not wait for long, whoever
 * reads goes on, the operation can be killed, and when it thaws all is well.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "stuck.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH	(64 << 20)

/* How long the freeze took. */
static double freeze(const char *what)
{
	int dir = open(st_env("SEAL_DIR"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	double began = st_now(), took;

	ck_assert_msg(!ioctl(dir, FIFREEZE, 0), "%s: FIFREEZE: %s", what,
		      strerror(errno));
	took = st_now() - began;
	close(dir);
	printf("%s: the freeze took %.2f s\n", what, took);
	ck_assert_msg(took < st_patience(10), "%s: the freeze took %.1f s", what,
		      took);
	return took;
}

static void thaw(void)
{
	int dir = open(st_env("SEAL_DIR"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(ioctl(dir, FITHAW, 0), 0);
	close(dir);
}

/*
 * The same, at a moment when @inside says that a child is in an operation of the module:
 * what else it does, a freeze holds up where no signal ends it.
 */
static void freeze_inside(volatile int *inside, const char *what)
{
	for (int tries = 0; tries < 50; tries++) {
		freeze(what);
		st_sleep_ms(300);
		if (*inside)
			return;
		thaw();
		st_sleep_ms(100);
	}
	ck_abort_msg("%s: it is never inside", what);
}

/* Read a file to its end, in a process that may hang. */
static void reads_go_on(int fd, const char *what)
{
	double began = st_now();
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		char block[65536];

		for (off_t at = 0; pread(fd, block, sizeof(block), at) > 0;)
			at += sizeof(block);
		_exit(0);
	}
	status = st_wait_child(pid, st_patience(10));
	if (status == -1) {
		thaw();
		kill(pid, SIGKILL);
	}
	ck_assert_msg(!status, "%s: the file cannot be read while it is frozen", what);
	printf("%s: the file was read in %.2f s\n", what, st_now() - began);
}

static void dies(pid_t pid, const char *what)
{
	double began = st_now();
	int status;

	kill(pid, SIGKILL);
	status = st_wait_child(pid, st_patience(5));
	if (status == -1)
		thaw();
	ck_assert_msg(status != -1, "%s: SIGKILL does not end the caller", what);
	printf("%s: the caller ended %.2f s after SIGKILL\n", what,
	       st_now() - began);
}

static pid_t child(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* PREALLOC of all of the file. */
static int prealloc(int dev, int fd)
{
	uint64_t done = 0;

	while (done < LENGTH) {
		struct seal_range_op op = {
			.size = sizeof(op), .fd = fd, .offset = done,
			.length = LENGTH - done, .flags = SEAL_PREALLOC_WRITTEN,
		};
		int ret = st_do_ioctl(dev, SEAL_IOC_PREALLOC, &op);

		if (ret)
			return ret;
		done += op.done;
	}
	return 0;
}

START_TEST(prealloc_and_freeze)
{
	const char *what = "PREALLOC WRITTEN and a freeze";
	int fd = st_create("grows"), dev = st_session();
	volatile int *inside = mmap(NULL, sizeof(*inside), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct seal_status status;
	pid_t pid;

	ck_assert(inside != MAP_FAILED);
	pid = child();
	if (!pid)
		for (;;) {
			*inside = 0;
			if (ftruncate(fd, 0))
				_exit(1);
			*inside = 1;
			if (prealloc(st_session(), fd))
				_exit(1);
		}
	/* at different places of what it does */
	for (int i = 0; i < 5; i++) {
		st_sleep_ms(200 + 230 * i);
		freeze_inside(inside, what);
		reads_go_on(fd, what);
		if (i < 4)
			thaw();
	}
	dies(pid, what);
	thaw();
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(prealloc(dev, fd), 0);
	status = st_status(fd);
	ck_assert_int_eq(status.unwritten, 0);
	ck_assert_int_eq(status.file_size, LENGTH);
	munmap((void *)inside, sizeof(*inside));
	close(dev);
	close(fd);
	st_remove("grows");
}
END_TEST

START_TEST(seal_and_freeze)
{
	const char *what = "SEAL and a freeze";
	int fd = st_create_written("victim", 1 << 20), dev = st_session();
	pid_t pid = child();

	if (!pid)
		for (int own = st_session();;) {
			struct seal_files out;

			if (!st_do_seal(own, &fd, 1, 0, 0, 0, &out))
				st_do_unseal(own, fd, 0);
			pwrite(fd, "x", 1, 0);
		}
	for (int i = 0; i < 5; i++) {
		st_sleep_ms(200 + 170 * i);
		freeze(what);
		reads_go_on(fd, what);
		if (i < 4)
			thaw();
	}
	/* INFO and STATUS do not write */
	answers_in_time(dev, fd, what);
	thaw();
	kill(pid, SIGKILL);
	ck_assert_int_ne(st_wait_child(pid, st_patience(5)), -1);
	ck_assert_int_eq(seal_in_time(dev, fd, what), 0);
	st_unseal(dev, fd);
	close(dev);
	close(fd);
}
END_TEST

/* SEAL waits for the lock of the file, which a read holds: a freeze does not. */
START_TEST(waiting_seal_and_freeze)
{
	const struct stuck_kind *kind = stuck_find("a direct read");
	const char *what = "a SEAL that waits and a freeze";
	int fd, dev = st_session(), other = st_create_written("other", 65536);
	char path[256];
	pid_t reader, pid;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	limit_long();
	st_path(path, sizeof(path), "stuck");
	reader = stuck_start(kind, path);
	fd = st_open("stuck", O_RDWR);
	pid = child();
	if (!pid) {
		struct seal_files out;

		_exit(-st_do_seal(st_session(), &fd, 1, 0, 0, 0, &out));
	}
	st_sleep_ms(1000);
	freeze(what);
	reads_go_on(other, what);
	dies(pid, what);
	thaw();
	stuck_end(reader);
	ck_assert_int_eq(seal_in_time(dev, fd, what), 0);
	close(dev);
	close(fd);
	close(other);
}
END_TEST

/* One who wants to truncate a file waits for its holder. */
static pid_t recall_start(int fd)
{
	pid_t pid = child();

	if (!pid)
		_exit(ftruncate(fd, 4096) ? errno : 0);
	st_sleep_ms(1000);
	ck_assert_int_eq(st_wait_child(pid, 0), -1);
	return pid;
}

START_TEST(recall_and_freeze)
{
	const char *what = "a recall and a freeze";
	pid_t holder = holder_start("held", 40000), pid;
	int fd = st_open("held", O_RDWR), status;

	pid = recall_start(fd);
	freeze(what);
	reads_go_on(fd, what);
	thaw();
	/* the freeze has ended the wait, and the seal holds */
	status = st_wait_child(pid, st_patience(5));
	ck_assert_int_eq(status >> 8, ETXTBSY);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 65536);

	/* one that waits can be killed while it is frozen */
	pid = recall_start(fd);
	freeze(what);
	dies(pid, what);
	thaw();
	holder_kill(holder, what);
	ck_assert(st_becomes_unsealed(fd));
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	close(fd);
}
END_TEST

struct freezer {
	const char *name, *type, *options, *file, *frozen, *thawed;
};

static const struct freezer freezers[] = {
	{ "the freezer of cgroup v1", "cgroup", "freezer", "freezer.state",
	  "FROZEN", "THAWED" },
	{ "the freezer of cgroup v2", "cgroup2", NULL, "cgroup.freeze", "1", "0" },
};

#define GROUPS	"/run/seal-groups"

static void group_write(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), GROUPS "/frozen/%s", file);
	ck_assert_msg(!st_do_write_file(path, text), "%s: %s", path, text);
}

/*
 * One who waits in a recall has write access. When his group is frozen, he must not
 * keep that: a freeze of the filesystem, for a snapshot, would wait for as long as the
 * group stays frozen.
 */
START_TEST(recall_and_frozen_group)
{
	const struct freezer *freezer = &freezers[_i];
	pid_t holder, pid, other;
	char text[16];
	int fd, status;

	mkdir(GROUPS, 0700);
	if (mount("none", GROUPS, freezer->type, 0, freezer->options)) {
		ST_SKIP("%s: %s", freezer->name, strerror(errno));
		rmdir(GROUPS);
		return;
	}
	ck_assert(!mkdir(GROUPS "/frozen", 0700) || errno == EEXIST);
	holder = holder_start("held", 100000);
	fd = st_open("held", O_RDWR);
	pid = recall_start(fd);
	snprintf(text, sizeof(text), "%d", pid);
	group_write("cgroup.procs", text);
	group_write(freezer->file, freezer->frozen);
	st_sleep_ms(1000);
	/* not a child that dies with this test: it would leave all frozen */
	other = fork();
	ck_assert_int_ge(other, 0);
	if (!other) {
		freeze(freezer->name);
		thaw();
		_exit(0);
	}
	status = st_wait_child(other, 10);
	group_write(freezer->file, freezer->thawed);
	ck_assert_msg(!status, "%s: the filesystem cannot be frozen", freezer->name);
	/* it waits as before, and goes on when the holder lets go */
	st_sleep_ms(500);
	ck_assert_int_eq(st_wait_child(pid, 0), -1);
	holder_kill(holder, freezer->name);
	status = st_wait_child(pid, 5);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(rmdir(GROUPS "/frozen"), 0);
	ck_assert_int_eq(umount(GROUPS), 0);
	rmdir(GROUPS);
	close(fd);
}
END_TEST

#define PM_TEST		"/sys/power/pm_test"
#define PM_STATE	"/sys/power/state"

/* All tasks are frozen for five seconds, and go on. */
static void suspend(const char *what)
{
	double began = st_now();
	int ret;

	ck_assert_int_eq(st_do_write_file(PM_TEST, "freezer"), 0);
	ret = st_do_write_file(PM_STATE, "freeze");
	printf("%s: suspend %s after %.2f s\n", what,
	       ret ? strerror(-ret) : "succeeded", st_now() - began);
	ck_assert_int_eq(st_do_write_file(PM_TEST, "none"), 0);
	ck_assert_msg(!ret, "%s: suspend: %s", what, strerror(-ret));
}

static bool can_suspend(void)
{
	char *states;
	bool can;

	if (access(PM_TEST, W_OK))
		return false;
	states = st_read_file(PM_STATE);
	can = strstr(states, "freeze");
	free(states);
	return can;
}

START_TEST(recall_and_suspend)
{
	const char *what = "a recall and a suspend";
	pid_t holder, pid;
	int fd, status;

	if (!can_suspend()) {
		ST_SKIP("no %s, or no state \"freeze\"", PM_TEST);
		return;
	}
	holder = holder_start("held", 100000);
	fd = st_open("held", O_RDWR);
	pid = recall_start(fd);
	suspend(what);
	/* it waits as before, and goes on when the holder lets go */
	ck_assert_int_eq(st_wait_child(pid, 0), -1);
	holder_kill(holder, what);
	status = st_wait_child(pid, st_patience(5));
	ck_assert_int_eq(status, 0);
	close(fd);
}
END_TEST

/*
 * Not one that waits for somebody: he would have to be stuck in a way in which he
 * cannot be frozen himself.
 */
START_TEST(seal_and_suspend)
{
	const char *what = "SEAL and UNSEAL all the time and a suspend";
	int fd = st_create_written("victim", 65536);
	pid_t pid;

	if (!can_suspend()) {
		ST_SKIP("no %s, or no state \"freeze\"", PM_TEST);
		return;
	}
	pid = child();
	if (!pid)
		for (int own = st_session();;) {
			struct seal_files out;

			if (!st_do_seal(own, &fd, 1, 0, 0, 0, &out))
				st_do_unseal(own, fd, 0);
		}
	st_sleep_ms(1000);
	suspend(what);
	dies(pid, what);
	close(fd);
}
END_TEST

static void grant_and_commit(int dev, int fd, volatile int *step)
{
	struct seal_grant_extent extents[SEAL_GRANT_MIN_EXTENTS];
	struct seal_grant grant = {
		.size = sizeof(grant), .fd = fd, .flags = SEAL_GRANT_WRITTEN,
		.nr_extents = SEAL_GRANT_MIN_EXTENTS,
		.extents = (uintptr_t)extents, .length = 65536,
	};
	struct seal_commit_range range = { .length = 65536 };
	struct seal_commit commit = {
		.size = sizeof(commit), .fd = fd, .nr_ranges = 1,
		.ranges = (uintptr_t)&range,
	};
	int on = *step;

	for (;;) {
		/* the second round of GRANT, or the first COMMIT, is held up */
		grant.nr_extents = SEAL_GRANT_MIN_EXTENTS;
		if (st_do_ioctl(dev, SEAL_IOC_GRANT, &grant))
			_exit(1);
		*step = -1;
		while (*step == -1)
			usleep(10000);
		if (on && st_do_ioctl(dev, SEAL_IOC_COMMIT, &commit))
			_exit(2);
	}
}

/*
 * GRANT, or COMMIT, waits for the lock of the file, which a direct read has. A freeze
 * does not wait for them, or every writer of the filesystem would wait for the freeze.
 */
START_TEST(change_and_freeze)
{
	const char *what = _i ? "COMMIT behind a direct read and a freeze" :
				"GRANT behind a direct read and a freeze";
	const struct stuck_kind *kind = stuck_find("a direct read");
	volatile int *step = mmap(NULL, sizeof(*step), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = st_create_written("stuck", 65536);
	pid_t pid, stuck;
	char path[256];

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	ck_assert(step != MAP_FAILED);
	/* longer than a freeze may take here */
	limit_long();
	*step = _i;
	pid = child();
	if (!pid) {
		int dev = st_session();

		st_seal(dev, fd);
		grant_and_commit(dev, fd, step);
	}
	while (*step != -1)
		st_sleep_ms(20);
	st_path(path, sizeof(path), "stuck");
	stuck = stuck_start(kind, path);
	freeze("a direct read and a freeze");
	thaw();
	*step = 0;
	st_sleep_ms(1000);
	/* it waits for the reader */
	ck_assert_int_eq(st_wait_child(pid, 0), -1);
	ck_assert_int_eq(*step, 0);
	/* if it waited for the operation, it would take as long as the limit */
	freeze(what);
	thaw();
	dies(pid, what);
	stuck_end(stuck);
	munmap((void *)step, sizeof(*step));
	close(fd);
}
END_TEST

static TCase *freezes(void)
{
	TCase *tc = tcase_create("freezes");

	tcase_set_timeout(tc, 180);
	tcase_add_checked_fixture(tc, limit_short, limit_long);
	tcase_add_test(tc, prealloc_and_freeze);
	tcase_add_test(tc, seal_and_freeze);
	tcase_add_test(tc, waiting_seal_and_freeze);
	tcase_add_test(tc, recall_and_freeze);
	tcase_add_loop_test(tc, recall_and_frozen_group, 0, 2);
	tcase_add_test(tc, recall_and_suspend);
	tcase_add_test(tc, seal_and_suspend);
	tcase_add_loop_test(tc, change_and_freeze, 0, 2);
	return tc;
}

ST_CASE(freezes, freezes, ST_NOWHERE);
