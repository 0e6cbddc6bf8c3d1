// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file that was cloned once. After the clone is gone FIEMAP calls every
 * block unshared, yet XFS still redirects the next overwrite to blocks it
 * had reserved for copying.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SIZE	(128 * 1024)

static bool any_shared(int fd)
{
	struct st_map map = st_map(fd);
	bool shared = false;

	for (unsigned int i = 0; i < map.nr; i++)
		shared |= map.e[i].fe_flags & FIEMAP_EXTENT_SHARED;
	st_map_free(&map);
	return shared;
}

/* A file in that state, or -1 where there is no reflink. */
static int create_trap(const char *name)
{
	int fd = st_create_written(name, SIZE), clone = st_create("clone");
	double end = st_now() + 20;

	if (ioctl(clone, FICLONE, fd)) {
		ck_assert_int_eq(errno, EOPNOTSUPP);
		close(fd);
		close(clone);
		return -1;
	}
	/* The first write to a shared block reserves room for its neighbours. */
	st_fill(fd, 0, 4096, 'c');
	ck_assert_int_eq(fsync(fd), 0);
	close(clone);
	st_remove("clone");
	sync();
	/* Removed files are taken apart in the background. */
	while (any_shared(fd) && st_now() < end)
		st_sleep_ms(50);
	ck_assert(!any_shared(fd));
	return fd;
}

static void require_unshared_fails(int dev, int fd)
{
	struct seal_files out;
	int ret = st_do_seal(dev, &fd, 1, 0, SEAL_REQ_UNSHARED, 0, &out);

	ck_assert_int_eq(ret, -EBADFD);
	ck_assert_uint_eq(out.bad_index, 0);
	ck_assert_uint_eq(out.bad_require, SEAL_REQ_UNSHARED);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_COW);
	ck_assert_uint_eq(out.bad_offset, 0);
	ck_assert_uint_ge(out.bad_length, 4096);
	ck_assert_uint_ne(out.reason[0], 0);
	ck_assert(!st_sealed(fd));
}

START_TEST(without_a_seal_a_block_moves)
{
	int fd = create_trap("control");
	uint64_t before;

	if (fd < 0)
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	before = st_address(fd, 8192);
	st_fill(fd, 8192, 4096, 'm');
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_uint_ne(st_address(fd, 8192), before);
	close(fd);
}
END_TEST

START_TEST(sealed_as_it_is)
{
	int fd = create_trap("asis"), dev = st_session();
	struct st_map before, after;
	struct seal_status status;

	if (fd < 0)
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	before = st_map(fd);
	st_seal(dev, fd);
	status = st_status(fd);
	ck_assert_uint_eq(status.in_place, 0);
	ck_assert(!(status.met & SEAL_REQ_UNSHARED));
	trap_overwrite("asis", fd, SIZE, true);
	after = st_map(fd);
	ck_assert(st_map_same(&before, &after));
	ck_assert_uint_eq(st_status(fd).digest, status.digest);
	close(dev);
	/* Unsealed it is an ordinary file again. */
	st_fill(fd, 0, SIZE, 'n');
	ck_assert_int_eq(fsync(fd), 0);
	close(fd);
}
END_TEST

START_TEST(required_unshared)
{
	int fd = create_trap("require"), dev = st_session();

	if (fd < 0)
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	require_unshared_fails(dev, fd);
	close(fd);
	close(dev);
}
END_TEST

/* Sealed with all requirements: every write works and nothing moves. */
static void cured(const char *name, int fd)
{
	struct st_map before = st_map(fd), after;
	struct seal_status status = st_status(fd);

	ck_assert(status.flags & SEAL_STATUS_SEALED);
	ck_assert_uint_eq(status.in_place, SIZE);
	trap_overwrite(name, fd, SIZE, false);
	after = st_map(fd);
	ck_assert(st_map_same(&before, &after));
	ck_assert_uint_eq(st_status(fd).digest, status.digest);
}

START_TEST(unshare_cures)
{
	int fd = create_trap("unshare"), dev = st_session(), ret;
	struct seal_files out;

	if (fd < 0)
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	require_unshared_fails(dev, fd);
	/* Dirty pages used to keep the inode's flag alive: have some. */
	st_fill(fd, 40960, 4096, 'd');
	ret = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 0);
	ck_assert_msg(!ret, "UNSHARE: %s", strerror(-ret));
	ret = st_do_seal(dev, &fd, 1, 0, SEAL_REQ_ALLOCATED |
			 SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED, 0, &out);
	ck_assert_msg(!ret, "SEAL: %s (%.*s)", strerror(-ret), SEAL_REASON_LEN,
		      (char *)out.reason);
	cured("unshare", fd);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(unshare_cures_a_living_clone)
{
	int fd = st_create_written("living", SIZE), clone = st_create("clone");
	int dev = st_session(), ret;
	uint64_t content;
	struct seal_files out;

	if (ioctl(clone, FICLONE, fd)) {
		close(clone);
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	}
	content = st_content(clone);
	ret = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 0);
	ck_assert_msg(!ret, "UNSHARE: %s", strerror(-ret));
	ck_assert(!any_shared(fd));
	ret = st_do_seal(dev, &fd, 1, 0, SEAL_REQ_UNSHARED, 0, &out);
	ck_assert_msg(!ret, "SEAL: %s (%.*s)", strerror(-ret), SEAL_REASON_LEN,
		      (char *)out.reason);
	cured("living", fd);
	ck_assert_uint_eq(st_content(clone), content);
	close(fd);
	close(clone);
	close(dev);
}
END_TEST

START_TEST(unshare_allocates_no_hole)
{
	int fd = st_create("holey"), clone = st_create("clone");
	int dev = st_session(), ret;

	st_fill(fd, 0, 16384, 'a');
	st_fill(fd, 65536, 16384, 'b');
	ck_assert_int_eq(fsync(fd), 0);
	if (ioctl(clone, FICLONE, fd)) {
		close(clone);
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	}
	ret = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 0);
	ck_assert_msg(!ret, "UNSHARE: %s", strerror(-ret));
	ck_assert(!any_shared(fd));
	ck_assert_uint_eq(st_status(fd).hole, 49152);
	ck_assert_uint_eq(st_status(fd).unwritten, 0);
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0, SEAL_REQ_UNSHARED, 0, NULL),
			 0);
	close(fd);
	close(clone);
	close(dev);
}
END_TEST

START_TEST(sealctl_prepare_cures)
{
	const char *tree = st_env("SEAL_TREE");
	int fd = create_trap("prepare");
	char path[256], command[1024];

	if (fd < 0)
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	snprintf(path, sizeof(path), "%s/tools/sealctl", tree);
	if (access(path, X_OK))
		ST_SKIP("%s is not built", path);
	st_path(path, sizeof(path), "prepare");
	snprintf(command, sizeof(command),
		 "LD_LIBRARY_PATH=%s/lib %s/tools/sealctl seal --prepare %s",
		 tree, tree, path);
	ck_assert_int_eq(system(command), 0);
	ck_assert(st_status(fd).flags & SEAL_STATUS_STICKY);
	cured("prepare", fd);
	snprintf(command, sizeof(command),
		 "LD_LIBRARY_PATH=%s/lib %s/tools/sealctl unseal %s",
		 tree, tree, path);
	ck_assert_int_eq(system(command), 0);
	ck_assert(!st_sealed(fd));
	close(fd);
}
END_TEST

static TCase *trap_cow(void)
{
	TCase *tc = tcase_create("cow");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_a_seal_a_block_moves);
	tcase_add_test(tc, sealed_as_it_is);
	tcase_add_test(tc, required_unshared);
	tcase_add_test(tc, unshare_cures);
	tcase_add_test(tc, unshare_cures_a_living_clone);
	tcase_add_test(tc, unshare_allocates_no_hole);
	tcase_add_test(tc, sealctl_prepare_cures);
	return tc;
}

ST_CASE(cow, trap_cow, ST_NOWHERE);
