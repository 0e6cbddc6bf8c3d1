// SPDX-License-Identifier: GPL-2.0-only
/*
 * When SEAL returns, the frozen map is on disk. The filesystem is shut down
 * without writing its log, which is what a power cut leaves; the rest is
 * recovery at the next mount.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The same number and meaning on XFS (GOINGDOWN) and ext4 (SHUTDOWN). */
#define IOC_SHUTDOWN	_IOR('X', 125, uint32_t)
#define SHUTDOWN_NOLOG	2U

/* Written, rewritten, unwritten, hole: all as dirty as can be. */
static int create_dirty(const char *name)
{
	int fd = st_create(name), ret;

	/* The name itself is on disk, so that only the file is in question. */
	ck_assert_int_eq(syncfs(fd), 0);
	st_fill(fd, 0, 262144, '1');
	ret = fallocate(fd, 0, 262144, 131072);
	if (ret)
		ck_assert_int_eq(errno, EOPNOTSUPP);
	st_fill(fd, 524288, 100000, '2');
	st_fill(fd, 300000, 5000, '3');
	ck_assert_int_eq(ftruncate(fd, 1000000), 0);
	return fd;
}

static void power_cut(int fd)
{
	uint32_t how = SHUTDOWN_NOLOG;

	ck_assert_msg(!ioctl(fd, IOC_SHUTDOWN, &how), "shutdown: %s",
		      strerror(errno));
}

static void unmount_patiently(void)
{
	int ret = 0;

	for (int i = 0; i < 50; i++) {
		ret = st_do_unmount();
		if (ret != -EBUSY)
			break;
		st_sleep_ms(100);
	}
	ck_assert_msg(!ret, "unmount: %s", strerror(-ret));
}

START_TEST(sealed_map_survives)
{
	int fd = create_dirty("dirty"), dev = st_session(), control;
	struct seal_status before, after;
	struct st_map map, again;
	uint64_t content, lost;

	/* Whole and dirty as well, but nobody sealed it. */
	control = create_dirty("control");
	content = st_content(fd);
	st_seal(dev, fd);
	/* No flushing here: what is compared is what SEAL left behind. */
	before = st_status(fd);
	ck_assert_uint_eq(before.delalloc, 0);
	power_cut(fd);

	/* Claims can be dropped on a filesystem that is down. */
	if (_i)
		ck_assert_int_eq(st_do_unseal(dev, fd, 0), 0);
	close(dev);
	close(fd);
	close(control);
	unmount_patiently();
	st_mount();

	fd = st_open("dirty", O_RDWR);
	control = st_open("control", O_RDWR);
	map = st_map(fd);
	after = st_status(fd);
	ck_assert_uint_eq(after.file_size, before.file_size);
	ck_assert_uint_eq(after.digest, before.digest);
	ck_assert_uint_eq(after.extents, before.extents);
	ck_assert_uint_eq(after.written, before.written);
	ck_assert_uint_eq(after.unwritten, before.unwritten);
	ck_assert_uint_eq(st_content(fd), content);
	lost = st_content(control) != content;
	printf("sealed_map_survives: the unsealed twin %s\n",
	       lost ? "lost data" : "survived too");

	/* And it stays as it is when everything has been written back. */
	sync();
	again = st_map(fd);
	ck_assert(st_map_same(&map, &again));
	close(fd);
	close(control);
	st_remove("dirty");
	st_remove("control");
}
END_TEST

START_TEST(in_place_writes_survive)
{
	int fd = create_dirty("dirty"), dev = st_session();
	struct seal_status before, after;
	uint64_t content;

	st_seal(dev, fd);
	before = st_status(fd);
	st_fill(fd, 4096, 131072, '4');
	ck_assert_int_eq(fsync(fd), 0);
	content = st_content(fd);
	power_cut(fd);
	close(dev);
	close(fd);
	unmount_patiently();
	st_mount();
	fd = st_open("dirty", O_RDWR);
	after = st_status(fd);
	ck_assert_uint_eq(after.digest, before.digest);
	ck_assert_uint_eq(after.file_size, before.file_size);
	ck_assert_uint_eq(st_content(fd), content);
	close(fd);
	st_remove("dirty");
}
END_TEST

START_TEST(seal_on_a_dead_filesystem)
{
	int fd = create_dirty("dead"), dev = st_session(), ret;
	struct seal_files out;

	/* Nothing can be made durable any more, so nothing can be sealed. */
	power_cut(fd);
	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	close(dev);
	close(fd);
	unmount_patiently();
	st_mount();
	ck_assert_msg(ret == -EIO, "%d (%.*s)", ret, SEAL_REASON_LEN,
		      (char *)out.reason);
}
END_TEST

static TCase *trap_crash(void)
{
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, sealed_map_survives, 0, 2);
	tcase_add_test(tc, in_place_writes_survive);
	tcase_add_test(tc, seal_on_a_dead_filesystem);
	return tc;
}

ST_CASE(crash, trap_crash, ST_NOWHERE);
