// SPDX-License-Identifier: GPL-2.0-only
/*
 * XFS since 6.16: a write with RWF_ATOMIC that the device cannot do at once
 * goes out of place, and leaves room reserved for copying in an inode that
 * was never cloned. FIEMAP and FIBMAP look clean; the next buffered write
 * moves a block.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_ATOMIC
#define RWF_ATOMIC	0x00000040
#endif

#define SIZE	(256 * 1024)
#define WHERE	65536
#define LENGTH	16384

/* Write LENGTH bytes atomically: 0 or the errno. */
static int atomic_write(const char *name)
{
	int fd = st_open(name, O_RDWR | O_DIRECT), ret = 0;
	struct iovec iov = { .iov_len = LENGTH };

	ck_assert_int_eq(posix_memalign(&iov.iov_base, LENGTH, LENGTH), 0);
	memset(iov.iov_base, 'A', LENGTH);
	if (pwritev2(fd, &iov, 1, WHERE, RWF_ATOMIC) != LENGTH)
		ret = errno;
	free(iov.iov_base);
	close(fd);
	return ret;
}

/* A file in that state; *error tells why not. */
static int create_trap(const char *name, int *error)
{
	int fd = st_create_written(name, SIZE);
	uint64_t before = st_address(fd, WHERE);

	*error = atomic_write(name);
	if (!*error)
		/* Out of place, or it would be another test. */
		ck_assert_uint_ne(st_address(fd, WHERE), before);
	return fd;
}

START_TEST(without_a_seal_a_block_moves)
{
	int error, fd = create_trap("control", &error);
	uint64_t before[2];

	if (error)
		ST_SKIP("%s, no atomic writes of this size: %s",
			st_env("SEAL_TARGET"), strerror(error));
	/* Beside what was written atomically lies what was reserved. */
	before[0] = st_address(fd, WHERE + LENGTH);
	before[1] = st_address(fd, WHERE - 4096);
	st_fill(fd, WHERE - 4096, LENGTH + 8192, 'm');
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert(st_address(fd, WHERE + LENGTH) != before[0] ||
		  st_address(fd, WHERE - 4096) != before[1]);
	close(fd);
}
END_TEST

START_TEST(sealed_after_an_atomic_write)
{
	int error, fd = create_trap("sealed", &error), dev, ret;
	struct st_map before, after;
	struct seal_files out;

	if (error)
		ST_SKIP("%s, no atomic writes of this size: %s",
			st_env("SEAL_TARGET"), strerror(error));
	dev = st_session();
	before = st_map(fd);
	ret = st_do_seal(dev, &fd, 1, 0, SEAL_REQ_UNSHARED, 0, &out);
	if (ret) {
		ck_assert_msg(ret == -EOPNOTSUPP || ret == -EBADFD, "%d", ret);
		ck_assert_uint_ne(out.reason[0], 0);
		ck_assert(!st_sealed(fd));
		printf("sealed_after_an_atomic_write: refused: %.*s\n",
		       SEAL_REASON_LEN, (char *)out.reason);
	} else {
		trap_overwrite("sealed", fd, SIZE, false);
		after = st_map(fd);
		ck_assert(st_map_same(&before, &after));
		printf("sealed_after_an_atomic_write: sealed, nothing moved\n");
	}
	close(dev);
	close(fd);
}
END_TEST

START_TEST(atomic_write_to_a_sealed_file)
{
	int fd = st_create_written("atomic", SIZE), dev, error;
	struct st_map before, after;

	/* Known to work here? */
	close(st_create_written("probe", SIZE));
	error = atomic_write("probe");
	if (error)
		ST_SKIP("%s, no atomic writes of this size: %s",
			st_env("SEAL_TARGET"), strerror(error));
	dev = st_session();
	before = st_map(fd);
	st_seal(dev, fd);
	error = atomic_write("atomic");
	ck_assert_int_eq(error, ETXTBSY);
	ck_assert_int_eq(fsync(fd), 0);
	after = st_map(fd);
	ck_assert(st_map_same(&before, &after));
	close(dev);
	close(fd);
}
END_TEST

/*
 * It fails half-way, because its buffer cannot be read: blocks were allocated
 * for it already, and look written.
 */
START_TEST(sealed_after_a_failed_atomic_write)
{
	int fd = st_create_written("failed", SIZE), direct, dev, error;
	struct iovec iov = { .iov_len = LENGTH };
	struct st_map before, after;

	close(st_create_written("probe", SIZE));
	error = atomic_write("probe");
	if (error)
		ST_SKIP("%s, no atomic writes of this size: %s",
			st_env("SEAL_TARGET"), strerror(error));
	iov.iov_base = mmap(NULL, LENGTH, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(iov.iov_base, MAP_FAILED);
	direct = st_open("failed", O_RDWR | O_DIRECT);
	ck_assert_int_eq(pwritev2(direct, &iov, 1, WHERE, RWF_ATOMIC), -1);
	ck_assert_int_eq(errno, EFAULT);
	dev = st_session();
	before = st_map(fd);
	/* dirty pages, and clean ones, over what was left */
	st_fill(fd, WHERE, 4096, 'd');
	st_seal(dev, fd);
	st_map_free(&before);
	before = st_map(fd);
	trap_overwrite("failed", fd, SIZE, false);
	after = st_map(fd);
	ck_assert(st_map_same(&before, &after));
	ck_assert_uint_eq(st_status(fd).broken, 0);
	close(direct);
	close(dev);
	close(fd);
}
END_TEST

static TCase *trap_atomic(void)
{
	TCase *tc = tcase_create("atomic");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_a_seal_a_block_moves);
	tcase_add_test(tc, sealed_after_an_atomic_write);
	tcase_add_test(tc, sealed_after_a_failed_atomic_write);
	tcase_add_test(tc, atomic_write_to_a_sealed_file);
	return tc;
}

ST_CASE(atomic, trap_atomic, ST_NOWHERE);
