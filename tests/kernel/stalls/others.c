// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds up whom: a SEAL that attaches gates, and one that need not; gates that are
 * in use, and those that nobody needs any more; a task that calls an operation while
 * the module goes; two holders of whom each could be waited for; readers and other
 * holders of a file whose blocks are committed; a holder that ends, and whoever
 * happens to close its session.
 */
#define _GNU_SOURCE
#include "../races/party.h"
#include "fuse.h"
#include "sealtest.h"
#include "stuck.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <libseal-events.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINGER	"/sys/module/seal/parameters/linger_ms"
#define STATE	"/sys/module/seal/initstate"
#define CALLERS	3

static int seal_with_recall(int dev, int fd, unsigned int ms)
{
	struct seal_files req = {
		.size = sizeof(req), .nr_fds = 1, .fds = (uintptr_t)&fd,
		.flags = SEAL_SEAL_RECALL, .recall_ms = ms,
	};

	return st_do_ioctl(dev, SEAL_IOC_SEAL, &req);
}

struct attacher {
	struct party party;
	int dev, fd;
};

static int attach(void *arg)
{
	struct attacher *a = arg;

	return seal_with_recall(a->dev, a->fd, 1000);
}

/*
 * One who has his gates attached is in the middle of it. The gates of others are
 * attached already, and they need not wait for him.
 */
START_TEST(attached_gates_are_free)
{
	const char *what = "somebody attaches other gates";
	int fd, dev, ret;
	struct attacher a;
	double began;
	pid_t holder;

	/* a module that has just been loaded looks for the functions */
	ck_assert_int_eq(unload_in_time(what), 0);
	load_again();
	holder = holder_start("held", 0);
	fd = st_create_written("victim", 65536);
	dev = st_session();
	a.fd = st_create_written("recalled", 65536);
	a.dev = st_session();
	party_start(&a.party, attach, &a);
	/* a thread of the module does it for him */
	park_set(0, NULL, "register_kprobe", 1);
	party_go(&a.party);
	park_wait(0);
	ret = seal_in_time(dev, fd, what);
	ck_assert_msg(!ret, "%s: %s", what, seal_reason());
	began = st_now();
	ck_assert(st_status(fd).flags & SEAL_STATUS_SEALED);
	st_unseal(dev, fd);
	ck_assert_msg(st_now() - began < st_patience(1),
		      "%s: STATUS and UNSEAL took %.1f s", what, st_now() - began);
	park_release(0);
	ck_assert_int_eq(party_join(&a.party), 0);
	holder_kill(holder, what);
	close(a.dev);
	close(a.fd);
	close(dev);
	close(fd);
}
END_TEST

static bool attached(const char *function)
{
	char *list = st_read_file("/sys/kernel/tracing/enabled_functions");
	char *line, *rest = list;
	size_t length = strlen(function);
	bool found = false;

	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, function, length) && line[length] == ' ')
			found = true;
	free(list);
	return found;
}

/* Others seal and unseal all the time: gates that nobody needs go all the same. */
START_TEST(idle_gates_go)
{
	const char *idle = "do_truncate";
	int fd = st_create_written("victim", 65536), dev = st_session(), own;
	double began;
	int rounds = 0;

	own = st_session();
	ck_assert_int_eq(seal_with_recall(own, fd, 1000), 0);
	close(own);
	/* one may have been inlined into its callers */
	if (!attached(idle))
		idle = "xfs_file_remap_range";
	if (!attached(idle)) {
		ST_SKIP("no function waits for holders here");
		close(dev);
		close(fd);
		return;
	}
	began = st_now();
	while (attached(idle)) {
		st_seal(dev, fd);
		st_unseal(dev, fd);
		st_sleep_ms(50);
		rounds++;
		ck_assert_msg(st_now() - began < st_patience(8),
			      "%s is still attached after %d rounds", idle, rounds);
	}
	printf("%s went after %.2f s and %d rounds\n", idle, st_now() - began,
	       rounds);
	/* a lower limit is there at once */
	st_seal(dev, fd);
	ck_assert_int_eq(st_do_write_file(LINGER, "600000"), 0);
	st_unseal(dev, fd);
	ck_assert(attached("notify_change"));
	ck_assert_int_eq(st_do_write_file(LINGER, "1000"), 0);
	ck_assert(st_at_rest());
	close(dev);
	close(fd);
}
END_TEST

static void write_missing_late(const char *path, volatile int *late)
{
	int state = open(STATE, O_RDONLY | O_CLOEXEC);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[16] = "";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (state < 0 || fd < 0)
		_exit(1);
	do {
		if (pread(state, text, sizeof(text) - 1, 0) <= 0)
			_exit(2);
	} while (strncmp(text, "going", 5));
	*late = 1;
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	_exit(0);
}

/*
 * rmmod has begun: who calls fallocate now, of a file whose lock he holds himself, is
 * none of the module's business. Whoever has called before makes rmmod say EBUSY.
 */
START_TEST(calls_while_the_module_goes)
{
	const struct stuck_kind *kind = stuck_find("a write whose page never");
	const char *what = "fallocate while the module goes";
	int fd = st_create_written("victim", 65536), dev, calls = 0;
	pid_t stuck, caller[CALLERS];
	volatile int *late;
	char path[256];

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	late = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	ck_assert(late != MAP_FAILED);
	st_path(path, sizeof(path), "stuck");
	stuck = stuck_start(kind, path);
	/* the gates are there until the module takes them away */
	ck_assert_int_eq(st_do_write_file(LINGER, "600000"), 0);
	/* after him, who would have it open, too */
	dev = st_session();
	st_seal(dev, fd);
	st_unseal(dev, fd);
	close(dev);
	for (int i = 0; i < CALLERS; i++) {
		caller[i] = fork();
		ck_assert_int_ge(caller[i], 0);
		if (!caller[i])
			write_missing_late(path, &late[i]);
	}
	ck_assert_int_eq(unload_in_time(what), 0);
	load_again();
	/* they wait for the lock that he holds, and no signal ends that */
	stuck_end(stuck);
	for (int i = 0; i < CALLERS; i++) {
		calls += late[i];
		ck_assert_int_ne(st_wait_child(caller[i], 10), -1);
	}
	ck_assert_msg(calls, "%s: nobody came late", what);
	printf("%s: %d calls\n", what, calls);
	munmap((void *)late, 4096);
	close(fd);
}
END_TEST

struct ext4_move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

#define EXT4_MOVE_EXT	_IOWR('f', 15, struct ext4_move_extent)
#define RECALL_MS	6000

/* The maps of two files are to change: their holders are asked at the same time. */
START_TEST(two_holders)
{
	const char *what = "two holders are asked";
	struct ext4_move_extent arg = { .len = 4 };
	pid_t holder[2];
	double began, took;
	int fd, donor;

	if (st_is_xfs()) {
		/* what calls for two there needs all of struct xfs_swapext */
		ST_SKIP("a move of extents is one of ext4");
		return;
	}
	holder[0] = holder_start("held", RECALL_MS);
	holder[1] = holder_start("donor", RECALL_MS);
	fd = st_open("held", O_RDWR);
	donor = st_open("donor", O_RDWR);
	arg.donor_fd = donor;
	began = st_now();
	ck_assert_int_eq(ioctl(fd, EXT4_MOVE_EXT, &arg), -1);
	took = st_now() - began;
	ck_assert_int_eq(errno, ETXTBSY);
	printf("%s: %.2f s\n", what, took);
	ck_assert_msg(took > RECALL_MS / 1000 - 1, "%s: only for %.1f s", what, took);
	ck_assert_msg(took < 1.8 * RECALL_MS / 1000, "%s: for %.1f s", what, took);
	holder_kill(holder[0], what);
	holder_kill(holder[1], what);
	close(fd);
	close(donor);
}
END_TEST

struct committer {
	struct party party;
	int dev, fd;
};

static int commit(void *arg)
{
	struct committer *c = arg;
	struct seal_commit_range range = { .length = 65536 };
	struct seal_commit op = {
		.size = sizeof(op), .fd = c->fd, .nr_ranges = 1,
		.ranges = (uintptr_t)&range,
	};

	return st_do_ioctl(c->dev, SEAL_IOC_COMMIT, &op);
}

/*
 * COMMIT is beyond the point where it could be stopped, and then somebody reads the
 * file directly, to memory that never arrives, and holds its lock.
 */
START_TEST(commit_and_reader)
{
	const struct stuck_kind *kind = stuck_find("a direct read");
	const char *what = "COMMIT and a direct read that is stuck";
	struct seal_grant_extent extents[SEAL_GRANT_MIN_EXTENTS];
	struct committer c = { .dev = st_session() };
	struct seal_grant grant = {
		.size = sizeof(grant), .flags = SEAL_GRANT_WRITTEN,
		.nr_extents = SEAL_GRANT_MIN_EXTENTS,
		.extents = (uintptr_t)extents, .length = 65536,
	};
	char path[256];
	bool ended;
	pid_t stuck;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		close(c.dev);
		return;
	}
	limit_long();
	c.fd = st_create_written("stuck", 65536);
	st_path(path, sizeof(path), "stuck");
	st_seal(c.dev, c.fd);
	grant.fd = c.fd;
	ck_assert_int_eq(st_do_ioctl(c.dev, SEAL_IOC_GRANT, &grant), 0);
	ck_assert_int_eq(grant.done, 65536);
	party_start(&c.party, commit, &c);
	park_set(0, &c.party, "vfs_fsync", 1);
	party_go(&c.party);
	park_wait(0);
	stuck = stuck_start(kind, path);
	park_release(0);
	ended = party_ends(&c.party, st_patience(5) * 1000);
	stuck_end(stuck);
	ck_assert_int_eq(party_join(&c.party), 0);
	ck_assert_msg(ended, "%s: it waits for the reader", what);
	close(c.dev);
	close(c.fd);
}
END_TEST

/*
 * COMMIT waits for the disk. Other holders of the file, and the rest of its own
 * session, end without waiting for it; who has to wait gives up.
 */
START_TEST(commit_and_others)
{
	const char *what = "COMMIT waits for the disk";
	struct seal_grant_extent extents[SEAL_GRANT_MIN_EXTENTS];
	struct committer c = { .dev = st_session() };
	struct seal_grant grant = {
		.size = sizeof(grant), .flags = SEAL_GRANT_WRITTEN,
		.nr_extents = SEAL_GRANT_MIN_EXTENTS,
		.extents = (uintptr_t)extents, .length = 65536,
	};
	struct seal_release release = { .size = sizeof(release) };
	struct seal_revoke revoke = { .size = sizeof(revoke) };
	pid_t others[2];
	double began;
	int own;

	others[0] = holder_start("held", 0);
	c.fd = st_open("held", O_RDWR);
	st_seal(c.dev, c.fd);
	others[1] = fork();
	ck_assert_int_ge(others[1], 0);
	if (!others[1]) {
		own = st_session();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		st_seal(own, c.fd);
		for (;;)
			pause();
	}
	while (st_status(c.fd).holders < 3)
		st_sleep_ms(20);
	grant.fd = release.fd = revoke.fd = c.fd;
	ck_assert_int_eq(st_do_ioctl(c.dev, SEAL_IOC_GRANT, &grant), 0);
	holder_kill(others[0], "nobody commits");

	party_start(&c.party, commit, &c);
	park_set(0, &c.party, "vfs_fsync", 1);
	party_go(&c.party);
	park_wait(0);
	holder_kill(others[1], what);
	began = st_now();
	ck_assert_int_eq(st_do_ioctl(c.dev, SEAL_IOC_RELEASE, &release), -EBUSY);
	ck_assert_int_eq(st_do_ioctl(c.dev, SEAL_IOC_REVOKE, &revoke), -EBUSY);
	ck_assert_uint_eq(revoke.holders, 0);
	printf("%s: RELEASE and REVOKE gave up after %.2f s\n", what,
	       st_now() - began);
	ck_assert_msg(st_now() - began < st_patience(2 * LIMIT_MS / 1000 + 4),
		      "%s: RELEASE and REVOKE took %.1f s", what,
		      st_now() - began);
	ck_assert_uint_eq(st_status(c.fd).granted, 65536);
	/* and now the claim for which it commits */
	began = st_now();
	st_unseal(c.dev, c.fd);
	ck_assert_msg(st_now() - began < st_patience(1), "%s: UNSEAL took %.1f s",
		      what, st_now() - began);
	ck_assert(st_sealed(c.fd));
	park_release(0);
	ck_assert_int_eq(party_join(&c.party), 0);
	ck_assert(st_becomes_unsealed(c.fd));

	/* nothing is left of the grant */
	st_seal(c.dev, c.fd);
	ck_assert_uint_eq(st_status(c.fd).granted, 0);
	ck_assert_int_eq(commit(&c), -ENXIO);
	close(c.dev);
	close(c.fd);
}
END_TEST

#define FSYNCS	600	/* more than a workqueue does at a time, per processor */

/* Fill the workqueue that all share, for ever. Any user can do that. */
static void fill_workqueue(int ready)
{
	int fd = fuse_file(O_RDWR), cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_FSYNC }, *list = &cb;
	aio_context_t context = 0;

	cb.aio_fildes = fd;
	if (fd < 0 || syscall(SYS_io_setup, (long)cpus * FSYNCS, &context))
		_exit(1);
	for (int cpu = 0; cpu < cpus; cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		for (int i = 0; i < FSYNCS; i++)
			if (syscall(SYS_io_submit, context, 1, &list) != 1)
				_exit(2);
	}
	if (write(ready, "r", 1) != 1)
		_exit(3);
	for (;;)
		pause();
}

static void seal_and_close(int fd, const char *what)
{
	double began;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		int dev = st_session();

		st_seal(dev, fd);
		st_unseal(dev, fd);
		st_seal(dev, fd);
		_exit(0);
	}
	began = st_now();
	ck_assert_msg(!st_wait_child(pid, st_patience(5)), "%s: a holder does not end",
		      what);
	printf("%s: a holder ended after %.2f s\n", what, st_now() - began);
}

/* Somebody listens to events. Who lets go of a file does not wait for that workqueue. */
START_TEST(full_workqueue)
{
	const char *what = "the workqueue that all share is full";
	int fd = st_create_written("victim", 65536), ready[2];
	struct seal_monitor *monitor;
	pid_t holder, filler;
	char byte;

	if (access("/dev/fuse", F_OK)) {
		ST_SKIP("no FUSE in this kernel");
		return;
	}
	holder = holder_start("held", 0);
	ck_assert_int_eq(seal_monitor_open(&monitor, SEAL_EVENTS_ALL), 0);
	seal_and_close(fd, "a monitor runs");
	ck_assert_int_eq(pipe(ready), 0);
	filler = fork();
	ck_assert_int_ge(filler, 0);
	if (!filler) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fill_workqueue(ready[1]);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	seal_and_close(fd, what);
	holder_kill(holder, what);
	kill(-filler, SIGKILL);
	ck_assert_int_ne(st_wait_child(filler, st_patience(20)), -1);
	seal_monitor_close(monitor);
	close(fd);
}
END_TEST

#define MANY	1000
#define FEW	10

/* Seal @nr files, and let them go: processor time of that, in seconds. */
static double close_many(int nr)
{
	struct timespec begin, end;
	int dev = st_session(), *fds = calloc(nr, sizeof(*fds));
	struct seal_files out;
	char name[16];

	ck_assert_ptr_nonnull(fds);
	for (int i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		fds[i] = st_create(name);
	}
	ck_assert_int_eq(st_do_seal(dev, fds, nr, 0, 0, 0, &out), 0);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	close(dev);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	for (int i = 0; i < nr; i++) {
		ck_assert(nr == FEW ? !st_sealed(fds[i]) :
				      st_becomes_unsealed(fds[i]));
		close(fds[i]);
		snprintf(name, sizeof(name), "many%d", i);
		st_remove(name);
	}
	free(fds);
	return end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/*
 * The one who closes the last descriptor of a session may have got it from others. To
 * drop all claims at once would take him a hundred times as long.
 */
START_TEST(close_is_bounded)
{
	struct rlimit limit = { 4096, 4096 };
	pid_t holder = holder_start("held", 0);
	double few = 1000, many = 1000;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* the shortest: what the host does meanwhile counts as their time */
	for (int i = 0; i < 4; i++) {
		few = least(few, close_many(FEW));
		many = least(many, close_many(MANY));
	}
	printf("to close a session took %.5f s with %d files, %.5f s with %d\n", few,
	       FEW, many, MANY);
	ck_assert_msg(many < 40 * few, "%.5f s with %d files, %.5f s with %d", few,
		      FEW, many, MANY);
	holder_kill(holder, "few and many files");
}
END_TEST

static void linger_default(void)
{
	limit_long();
	st_do_write_file(LINGER, "1000");
}

static TCase *others(void)
{
	TCase *tc = tcase_create("others");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, limit_short, linger_default);
	tcase_add_test(tc, attached_gates_are_free);
	tcase_add_test(tc, idle_gates_go);
	tcase_add_test(tc, calls_while_the_module_goes);
	tcase_add_test(tc, two_holders);
	tcase_add_test(tc, commit_and_reader);
	tcase_add_test(tc, commit_and_others);
	tcase_add_test(tc, full_workqueue);
	tcase_add_test(tc, close_is_bounded);
	return tc;
}

ST_CASE(others, others, ST_NOWHERE);
