// SPDX-License-Identifier: GPL-2.0-only
/* Requirements: what is reported when one is not met, and that nothing moved. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KIB(n)	((n) * 1024ULL)

static int dev;

static void setup(void)
{
	dev = st_session();
}

static void teardown(void)
{
	close(dev);
}

/* [0, 64K) and [128K, 192K) are written, between them is nothing. */
static int create_with_hole(const char *name)
{
	int fd = st_create(name);

	st_fill(fd, 0, KIB(64), 'a');
	st_fill(fd, KIB(128), KIB(64), 'b');
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

/*
 * A good file and a bad one: the requirement fails, the report is exact,
 * neither is sealed, and neither map has changed.
 */
static void unmet(int bad, uint32_t require, uint64_t max_extents,
		  struct seal_files *out)
{
	int good = st_create_written("good", KIB(64));
	int fds[3] = { good, bad, good };
	struct st_map before = st_map(bad), after;
	int ret;

	ret = st_do_seal(dev, fds, 3, 0, require, max_extents, out);
	ck_assert_msg(ret == -EBADFD, "SEAL: %d (%.*s)", ret, SEAL_REASON_LEN,
		      (char *)out->reason);
	ck_assert_uint_eq(out->bad_index, 1);
	ck_assert_uint_ne(out->reason[0], 0);
	ck_assert(!st_sealed(good));
	ck_assert(!st_sealed(bad));
	after = st_map(bad);
	ck_assert(st_map_same(&before, &after));
	st_map_free(&before);
	st_map_free(&after);
	close(good);
}

START_TEST(allocated)
{
	int fd = create_with_hole("bad");
	struct seal_files out;

	unmet(fd, SEAL_REQ_ALLOCATED, 0, &out);
	ck_assert_uint_eq(out.bad_require, SEAL_REQ_ALLOCATED);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_HOLE);
	ck_assert_uint_eq(out.bad_offset, KIB(64));
	ck_assert_uint_eq(out.bad_length, KIB(64));
	/* What is required is what counts. */
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0,
				    SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED, 0,
				    &out), 0);
	ck_assert(st_sealed(fd));
	close(fd);
}
END_TEST

START_TEST(allocated_hole_at_end)
{
	int fd = st_create_written("bad", KIB(64));
	struct seal_files out;

	ck_assert_int_eq(ftruncate(fd, KIB(256)), 0);
	unmet(fd, SEAL_REQ_ALLOCATED, 0, &out);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_HOLE);
	ck_assert_uint_eq(out.bad_offset, KIB(64));
	ck_assert_uint_eq(out.bad_length, KIB(192));
	close(fd);
}
END_TEST

START_TEST(allocated_all_hole)
{
	int fd = st_create("bad");
	struct seal_files out;

	ck_assert_int_eq(ftruncate(fd, KIB(1024)), 0);
	unmet(fd, SEAL_REQ_ALLOCATED, 0, &out);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_HOLE);
	ck_assert_uint_eq(out.bad_offset, 0);
	ck_assert_uint_eq(out.bad_length, KIB(1024));
	close(fd);
}
END_TEST

START_TEST(written)
{
	int fd = create_with_hole("bad");
	struct seal_files out;

	if (fallocate(fd, 0, KIB(64), KIB(32))) {
		ck_assert_int_eq(errno, EOPNOTSUPP);
		close(fd);
		ST_SKIP("%s has no fallocate", st_env("SEAL_TARGET"));
	}
	unmet(fd, SEAL_REQ_WRITTEN, 0, &out);
	ck_assert_uint_eq(out.bad_require, SEAL_REQ_WRITTEN);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_UNWRITTEN);
	ck_assert_uint_eq(out.bad_offset, KIB(64));
	ck_assert_uint_eq(out.bad_length, KIB(32));
	/* Several requirements fail: the first bad range is what is told. */
	unmet(fd, SEAL_REQ_WRITTEN | SEAL_REQ_ALLOCATED, 0, &out);
	ck_assert_uint_eq(out.bad_offset, KIB(64));
	ck_assert_uint_eq(out.bad_require, SEAL_REQ_WRITTEN);
	close(fd);
}
END_TEST

START_TEST(unshared)
{
	int fd = st_create_written("source", KIB(128));
	int clone = st_create("clone");
	struct file_clone_range range = {
		.src_fd = fd,
		.src_offset = KIB(64),
		.src_length = KIB(64),
		.dest_offset = KIB(64),
	};
	struct seal_files out;

	if (ioctl(clone, FICLONERANGE, &range)) {
		ck_assert_int_eq(errno, EOPNOTSUPP);
		close(clone);
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	}
	unmet(fd, SEAL_REQ_UNSHARED, 0, &out);
	ck_assert_uint_eq(out.bad_require, SEAL_REQ_UNSHARED);
	/*
	 * The inode as a whole is copy-on-write; it is right to report the
	 * first range that would move, or the first that is shared.
	 */
	if (out.bad_state == SEAL_RANGE_SHARED) {
		ck_assert_uint_eq(out.bad_offset, KIB(64));
		ck_assert_uint_eq(out.bad_length, KIB(64));
	} else {
		ck_assert_uint_eq(out.bad_state, SEAL_RANGE_COW);
		ck_assert_uint_eq(out.bad_offset, 0);
	}
	close(fd);
	close(clone);
	st_remove("clone");
	st_remove("source");
}
END_TEST

START_TEST(extents)
{
	int fd = create_with_hole("bad");
	struct seal_files out;
	uint64_t n = st_status(fd).extents;

	ck_assert_uint_ge(n, 2);
	unmet(fd, SEAL_REQ_EXTENTS, n - 1, &out);
	ck_assert_uint_eq(out.bad_require, SEAL_REQ_EXTENTS);
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0, SEAL_REQ_EXTENTS, n, &out),
			 0);
	close(fd);
}
END_TEST

START_TEST(empty_file)
{
	int fd = st_create("empty");
	struct seal_files out;

	/* Nothing is there, so nothing is missing. */
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0, SEAL_REQ_ALL, 0, &out), 0);
	ck_assert(st_sealed(fd));
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	close(fd);
}
END_TEST

START_TEST(status_counts)
{
	int fd = create_with_hole("counts");
	struct seal_status st = st_status(fd);

	ck_assert_uint_eq(st.file_size, KIB(192));
	ck_assert_uint_eq(st.written, KIB(128));
	ck_assert_uint_eq(st.hole, KIB(64));
	ck_assert_uint_eq(st.unwritten + st.shared + st.delalloc, 0);
	ck_assert_uint_eq(st.in_place, KIB(128));
	ck_assert_uint_eq(st.met, SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED);
	ck_assert_uint_eq(st.holders, 0);
	ck_assert_uint_eq(st.flags, 0);
	st_seal(dev, fd);
	ck_assert_uint_eq(st_status(fd).digest, st.digest);
	ck_assert_uint_eq(st_status(fd).in_place, KIB(128));
	ck_assert_uint_eq(st_status(fd).refused, 0);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_uint_ge(st_status(fd).refused, 1);
	ck_assert_uint_eq(st_status(fd).missed, 0);
	close(fd);
}
END_TEST

START_TEST(digest_follows_the_map)
{
	int fd = create_with_hole("digest");
	uint64_t first = st_status(fd).digest;

	ck_assert_uint_eq(st_status(fd).digest, first);
	/* Contents are not in it, the map is. */
	st_fill(fd, 0, KIB(64), 'z');
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_uint_eq(st_status(fd).digest, first);
	st_fill(fd, KIB(64), KIB(64), 'h');
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_uint_ne(st_status(fd).digest, first);
	close(fd);
}
END_TEST

START_TEST(report_of_success)
{
	int fd = st_create_written("good", KIB(64));
	struct seal_files out;

	ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0,
				    SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
				    SEAL_REQ_UNSHARED, 0, &out), 0);
	ck_assert_uint_eq(out.bad_require, 0);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_NONE);
	ck_assert_uint_eq(out.reason[0], 0);
	close(fd);
}
END_TEST

static TCase *abi_require(void)
{
	TCase *tc = tcase_create("require");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, allocated);
	tcase_add_test(tc, allocated_hole_at_end);
	tcase_add_test(tc, allocated_all_hole);
	tcase_add_test(tc, written);
	tcase_add_test(tc, unshared);
	tcase_add_test(tc, extents);
	tcase_add_test(tc, empty_file);
	tcase_add_test(tc, status_counts);
	tcase_add_test(tc, digest_follows_the_map);
	tcase_add_test(tc, report_of_success);
	return tc;
}

ST_CASE(require, abi_require, ST_HERE);
