// SPDX-License-Identifier: GPL-2.0-only
/* A seal and the filesystem under it: unmount, remount, freeze. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(unmount_is_busy)
{
	int fd = st_create_written("busy", 65536), dev = st_session(), ret;
	uint32_t flag = _i ? SEAL_SEAL_STICKY : 0;
	struct seal_files out;

	ck_assert_int_eq(st_do_seal(dev, &fd, 1, flag, 0, 0, &out), 0);
	close(fd);
	ck_assert_int_eq(st_do_unmount(), -EBUSY);
	fd = st_open("busy", O_RDONLY);
	ck_assert(st_sealed(fd));
	ck_assert_int_eq(st_do_unseal(dev, fd, _i ? SEAL_UNSEAL_STICKY : 0), 0);
	close(fd);
	ret = st_do_unmount();
	ck_assert_msg(!ret, "unmount after the unseal: %s", strerror(-ret));
	st_mount();
	close(dev);
}
END_TEST

START_TEST(remount_read_only)
{
	int fd = st_create_written("ro", 65536), dev = st_session();
	const char *dir = st_env("SEAL_DIR");
	int to_ro, to_rw;
	char c = 0;

	/* Sealed through a writable descriptor: it must not count as one. */
	st_seal(dev, fd);
	close(fd);
	to_ro = mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) ? -errno : 0;
	fd = st_open("ro", O_RDONLY);
	ck_assert(st_sealed(fd));
	ck_assert_int_eq(pread(fd, &c, 1, 0), 1);
	ck_assert_int_eq(c, 'a');
	to_rw = mount(NULL, dir, NULL, MS_REMOUNT, NULL) ? -errno : 0;
	ck_assert(st_sealed(fd));
	st_unseal(dev, fd);
	close(fd);
	close(dev);
	ck_assert_msg(!to_ro, "remount ro: %s", strerror(-to_ro));
	ck_assert_msg(!to_rw, "remount rw: %s", strerror(-to_rw));
}
END_TEST

START_TEST(seal_on_read_only_mount)
{
	int fd = st_create_written("ro", 65536), dev = st_session(), ret;
	const char *dir = st_env("SEAL_DIR");
	struct seal_files out;

	close(fd);
	ck_assert_int_eq(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL),
			 0);
	fd = st_open("ro", O_RDONLY);
	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	/* Nothing can change there, so it may be held or refused cleanly. */
	if (!ret) {
		ck_assert(st_sealed(fd));
		st_unseal(dev, fd);
	} else {
		ck_assert_uint_ne(out.reason[0], 0);
	}
	ck_assert_int_eq(mount(NULL, dir, NULL, MS_REMOUNT, NULL), 0);
	close(fd);
	close(dev);
	ck_assert_msg(!ret || ret == -EROFS || ret == -EOPNOTSUPP, "%d", ret);
}
END_TEST

static int freeze(int fd)
{
	return ioctl(fd, FIFREEZE, 0) ? -errno : 0;
}

static int thaw(int fd)
{
	return ioctl(fd, FITHAW, 0) ? -errno : 0;
}

START_TEST(freeze_and_thaw)
{
	int fd = st_create_written("freeze", 65536), dev = st_session();
	int frozen, thawed;

	st_seal(dev, fd);
	frozen = freeze(fd);
	thawed = frozen ? 0 : thaw(fd);
	ck_assert_int_eq(frozen, 0);
	ck_assert_int_eq(thawed, 0);
	ck_assert(st_sealed(fd));
	st_fill(fd, 0, 4096, 'f');
	ck_assert_int_eq(fsync(fd), 0);

	/* Ending a claim needs no writing, so it works while frozen. */
	ck_assert_int_eq(freeze(fd), 0);
	thawed = st_do_unseal(dev, fd, 0);
	ck_assert_int_eq(thaw(fd), 0);
	ck_assert_int_eq(thawed, 0);
	ck_assert(!st_sealed(fd));
	close(fd);
	close(dev);
}
END_TEST

START_TEST(seal_while_frozen)
{
	int fd = st_create("frozen"), dev = st_session();
	struct seal_files out;
	double start;
	pid_t pid;
	int status;

	/* Dirty as well as clean: neither may wait for the thaw. */
	st_fill(fd, 0, 65536, 'd');
	if (_i)
		ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(freeze(fd), 0);
	start = st_now();
	pid = fork();
	if (!pid)
		_exit(-st_do_seal(dev, &fd, 1, 0, 0, 0, &out));
	status = st_wait_child(pid, 10);
	start = st_now() - start;
	ck_assert_int_eq(thaw(fd), 0);
	ck_assert_msg(status != -1, "SEAL waits for the thaw");
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EBUSY);
	ck_assert_msg(start < 5, "took %.1f s", start);
	ck_assert(!st_sealed(fd));
	st_seal(dev, fd);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(lazy_unmount)
{
	int fd = st_create_written("lazy", 65536), dev = st_session();

	/* The tree is gone from view, the seal and its file are not. */
	st_seal(dev, fd);
	ck_assert_int_eq(umount2(st_env("SEAL_DIR"), MNT_DETACH), 0);
	ck_assert(st_sealed(fd));
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	st_fill(fd, 0, 65536, 'l');
	close(fd);
	close(dev);
	/* The last reference may be dropped by a worker. */
	for (int i = 0; i < 50; i++) {
		int blk = open(st_env("SEAL_DEV"), O_RDONLY | O_EXCL);

		if (blk >= 0) {
			close(blk);
			break;
		}
		st_sleep_ms(100);
	}
	st_mount();
	fd = st_open("lazy", O_RDONLY);
	ck_assert(!st_sealed(fd));
	close(fd);
}
END_TEST

static uint64_t free_bytes(void)
{
	struct statvfs st;

	sync();
	ck_assert_int_eq(statvfs(st_env("SEAL_DIR"), &st), 0);
	return (uint64_t)st.f_bfree * st.f_frsize;
}

START_TEST(unlinked_file_keeps_its_blocks)
{
	const uint64_t size = 32 << 20;
	int fd = st_create_written("unlinked", size), dev = st_session();
	uint64_t used = free_bytes();
	double end;

	st_seal(dev, fd);
	st_remove("unlinked");
	if (_i) {
		/* With the descriptor still there UNSEAL ends it ... */
		st_sleep_ms(300);
		ck_assert_uint_lt(free_bytes(), used + size / 2);
		st_unseal(dev, fd);
		close(fd);
	} else {
		/* ... else the end of the session. */
		close(fd);
		st_sleep_ms(300);
		ck_assert_uint_lt(free_bytes(), used + size / 2);
		ck_assert_int_eq(st_do_unmount(), -EBUSY);
		close(dev);
	}
	/* XFS frees the blocks of a removed file in the background. */
	end = st_now() + 15;
	while (free_bytes() < used + size / 2 && st_now() < end)
		st_sleep_ms(100);
	ck_assert_uint_ge(free_bytes(), used + size / 2);
}
END_TEST

/* Unmounts when it can, and mounts again. */
static void unmount_forever(void)
{
	int ret;

	for (;;) {
		ret = st_do_unmount();
		if (!ret)
			st_mount();
		else if (ret != -EBUSY)
			_exit(-ret);
		st_sleep_ms(1);
	}
}

START_TEST(unmount_against_seal)
{
	int dev = st_session(), rounds = 0, fd, status, ret;
	char path[256];
	double begin;
	pid_t pid;

	close(st_create_written("against", 65536));
	st_path(path, sizeof(path), "against");
	begin = st_now();
	pid = fork();
	if (!pid)
		unmount_forever();
	while (st_goes_on(rounds, 100, begin, 5)) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			/* Just not mounted. */
			ck_assert_int_eq(errno, ENOENT);
			continue;
		}
		st_seal(dev, fd);
		ck_assert_int_eq(ftruncate(fd, 0), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		close(fd);
		/* The seal alone keeps it mounted. */
		fd = st_open("against", O_RDWR);
		st_unseal(dev, fd);
		close(fd);
		rounds++;
	}
	ret = waitpid(pid, &status, WNOHANG);
	ck_assert_msg(!ret, "unmounting: %x", status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (access(path, F_OK))
		st_mount();
	printf("unmount_against_seal: %d rounds\n", rounds);
	ck_assert_int_gt(rounds, 0);
	close(dev);
}
END_TEST

static TCase *life_mounts(void)
{
	TCase *tc = tcase_create("mounts");

	tcase_set_timeout(tc, st_limit(60));
	tcase_add_loop_test(tc, unmount_is_busy, 0, 2);
	tcase_add_test(tc, unmount_against_seal);
	tcase_add_test(tc, remount_read_only);
	tcase_add_test(tc, seal_on_read_only_mount);
	tcase_add_test(tc, freeze_and_thaw);
	tcase_add_loop_test(tc, seal_while_frozen, 0, 2);
	tcase_add_loop_test(tc, unlinked_file_keeps_its_blocks, 0, 2);
	tcase_add_test(tc, lazy_unmount);
	return tc;
}

ST_CASE(mounts, life_mounts, ST_NOWHERE);
