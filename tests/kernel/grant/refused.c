// SPDX-License-Identifier: GPL-2.0-only
/* Bad input: each its error, and nothing has changed. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(32 * UNIT)

static int fd;
static struct seal_session *session;
static struct seal_status before;

static void setup(void)
{
	struct seal_grant_extent extents[MAX];

	fd = gr_create_unwritten("bad", SIZE);
	session = gr_session();
	gr_seal(session, fd);
	gr_grant(session, fd, 0, 0, SIZE / 2, extents);
	before = st_status(fd);
}

static void teardown(void)
{
	struct seal_status now = st_status(fd);

	ck_assert_uint_eq(now.digest, before.digest);
	ck_assert_uint_eq(now.generation, before.generation);
	ck_assert_uint_eq(now.granted, before.granted);
	ck_assert_uint_eq(now.file_size, before.file_size);
	gr_consistent(fd);
	ck_assert(gr_reads(fd, 0, SIZE, 0));
	seal_close(session);
	close(fd);
	st_remove("bad");
}

START_TEST(ranges)
{
	static const struct {
		uint64_t offset, length;
		int grant, commit;
	} bad[] = {
		{ 1, UNIT, -EINVAL, -EINVAL },
		{ 0, UNIT - 1, -EINVAL, -EINVAL },
		{ 512, UNIT, -EINVAL, -EINVAL },
		{ 0, UNIT + 512, -EINVAL, -EINVAL },
		{ 0, 0, -EINVAL, -EINVAL },
		{ UINT64_MAX & ~(UNIT - 1ULL), UNIT, -EINVAL, -EINVAL },
		{ 0, UINT64_MAX & ~(UNIT - 1ULL), -EINVAL, -EINVAL },
		{ UNIT, INT64_MAX & ~(UNIT - 1ULL), -EINVAL, -EINVAL },
		/* a hole beyond the end; not granted */
		{ SIZE, UNIT, -EBADFD, -ENXIO },
		{ SIZE / 2 - UNIT, SIZE, -EBADFD, -ENXIO },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(gr_do_grant(session, fd, 0, bad[i].offset,
					  bad[i].length, NULL) == bad[i].grant,
			      "grant %u", i);
		ck_assert_msg(gr_do_commit(session, fd, bad[i].offset,
					   bad[i].length) == bad[i].commit,
			      "commit %u", i);
	}
	ck_assert_int_eq(gr_do_commit(session, fd, SIZE / 2, UNIT), -ENXIO);
	ck_assert_int_eq(seal_release(session, fd, 0, 1, 0), -EINVAL);
	ck_assert_int_eq(seal_release(session, fd, 0, 0, 1), -EINVAL);
	ck_assert_int_eq(seal_release(session, fd, 2, 0, 0), -EINVAL);
}
END_TEST

START_TEST(lists)
{
	struct seal_commit_range two[2] = { { UNIT, UNIT }, { 0, UNIT } };
	struct seal_commit result;

	/* out of order, overlapping, one of two not granted */
	ck_assert_int_eq(seal_commit(session, fd, two, 2, 0, &result), -EINVAL);
	ck_assert_uint_eq(result.bad_index, 1);
	two[1].offset = UNIT;
	ck_assert_int_eq(seal_commit(session, fd, two, 2, 0, &result), -EINVAL);
	two[0].length = 2 * UNIT;
	two[1].offset = 2 * UNIT;
	ck_assert_int_eq(seal_commit(session, fd, two, 2, 0, &result), -EINVAL);
	two[1].offset = SIZE / 2;
	ck_assert_int_eq(seal_commit(session, fd, two, 2, 0, &result), -ENXIO);
	ck_assert_uint_eq(result.bad_index, 1);
	ck_assert(result.reason[0]);
	ck_assert_int_eq(seal_commit(session, fd, two, 0, 0, &result), -EINVAL);
	ck_assert_int_eq(seal_commit(session, fd, two, SEAL_COMMIT_MAX_RANGES + 1,
				     0, &result), -EINVAL);
	ck_assert_int_eq(seal_commit(session, fd, NULL, 1, 0, &result), -EFAULT);
	/* no right to move the end */
	ck_assert_int_eq(seal_commit(session, fd, two, 1, SIZE + UNIT, &result),
			 -ENXIO);
	ck_assert_int_eq(seal_commit(session, fd, two, 1, SIZE - UNIT, &result),
			 -EINVAL);
	ck_assert_int_eq(seal_commit(session, fd, two, 1, SIZE + 1, &result),
			 -EINVAL);
}
END_TEST

START_TEST(arguments)
{
	int dev = seal_session_fd(session), ro = st_open("bad", O_RDONLY);
	struct seal_grant_extent extents[8];
	struct seal_grant grant = {
		.size = sizeof(grant), .fd = fd, .nr_extents = 8,
		.extents = (uintptr_t)extents, .length = UNIT,
	}, bad;
	struct seal_commit commit = { .size = sizeof(commit), .fd = fd }, worse;
	struct seal_release release = { .size = sizeof(release), .fd = fd };
	struct seal_commit_range range = { 0, UNIT };

#define GRANT(member, value, error) do {				\
		bad = grant;						\
		bad.member = (value);					\
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_GRANT, &bad), \
				 error);				\
	} while (0)
	GRANT(size, 8, -EINVAL);
	GRANT(size, 1 << 20, -E2BIG);
	GRANT(flags, 1 << 30, -EINVAL);
	GRANT(flags, SEAL_GRANT_WRITTEN | SEAL_GRANT_ALLOCATE, -EINVAL);
	GRANT(flags, SEAL_GRANT_WRITTEN | SEAL_GRANT_EXTEND, -EINVAL);
	GRANT(reserved, 1, -EINVAL);
	GRANT(nr_extents, 0, -EINVAL);
	GRANT(nr_extents, SEAL_GRANT_MIN_EXTENTS - 1, -EINVAL);
	GRANT(nr_extents, SEAL_GRANT_MAX_EXTENTS + 1, -EINVAL);
	GRANT(extents, 0, -EFAULT);
	GRANT(fd, -1, -EBADF);
	GRANT(fd, ro, -EBADF);
	/* unwritten ones with WRITTEN */
	GRANT(flags, SEAL_GRANT_WRITTEN, -EBADFD);
	ck_assert_uint_eq(bad.bad_state, SEAL_RANGE_UNWRITTEN);
#undef GRANT
#define COMMIT(member, value, error) do {				\
		worse = commit;						\
		worse.nr_ranges = 1;					\
		worse.ranges = (uintptr_t)&range;			\
		worse.member = (value);					\
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_COMMIT, &worse), \
				 error);				\
	} while (0)
	COMMIT(size, 8, -EINVAL);
	COMMIT(flags, 1, -EINVAL);
	COMMIT(reserved, 1, -EINVAL);
	COMMIT(fd, -1, -EBADF);
	COMMIT(fd, ro, -EBADF);
	COMMIT(new_size, 1ULL << 63, -EINVAL);
#undef COMMIT
	release.reserved = 1;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_RELEASE, &release), -EINVAL);
	close(ro);
}
END_TEST

/* The second holder: of the file, of the blocks, of neither. */
START_TEST(others)
{
	struct seal_session *other = gr_session();
	struct seal_grant_extent extents[MAX];
	struct seal_grant result;

	ck_assert_int_eq(gr_do_grant(other, fd, 0, SIZE / 2, UNIT, &result),
			 -EACCES);
	ck_assert(result.reason[0]);
	ck_assert_int_eq(gr_do_commit(other, fd, 0, UNIT), -EACCES);
	ck_assert_int_eq(seal_release(other, fd, 0, 0, 0), -EACCES);

	gr_seal(other, fd);
	ck_assert_int_eq(gr_do_grant(other, fd, 0, SIZE / 2 - UNIT, 2 * UNIT,
				     &result), -EBUSY);
	ck_assert_int_eq(gr_do_commit(other, fd, 0, UNIT), -ENXIO);
	ck_assert_int_eq(seal_release(other, fd, 0, 0, 0), 0);
	/* what nobody has is had by either, but not by both */
	gr_grant(other, fd, 0, SIZE / 2, UNIT, extents);
	ck_assert_int_eq(gr_do_grant(session, fd, 0, SIZE / 2, UNIT, &result),
			 -EBUSY);
	ck_assert_int_eq(gr_do_commit(session, fd, SIZE / 2, UNIT), -ENXIO);
	/* who took part in the seal was promised this map, holes included */
	ck_assert_int_eq(gr_do_grant(session, fd, SEAL_GRANT_ALLOCATE, SIZE,
				     UNIT, &result), -EBUSY);
	ck_assert_int_eq(gr_do_grant(session, fd, SEAL_GRANT_EXTEND, 0, UNIT,
				     &result), -EBUSY);
	seal_close(other);
}
END_TEST

static int as_nobody(void)
{
	struct seal_grant result;

	if (setresuid(ST_NOBODY, ST_NOBODY, ST_NOBODY))
		return 1;
	if (gr_do_grant(session, fd, 0, 0, UNIT, &result) != -EPERM)
		return 2;
	if (gr_do_commit(session, fd, 0, UNIT) != -EPERM)
		return 3;
	return 0;
}

/* An owner without CAP_SYS_RAWIO could read what others have deleted. */
START_TEST(rights)
{
	pid_t pid;
	int status;

	ck_assert_int_eq(fchown(fd, ST_NOBODY, ST_NOBODY), 0);
	pid = fork();
	if (!pid)
		_exit(as_nobody());
	status = st_wait_child(pid, 20);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "status %x",
		      status);
}
END_TEST

START_TEST(not_sealed)
{
	struct seal_session *own = gr_session();
	int plain = gr_create_unwritten("plain", UNIT);

	ck_assert_int_eq(gr_do_grant(own, plain, 0, 0, UNIT, NULL), -EACCES);
	ck_assert_int_eq(gr_do_commit(own, plain, 0, UNIT), -EACCES);
	ck_assert_int_eq(seal_release(own, plain, 0, 0, 0), -EACCES);
	ck_assert_int_eq(seal_release(own, plain, SEAL_RELEASE_STICKY, 0, 0),
			 -EACCES);
	seal_close(own);
	close(plain);
	st_remove("plain");
}
END_TEST

/* Blocks that are shared belong to somebody else as well. */
START_TEST(shared)
{
	struct seal_session *own = gr_session();
	int a = st_create_written("a", 4 * UNIT), b = st_create("b");
	struct seal_grant result;

	if (ioctl(b, FICLONE, a)) {
		ck_assert_int_eq(errno, EOPNOTSUPP);
	} else {
		gr_seal(own, a);
		ck_assert_int_eq(gr_do_grant(own, a, 0, 0, UNIT, &result),
				 -EBADFD);
		ck_assert(result.bad_state == SEAL_RANGE_SHARED ||
			  result.bad_state == SEAL_RANGE_COW);
	}
	seal_close(own);
	close(a);
	close(b);
	st_remove("a");
	st_remove("b");
}
END_TEST

static TCase *grant_refused(void)
{
	TCase *tc = tcase_create("refused");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ranges);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, arguments);
	tcase_add_test(tc, others);
	tcase_add_test(tc, rights);
	tcase_add_test(tc, not_sealed);
	tcase_add_test(tc, shared);
	return tc;
}

ST_CASE(refused, grant_refused, ST_NOWHERE);
