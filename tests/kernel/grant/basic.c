// SPDX-License-Identifier: GPL-2.0-only
/* What GRANT, COMMIT and RELEASE do when they are used as they should be. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE	(64 * UNIT)

/* The blocks are where they were; @fd was not sealed when @before was read. */
static void stayed(int fd, const uint64_t *before)
{
	for (unsigned int i = 0; i < SIZE / UNIT; i++)
		ck_assert_uint_eq(st_address(fd, i * UNIT), before[i]);
}

START_TEST(write_and_commit)
{
	int fd = gr_create_unwritten("basic", SIZE), device = gr_device(), nr;
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	struct seal_status before, after;
	struct seal_commit_range ranges[2] = {
		{ 4 * UNIT, 4 * UNIT }, { 16 * UNIT, UNIT },
	};
	struct seal_commit result;
	uint64_t address[SIZE / UNIT];

	for (unsigned int i = 0; i < SIZE / UNIT; i++)
		address[i] = st_address(fd, i * UNIT);
	gr_seal(session, fd);
	/* what is read now is in the page cache */
	ck_assert(gr_reads(fd, 0, SIZE, 0));
	nr = gr_grant(session, fd, 0, 0, SIZE, extents);
	for (int i = 0; i < nr; i++) {
		struct stat st;

		ck_assert_uint_eq(extents[i].state, SEAL_RANGE_UNWRITTEN);
		ck_assert_int_eq(stat(st_env("SEAL_DEV"), &st), 0);
		ck_assert_uint_eq(extents[i].dev_major, st.st_rdev >> 8);
		ck_assert_uint_eq(extents[i].dev_minor, st.st_rdev & 0xff);
	}
	before = st_status(fd);
	ck_assert_uint_eq(before.granted, SIZE);
	gr_client_write(device, extents, nr, 0, SIZE, 0xc1);
	/* nothing of it shows */
	ck_assert(gr_reads(fd, 0, SIZE, 0));
	/* and others are kept out */
	ck_assert_int_eq(pwrite(fd, "x", 1, 4 * UNIT), -1);
	ck_assert_int_eq(errno, ETXTBSY);

	ck_assert_int_eq(seal_commit(session, fd, ranges, 2, 0, &result), 0);
	ck_assert_uint_eq(result.converted, 5 * UNIT);
	after = st_status(fd);
	ck_assert_uint_eq(after.generation, result.generation);
	ck_assert_uint_gt(after.generation, before.generation);
	ck_assert_uint_ne(after.digest, before.digest);
	ck_assert_uint_eq(after.in_place, 5 * UNIT);
	ck_assert_uint_eq(after.file_size, SIZE);
	gr_consistent(fd);
	stayed(fd, address);
	ck_assert(gr_reads(fd, 0, 4 * UNIT, 0));
	ck_assert(gr_reads(fd, 4 * UNIT, 4 * UNIT, 0xc1));
	ck_assert(gr_reads(fd, 8 * UNIT, 8 * UNIT, 0));
	ck_assert(gr_reads(fd, 16 * UNIT, UNIT, 0xc1));
	ck_assert(gr_reads(fd, 17 * UNIT, SIZE - 17 * UNIT, 0));

	/* what is committed can be written in place, what is beside it cannot */
	st_fill(fd, 4 * UNIT, 100, 0x11);
	ck_assert_int_eq(pwrite(fd, "xx", 2, 8 * UNIT - 1), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	ck_assert_int_eq(fsync(fd), 0);
	gr_consistent(fd);
	ck_assert(gr_reads(fd, 4 * UNIT, 100, 0x11));
	ck_assert(gr_reads(fd, 4 * UNIT + 100, UNIT - 100, 0xc1));

	/* again: nothing to convert, but what the client wrote since shows */
	gr_client_write(device, extents, nr, 16 * UNIT, UNIT, 0xc2);
	ck_assert_int_eq(seal_commit(session, fd, ranges, 2, 0, &result), 0);
	ck_assert_uint_eq(result.converted, 0);
	ck_assert_uint_eq(result.generation, after.generation);
	ck_assert(gr_reads(fd, 16 * UNIT, UNIT, 0xc2));

	/* released is not committable, and stays what it is */
	ck_assert_int_eq(seal_release(session, fd, 0, 32 * UNIT, 8 * UNIT), 0);
	ck_assert_uint_eq(st_status(fd).granted, SIZE - 8 * UNIT);
	ck_assert_int_eq(gr_do_commit(session, fd, 32 * UNIT, UNIT), -ENXIO);
	ck_assert_int_eq(gr_do_commit(session, fd, 28 * UNIT, 8 * UNIT), -ENXIO);
	gr_commit(session, fd, 28 * UNIT, 4 * UNIT);
	gr_commit(session, fd, 40 * UNIT, 4 * UNIT);
	ck_assert(gr_reads(fd, 32 * UNIT, 8 * UNIT, 0));
	ck_assert(gr_reads(fd, 40 * UNIT, 4 * UNIT, 0xc1));
	gr_consistent(fd);
	stayed(fd, address);

	seal_close(session);
	ck_assert(st_becomes_unsealed(fd));
	ck_assert(gr_reads(fd, 32 * UNIT, 8 * UNIT, 0));
	close(fd);
	close(device);
	st_remove("basic");
}
END_TEST

START_TEST(allocate_and_extend)
{
	struct seal_session *session = gr_session();
	struct seal_commit_range range = { 4 * UNIT, 4 * UNIT };
	struct seal_grant_extent extents[MAX];
	struct seal_status before, after;
	struct seal_commit result;
	struct seal_grant bad;
	int fd = st_create("holes"), device = gr_device(), nr;

	/* data, a hole, data */
	st_fill(fd, 0, 2 * UNIT, 1);
	st_fill(fd, 3 * UNIT, UNIT, 2);
	ck_assert_int_eq(fsync(fd), 0);
	gr_seal(session, fd);
	before = st_status(fd);
	ck_assert_int_eq(gr_do_grant(session, fd, 0, 0, 4 * UNIT, &bad),
			 -EBADFD);
	ck_assert_uint_eq(bad.bad_state, SEAL_RANGE_HOLE);
	ck_assert_uint_eq(bad.bad_offset, 2 * UNIT);
	ck_assert_uint_eq(bad.bad_length, UNIT);
	ck_assert_uint_eq(st_status(fd).digest, before.digest);
	ck_assert_uint_eq(st_status(fd).granted, 0);

	nr = gr_grant(session, fd, SEAL_GRANT_ALLOCATE | SEAL_GRANT_EXTEND, 0,
		      8 * UNIT, extents);
	after = st_status(fd);
	ck_assert_uint_gt(after.generation, before.generation);
	ck_assert_uint_eq(after.file_size, 4 * UNIT);
	ck_assert_uint_eq(after.hole, 0);
	gr_consistent(fd);
	ck_assert(gr_reads(fd, 0, 2 * UNIT, 1));
	ck_assert(gr_reads(fd, 2 * UNIT, UNIT, 0));
	ck_assert(gr_reads(fd, 3 * UNIT, UNIT, 2));

	/* not the others' */
	ck_assert_int_eq(ftruncate(fd, 8 * UNIT), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	ck_assert_int_eq(fallocate(fd, 0, 0, 16 * UNIT), -1);
	ck_assert_int_eq(errno, ETXTBSY);

	gr_client_write(device, extents, nr, 2 * UNIT, UNIT, 0xd1);
	gr_client_write(device, extents, nr, 4 * UNIT, 4 * UNIT, 0xd2);
	gr_commit(session, fd, 2 * UNIT, UNIT);
	ck_assert(gr_reads(fd, 2 * UNIT, UNIT, 0xd1));
	/* beyond the end nothing can be committed, but the end can be moved */
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 0, &result),
			 -EINVAL);
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 9 * UNIT, &result),
			 -ENXIO);
	range.length = 2 * UNIT;
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 8 * UNIT, &result),
			 -EINVAL);
	gr_consistent(fd);
	range.length = 4 * UNIT;
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 8 * UNIT, &result),
			 0);
	ck_assert_uint_eq(st_status(fd).file_size, 8 * UNIT);
	ck_assert(gr_reads(fd, 4 * UNIT, 4 * UNIT, 0xd2));
	gr_consistent(fd);
	/* it does not shrink */
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 4 * UNIT, &result),
			 -EINVAL);
	seal_close(session);
	close(fd);
	close(device);
	st_remove("holes");
}
END_TEST

/*
 * While all of a file is in place, gates do not look where a write goes. It grows by
 * blocks that are unwritten: from then on they must.
 */
START_TEST(grown_by_unwritten)
{
	struct seal_session *session = gr_session();
	struct seal_commit_range range = { 6 * UNIT, 2 * UNIT };
	struct seal_grant_extent extents[MAX];
	int fd = st_create("grown"), device = gr_device(), nr;
	struct seal_commit result;

	st_fill(fd, 0, 4 * UNIT, 1);
	ck_assert_int_eq(fsync(fd), 0);
	gr_seal(session, fd);
	st_fill(fd, 0, 4 * UNIT, 2);
	nr = gr_grant(session, fd, SEAL_GRANT_ALLOCATE | SEAL_GRANT_EXTEND, 0,
		      8 * UNIT, extents);
	gr_client_write(device, extents, nr, 6 * UNIT, 2 * UNIT, 3);
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 8 * UNIT, &result),
			 0);
	ck_assert_uint_eq(st_status(fd).file_size, 8 * UNIT);
	ck_assert_int_eq(pwrite(fd, "x", 1, 4 * UNIT), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	ck_assert_int_eq(pwrite(fd, "x", 1, 3 * UNIT), 1);
	ck_assert_int_eq(pwrite(fd, "x", 1, 6 * UNIT), 1);
	ck_assert_int_eq(fsync(fd), 0);
	gr_consistent(fd);
	seal_close(session);
	close(fd);
	close(device);
	st_remove("grown");
}
END_TEST

/* More extents than fit into one answer. */
START_TEST(page_by_page)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[8];
	int fd = gr_create_unwritten("pages", SIZE), device = gr_device();
	uint64_t offset = 0;
	struct seal_grant grant;
	int calls = 0, ret;

	for (int i = 0; i < 32; i += 2)
		st_fill(fd, (off_t)i * UNIT, UNIT, 3);
	ck_assert_int_eq(fsync(fd), 0);
	gr_seal(session, fd);
	for (; offset < SIZE; offset += grant.done, calls++) {
		ret = seal_grant(session, fd, 0, offset, SIZE - offset, extents,
				 8, &grant);
		ck_assert_msg(ret > 0, "%d %s", ret, (char *)grant.reason);
		ck_assert_uint_gt(grant.done, 0);
		for (int i = 0; i < ret; i++)
			if (extents[i].state == SEAL_RANGE_UNWRITTEN)
				gr_client_write(device, extents, ret,
						extents[i].logical,
						extents[i].length, 4);
	}
	ck_assert_int_gt(calls, 3);
	ck_assert_uint_eq(st_status(fd).granted, SIZE);
	gr_commit(session, fd, 0, SIZE);
	gr_consistent(fd);
	for (int i = 0; i < 64; i++)
		ck_assert(gr_reads(fd, (uint64_t)i * UNIT, UNIT,
				   i < 32 && i % 2 == 0 ? 3 : 4));
	seal_close(session);
	close(fd);
	close(device);
	st_remove("pages");
}
END_TEST

/*
 * Nobody can share what is granted. Where nothing is in place a seal does not
 * mind sharing; XFS redirects all writes to such a file from then on, so what
 * is committed later is not in place either, and says so.
 */
START_TEST(sharing)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	int fd = gr_create_unwritten("side", 4 * UNIT), device = gr_device();
	int copy = st_create("copy"), nr;
	struct file_clone_range clone = {
		.src_fd = fd, .src_length = 4 * UNIT,
	};

	gr_seal(session, fd);
	nr = gr_grant(session, fd, 0, 0, 4 * UNIT, extents);
	ck_assert_int_eq(ioctl(copy, FICLONERANGE, &clone), -1);
	ck_assert(errno == ETXTBSY || errno == EOPNOTSUPP);
	ck_assert_int_eq(seal_release(session, fd, 0, 0, 0), 0);
	ck_assert_uint_eq(st_status(fd).granted, 0);
	if (!ioctl(copy, FICLONERANGE, &clone)) {
		ck_assert_uint_eq(st_status(fd).broken, 0);
		nr = gr_grant(session, fd, 0, 0, 4 * UNIT, extents);
		gr_client_write(device, extents, nr, 0, 4 * UNIT, 0xd3);
		gr_commit(session, fd, 0, 2 * UNIT);
		ck_assert_uint_eq(st_status(fd).broken, 0);
		ck_assert_uint_eq(st_status(fd).written, 2 * UNIT);
		ck_assert_uint_eq(st_status(fd).in_place, 0);
		ck_assert(gr_reads(fd, 0, 2 * UNIT, 0xd3));
		ck_assert(gr_reads(fd, 2 * UNIT, 2 * UNIT, 0));
		ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		ck_assert(gr_reads(copy, 0, 4 * UNIT, 0));
		/* not granted once more, but what is granted can be committed */
		ck_assert_int_eq(gr_do_grant(session, fd, 0, 0, UNIT, NULL),
				 -EBADFD);
		gr_commit(session, fd, 2 * UNIT, 2 * UNIT);
		ck_assert(gr_reads(fd, 0, 4 * UNIT, 0xd3));
	}
	seal_close(session);
	close(fd);
	close(copy);
	close(device);
	st_remove("side");
	st_remove("copy");
}
END_TEST

static TCase *grant_basic(void)
{
	TCase *tc = tcase_create("basic");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, write_and_commit);
	tcase_add_test(tc, allocate_and_extend);
	tcase_add_test(tc, grown_by_unwritten);
	tcase_add_test(tc, page_by_page);
	tcase_add_test(tc, sharing);
	return tc;
}

ST_CASE(basic, grant_basic, ST_NOWHERE);
