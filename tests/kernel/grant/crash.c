// SPDX-License-Identifier: GPL-2.0-only
/*
 * When COMMIT returns, it is on disk. The filesystem is shut down without
 * writing its log, which is what a power cut leaves; the rest is recovery.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define IOC_SHUTDOWN	_IOR('X', 125, uint32_t)
#define SHUTDOWN_NOLOG	2U
#define SIZE		(32 * UNIT)

static void cut(int fd)
{
	uint32_t how = SHUTDOWN_NOLOG;

	ck_assert_msg(!ioctl(fd, IOC_SHUTDOWN, &how), "shutdown: %s",
		      strerror(errno));
}

static void mount_again(void)
{
	int ret = -EBUSY;

	for (int i = 0; ret == -EBUSY && i < 100; i++) {
		ret = st_do_unmount();
		if (ret)
			st_sleep_ms(100);
	}
	ck_assert_msg(!ret, "unmount: %s", strerror(-ret));
	st_mount();
}

START_TEST(committed_survives)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	int fd = st_create("cut"), device = gr_device(), nr;
	struct seal_commit_range range = { SIZE, SIZE };
	struct seal_commit result;

	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	ck_assert_int_eq(syncfs(fd), 0);
	gr_seal(session, fd);
	/* allocated, committed and grown, with nothing else that flushes */
	nr = gr_grant(session, fd, SEAL_GRANT_ALLOCATE | SEAL_GRANT_EXTEND, 0,
		      2 * SIZE, extents);
	gr_client_write(device, extents, nr, 0, 2 * SIZE, 0xc5);
	gr_commit(session, fd, 0, SIZE / 2);
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 2 * SIZE, &result),
			 0);
	cut(fd);
	/* nothing can be committed on a filesystem that is down, or granted */
	ck_assert_int_lt(gr_do_commit(session, fd, SIZE / 2, UNIT), 0);
	ck_assert_int_lt(gr_do_grant(session, fd, SEAL_GRANT_ALLOCATE, 4 * SIZE,
				     UNIT, NULL), 0);
	seal_close(session);
	close(fd);
	close(device);
	mount_again();

	fd = st_open("cut", O_RDWR);
	ck_assert_uint_eq(st_status(fd).file_size, 2 * SIZE);
	ck_assert(gr_reads(fd, 0, SIZE / 2, 0xc5));
	ck_assert(gr_reads(fd, SIZE / 2, SIZE / 2, 0));
	ck_assert(gr_reads(fd, SIZE, SIZE, 0xc5));
	close(fd);
	st_remove("cut");
}
END_TEST

START_TEST(uncommitted_stays_unwritten)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	int fd = gr_create_unwritten("cut", SIZE), device = gr_device(), nr;

	ck_assert_int_eq(syncfs(fd), 0);
	gr_seal(session, fd);
	nr = gr_grant(session, fd, 0, 0, SIZE, extents);
	gr_client_write(device, extents, nr, 0, SIZE, 0xc6);
	cut(fd);
	seal_close(session);
	close(fd);
	close(device);
	mount_again();
	fd = st_open("cut", O_RDWR);
	ck_assert(gr_reads(fd, 0, SIZE, 0));
	close(fd);
	st_remove("cut");
}
END_TEST

static TCase *grant_crash(void)
{
	TCase *tc = tcase_create("crash");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, committed_survives);
	tcase_add_test(tc, uncommitted_stays_unwritten);
	return tc;
}

ST_CASE(crash, grant_crash, ST_NOWHERE);
