// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filesystems that cannot convert blocks: written ones are granted, which were
 * made before sealing, if the caller says that this is what it wants.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SIZE	(32 * UNIT)

START_TEST(written_blocks)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	struct seal_status before, after;
	struct seal_grant result;
	int fd = st_create("written"), device = gr_device(), nr, ret;

	ck_assert_int_eq(seal_prealloc(session, fd, SEAL_PREALLOC_WRITTEN, 0,
				       SIZE), 0);
	gr_seal(session, fd);
	ck_assert(gr_reads(fd, 0, SIZE, 0));
	before = st_status(fd);
	ck_assert_uint_eq(before.in_place, SIZE);
	ret = gr_do_grant(session, fd, 0, 0, SIZE, &result);
	if (st_is_xfs()) {
		ck_assert_int_eq(ret, 0);
	} else {
		ck_assert_int_eq(ret, -EOPNOTSUPP);
		ck_assert(result.reason[0]);
		ck_assert_int_eq(gr_do_grant(session, fd, SEAL_GRANT_ALLOCATE, 0,
					     SIZE, &result), -EOPNOTSUPP);
		ck_assert_int_eq(gr_do_grant(session, fd, SEAL_GRANT_EXTEND, 0,
					     SIZE, &result), -EOPNOTSUPP);
		ck_assert_uint_eq(st_status(fd).granted, 0);
	}
	/* a dirty page of before must not come over what the client writes */
	st_fill(fd, 0, UNIT, 1);
	nr = gr_grant(session, fd, SEAL_GRANT_WRITTEN, 0, SIZE, extents);
	for (int i = 0; i < nr; i++)
		ck_assert_uint_eq(extents[i].state, SEAL_RANGE_WRITTEN);
	/* what is cached then is what COMMIT replaces */
	ck_assert(gr_reads(fd, 0, UNIT, 1));
	ck_assert(gr_reads(fd, UNIT, SIZE - UNIT, 0));
	gr_client_write(device, extents, nr, 0, SIZE, 0xc7);
	gr_commit(session, fd, 0, SIZE);
	ck_assert(gr_reads(fd, 0, SIZE, 0xc7));
	after = st_status(fd);
	ck_assert_uint_eq(after.digest, before.digest);
	ck_assert_uint_eq(after.generation, before.generation);
	gr_consistent(fd);
	seal_close(session);
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	ck_assert(gr_reads(fd, 0, SIZE, 0xc7));
	close(fd);
	close(device);
	st_remove("written");
}
END_TEST

START_TEST(unwritten_refused)
{
	struct seal_session *session = gr_session();
	struct seal_grant result;
	int fd = st_create("unwritten");

	if (fallocate(fd, 0, 0, SIZE)) {
		ck_assert_int_eq(errno, EOPNOTSUPP);
		ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	}
	gr_seal(session, fd);
	ck_assert_int_eq(gr_do_grant(session, fd, SEAL_GRANT_WRITTEN, 0, SIZE,
				     &result), -EBADFD);
	ck_assert(result.bad_state == SEAL_RANGE_UNWRITTEN ||
		  result.bad_state == SEAL_RANGE_HOLE);
	ck_assert_uint_eq(st_status(fd).granted, 0);
	seal_close(session);
	close(fd);
	st_remove("unwritten");
}
END_TEST

static TCase *grant_written(void)
{
	TCase *tc = tcase_create("written");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, written_blocks);
	tcase_add_test(tc, unwritten_refused);
	return tc;
}

ST_CASE(written, grant_written, ST_NOWHERE);
