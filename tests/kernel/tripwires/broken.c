// SPDX-License-Identifier: GPL-2.0-only
/*
 * With one gate switched off (a debug build can), maps of sealed files do
 * change: each low-level function must report it within the same call.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "xfs_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIP_GATE	"/sys/module/seal/parameters/skip_gate"
#define TRIPWIRES	"/sys/kernel/debug/seal/tripwires"
#define EVENT		"/sys/kernel/tracing/events/seal/seal_broken/enable"
#define TRACE		"/sys/kernel/tracing/trace"

#define EXT4_SWAP_BOOT	_IO('f', 17)
#define MIB		(1 << 20)

/* Half a MiB of blocks in one extent, then a hole up to 1 MiB. */
static int make(const char *name)
{
	int fd = st_create_written(name, MIB / 2);

	ck_assert_int_eq(ftruncate(fd, MIB), 0);
	/* there may be preallocation behind what was written */
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, MIB / 2, MIB / 2), 0);
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

static int punch(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536,
			 65536);
}

static int allocate(int fd)
{
	return fallocate(fd, 0, MIB / 2, 65536);
}

static int shrink(int fd)
{
	return ftruncate(fd, 65536);
}

static int empty(int fd)
{
	return ftruncate(fd, 0);
}

static int store_to_hole(int fd)
{
	char *map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_msg(map != MAP_FAILED, "mmap: %s", strerror(errno));
	*(volatile char *)(map + MIB / 4 * 3) = 'x';
	return munmap(map, MIB);
}

static int swap_boot(int fd)
{
	return ioctl(fd, EXT4_SWAP_BOOT);
}

/* The kernel wants the other file to have no more extents than this one: one block. */
static int swap_extents(int fd)
{
	int tmp = st_create_written("swap.tmp", 4096);
	struct xfs_swap swap = {
		.fdtarget = fd, .fdtmp = tmp, .length = MIB,
	};
	uint64_t ino;
	struct xfs_bulk bulk = { &ino, 1, &swap.stat, NULL };
	struct stat st;
	int ret;

	ck_assert_int_eq(ftruncate(tmp, MIB), 0);
	ck_assert_int_eq(fsync(tmp), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ino = st.st_ino;
	ck_assert_int_eq(ioctl(fd, XFS_BULKSTAT_SINGLE, &bulk), 0);
	ret = ioctl(fd, XFS_SWAPEXT, &swap);
	close(tmp);
	return ret;
}

static const struct violation {
	const char *target;
	const char *function;	/* how its name begins */
	const char *gate;
	int (*op)(int fd);
} violations[] = {
	{ "xfs", "xfs_iext_insert", "iomap_page_mkwrite", store_to_hole },
	{ "xfs", "xfs_iext_remove", "notify_change", empty },
	{ "xfs", "xfs_iext_update_extent", "xfs_file_fallocate", punch },
	{ "xfs-noreflink", "xfs_swap_extent_forks", "xfs_swap_extents",
	  swap_extents },
	{ "ext4", "__ext4_ext_dirty", "ext4_fallocate", punch },
	{ "ext4", "ext4_mb_new_blocks", "ext4_fallocate", allocate },
	{ "ext4", "ext4_es_insert_delayed", "ext4_da_get_block_prep",
	  store_to_hole },
	{ "ext4", "swap_inode_data", "ext4_ioctl", swap_boot },
	{ "ext4-ind", "ext4_ind_truncate", "notify_change", shrink },
	{ "ext4-ind", "ext4_ind_remove_space", "ext4_fallocate", punch },
};

#define NR_VIOLATIONS	((int)(sizeof(violations) / sizeof(violations[0])))

static void skip_gate(const char *gate)
{
	int ret = st_do_write_file(SKIP_GATE, gate);

	ck_assert_msg(!ret, "no gate to switch off: %s", strerror(-ret));
}

/* How often a tripwire saw a seal broken; its line is "SET FUNCTION N HOW". */
static unsigned long hits(const char *function)
{
	char *text = st_read_file(TRIPWIRES), *line, *rest = text;
	unsigned long n = ~0UL;
	char name[64];

	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%*s %63s", name) == 1 &&
		    !strncmp(name, function, strlen(function)))
			sscanf(line, "%*s %*s %lu", &n);
	free(text);
	ck_assert_msg(n != ~0UL, "no tripwire on %s", function);
	return n;
}

START_TEST(reported_in_the_call)
{
	const struct violation *v = &violations[_i];
	struct seal_status before, after;
	int fd, dev = st_session(), ret;
	unsigned long hit;
	char *trace;

	if (strcmp(v->target, st_env("SEAL_TARGET"))) {
		close(dev);
		return;
	}
	fd = make("broken");
	st_seal(dev, fd);
	before = st_status(fd);
	hit = hits(v->function);
	ck_assert_int_eq(st_do_write_file(EVENT, "1"), 0);
	close(open(TRACE, O_WRONLY | O_TRUNC));

	skip_gate(v->gate);
	ret = v->op(fd) ? -errno : 0;
	after = st_status(fd);
	skip_gate("\n");

	ck_assert_int_eq(st_do_write_file(EVENT, "0"), 0);
	trace = st_read_file(TRACE);
	ck_assert_msg(!ret, "without its gate it fails: %s", strerror(-ret));
	ck_assert(!(before.flags & SEAL_STATUS_BROKEN));
	ck_assert_uint_eq(before.broken, 0);
	ck_assert(after.flags & SEAL_STATUS_BROKEN);
	ck_assert_uint_gt(after.broken, 0);
	ck_assert_uint_eq(before.first_broken[0], 0);
	ck_assert_uint_ne(after.first_broken[0], 0);
	ck_assert_uint_gt(hits(v->function), hit);
	ck_assert_msg(strstr(trace, "seal_broken:") &&
		      strstr(trace, v->function), "trace:\n%s", trace);
	free(trace);
	close(dev);
	close(fd);
}
END_TEST

/* A gate that is there refuses, and nothing is broken. */
START_TEST(refused_is_not_broken)
{
	const struct violation *v = &violations[_i];
	int fd, dev = st_session();

	/* a refused store ends with SIGBUS, which the contract tests try */
	if (strcmp(v->target, st_env("SEAL_TARGET")) || v->op == store_to_hole) {
		close(dev);
		return;
	}
	fd = make("kept");
	st_seal(dev, fd);
	ck_assert_int_eq(v->op(fd), -1);
	ck_assert_int_eq(errno, v->op == punch ? EOPNOTSUPP : ETXTBSY);
	ck_assert(!(st_status(fd).flags & SEAL_STATUS_BROKEN));
	close(dev);
	close(fd);
}
END_TEST

START_TEST(every_holder_sees_it)
{
	int fd = make("holders"), a = st_session(), b = st_session();
	int late = st_session();
	struct seal_files out;

	st_seal(a, fd);
	st_seal(b, fd);
	skip_gate("notify_change");
	ck_assert_int_eq(ftruncate(fd, 65536), 0);
	skip_gate("\n");

	struct seal_status ask_a = { .size = sizeof(ask_a), .fd = fd };
	struct seal_status ask_b = ask_a;

	ck_assert_int_eq(st_do_ioctl(a, SEAL_IOC_STATUS, &ask_a), 0);
	ck_assert_int_eq(st_do_ioctl(b, SEAL_IOC_STATUS, &ask_b), 0);
	ck_assert(ask_a.flags & SEAL_STATUS_BROKEN);
	ck_assert(ask_b.flags & SEAL_STATUS_BROKEN);
	/* nobody gets such a seal as if it were a good one */
	ck_assert_int_eq(st_do_seal(late, &fd, 1, 0, 0, 0, &out), -ESTALE);
	ck_assert_uint_ne(out.reason[0], 0);
	ck_assert_uint_eq(out.bad_index, 0);
	/* and when the last holder has let go, it can be sealed again */
	st_unseal(a, fd);
	ck_assert_int_eq(st_do_seal(late, &fd, 1, 0, 0, 0, &out), -ESTALE);
	st_unseal(b, fd);
	ck_assert(!(st_status(fd).flags & SEAL_STATUS_BROKEN));
	st_seal(late, fd);
	ck_assert(!(st_status(fd).flags & SEAL_STATUS_BROKEN));
	close(a);
	close(b);
	close(late);
	close(fd);
}
END_TEST

/* Changes its file all the time, past the gate that is open. */
static pid_t start_changing(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	while (!pid) {
		/* long enough at rest that a map can be read in between */
		if (punch(fd) || fallocate(fd, 0, 65536, 65536))
			_exit(errno);
		st_sleep_ms(20);
	}
	return pid;
}

/* Many extents: reading its map takes longer than the other file is at rest. */
static int make_scattered(const char *name)
{
	int fd = st_create(name);

	ck_assert_int_eq(fallocate(fd, 0, 0, 16 * MIB), 0);
	for (off_t off = 0; off < 16 * MIB; off += 2 * st_block(fd))
		ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
					   FALLOC_FL_KEEP_SIZE, off,
					   st_block(fd)), 0);
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

/*
 * A map that changes although every gate is thought to be shut: SEAL fails, or
 * the seal is broken soon after, but never does it look well.
 */
START_TEST(sealing_it_is_not_silent)
{
	int fds[2], dev = st_session(), status;
	struct seal_files out;
	bool broken;
	pid_t pid;

	/* on the others not all that the child does is left to one gate */
	if (strcmp(st_env("SEAL_TARGET"), "ext4")) {
		close(dev);
		return;
	}
	fds[0] = make("changing");
	fds[1] = make_scattered("scattered");
	skip_gate("ext4_fallocate");
	pid = start_changing(fds[0]);
	for (int round = 0; round < 30; round++) {
		int ret = st_do_seal(dev, fds, 2, 0, 0, 0, &out);

		if (ret) {
			ck_assert_msg(ret == -ESTALE || ret == -EBUSY, "%s: %s",
				      strerror(-ret), out.reason);
			ck_assert_uint_ne(out.reason[0], 0);
			ck_assert(!st_sealed(fds[0]) && !st_sealed(fds[1]));
			continue;
		}
		broken = false;
		for (int i = 0; i < 1000 && !broken; i++) {
			broken = st_status(fds[0]).flags & SEAL_STATUS_BROKEN;
			st_sleep_ms(5);
		}
		ck_assert_msg(broken, "sealed in round %d as if nothing changed it",
			      round);
		ck_assert(!(st_status(fds[1]).flags & SEAL_STATUS_BROKEN));
		st_unseal(dev, fds[0]);
		st_unseal(dev, fds[1]);
	}
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	st_wait_child(pid, 5);
	skip_gate("\n");
	close(dev);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static char *kernel_log(void)
{
	static char text[1 << 18];
	int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text) - 1);

	ck_assert_msg(n >= 0, "klogctl: %s", strerror(errno));
	text[n] = 0;
	return text;
}

/* The log names file, function and callers, and cannot be flooded. */
START_TEST(the_log_tells_and_is_limited)
{
	int fd = make("log"), dev = st_session();
	char what[64], *log;
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	snprintf(what, sizeof(what), "seal: BROKEN: the map of inode %llu on",
		 (unsigned long long)st.st_ino);
	st_seal(dev, fd);
	st_sleep_ms(6000);	/* the limit is a few in five seconds */
	klogctl(5 /* SYSLOG_ACTION_CLEAR */, NULL, 0);
	skip_gate("notify_change");
	for (unsigned int i = 0; i < 50; i++)
		if (ftruncate(fd, i % 2 ? MIB / 2 : 65536) ||
		    (i % 2 && pwrite(fd, "x", 1, 4096) < 0))
			break;
	skip_gate("\n");
	log = kernel_log();
	ck_assert_msg(count(log, what) >= 1, "log:\n%s", log);
	ck_assert_msg(count(log, what) <= 4, "%u messages",
		      count(log, what));
	ck_assert_msg(strstr(log, "called from do_truncate") ||
		      strstr(log, "called from notify_change") ||
		      strstr(log, st_is_xfs() ? "called from xfs_" :
			     "called from ext4_"), "log:\n%s", log);
	close(dev);
	close(fd);
}
END_TEST

/*
 * Quota in a file that ends inside a block: with its gate switched off the
 * kernel makes the file longer, and no extent changes.
 */
START_TEST(the_size_is_compared)
{
	static const uint32_t head[8] = {
		0xd9c01f11, 1, 604800, 604800, 0, 2, 0, 0
	};
	int fd, other, dev = st_session(), ret;
	struct seal_status status;
	char path[256];

	if (strcmp(st_env("SEAL_TARGET"), "ext4"))
		return;
	if (mount(NULL, st_env("SEAL_DIR"), NULL, MS_REMOUNT, "usrquota"))
		ST_SKIP("no quota: %s", strerror(errno));
	fd = st_create_written("aquota.user", 5120);
	st_fill(fd, 0, 5120, 0);
	ck_assert_int_eq(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq(fsync(fd), 0);
	other = st_create_written("owned", 4096);
	st_path(path, sizeof(path), "aquota.user");
	st_seal(dev, fd);
	skip_gate("dquot_quota_on");
	ret = quotactl(QCMD(Q_QUOTAON, USRQUOTA), st_env("SEAL_DEV"), 4, path);
	skip_gate("\n");
	ck_assert_msg(!ret, "quotaon: %s", strerror(errno));
	ck_assert_int_eq(fchown(other, 1, 0), 0);
	sync();
	quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), st_env("SEAL_DEV"), 0, NULL);
	ck_assert_int_gt(lseek(fd, 0, SEEK_END), 5120);
	status = st_status(fd);
	ck_assert_uint_eq(status.broken, 1);
	ck_assert(status.flags & SEAL_STATUS_BROKEN);
	ck_assert_str_eq((char *)status.first_broken, "size");
	/* once */
	ck_assert_uint_eq(st_status(fd).broken, 1);
	close(other);
	close(dev);
	close(fd);
}
END_TEST

static TCase *trip_broken(void)
{
	TCase *tc = tcase_create("broken");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, reported_in_the_call, 0, NR_VIOLATIONS);
	tcase_add_loop_test(tc, refused_is_not_broken, 0, NR_VIOLATIONS);
	tcase_add_test(tc, every_holder_sees_it);
	tcase_add_test(tc, sealing_it_is_not_silent);
	tcase_add_test(tc, the_size_is_compared);
	tcase_add_test(tc, the_log_tells_and_is_limited);
	return tc;
}

ST_CASE(broken, trip_broken, ST_HERE);
