// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was there before the gates shut, and would change the map afterwards
 * without asking any of them: pages that somebody has hold of, pages whose
 * buffers are mapped to unwritten blocks, large folios, files that the kernel
 * itself writes.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* ext4 writes zeroes instead of splitting off less than 32 KiB */
#define SPAN	(128 * 1024)

/* Its pages are in the cache. Blocks: one written, the others unwritten. */
static int create_cached(const char *name)
{
	static char buf[SPAN];
	int fd = st_create(name);

	ck_assert_int_eq(fallocate(fd, 0, 0, SPAN), 0);
	st_fill(fd, 0, st_block(fd), 'w');
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	ck_assert_int_eq(pread(fd, buf, SPAN, 0), SPAN);
	return fd;
}

/* Put all pages of a file into a pipe: 0 and 1 of @fds. */
static void into_pipe(int fd, int *fds)
{
	loff_t offset = 0;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20), SPAN);
	while (offset < SPAN)
		ck_assert_int_gt(splice(fd, &offset, fds[1], NULL,
					SPAN - offset, 0), 0);
}

static void out_of_pipe(int *fds)
{
	close(fds[0]);
	close(fds[1]);
}

/* Refused with a reason, nothing left behind. */
static void refused_as_busy(int dev, int fd)
{
	struct seal_files out;
	int ret;

	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	ck_assert_msg(ret == -EBUSY, "SEAL: %d", ret);
	ck_assert_uint_ne(out.reason[0], 0);
	ck_assert(!st_sealed(fd));
}

START_TEST(pages_that_somebody_holds)
{
	int fd = create_cached("held"), dev = st_session(), fds[2];

	into_pipe(fd, fds);
	refused_as_busy(dev, fd);
	out_of_pipe(fds);
	st_seal(dev, fd);
	close(fd);
	close(dev);
}
END_TEST

/* An earlier seal has left the page cache as it is under a seal. */
START_TEST(pages_that_somebody_holds_again)
{
	int fd = create_cached("again"), dev = st_session(), fds[2];
	ssize_t n;

	st_seal(dev, fd);
	/* where write-back knows only pages it is refused */
	n = pwrite(fd, "x", 1, 0);
	ck_assert_msg(n == 1 || errno == ETXTBSY, "%s", strerror(errno));
	st_unseal(dev, fd);
	into_pipe(fd, fds);
	refused_as_busy(dev, fd);
	out_of_pipe(fds);
	st_seal(dev, fd);
	close(fd);
	close(dev);
}
END_TEST

/* Of a file that is in place as a whole nobody is asked for his pages. */
START_TEST(pages_in_place_may_be_held)
{
	int fd = st_create_trimmed("whole", SPAN), dev = st_session(), fds[2];

	into_pipe(fd, fds);
	st_seal(dev, fd);
	out_of_pipe(fds);
	close(fd);
	close(dev);
}
END_TEST

/*
 * A short write: it asks for blocks for all of the range, but only the first
 * block of the buffer can be read. On ext4 clean pages with mapped buffers stay
 * behind.
 */
static int create_stale(const char *name)
{
	size_t block = 1024, span = 4 * block;
	int fd = st_create(name);
	char *map;

	if (st_block(fd) > block)
		span = 4 * st_block(fd), block = st_block(fd);
	map = mmap(NULL, 2 * span, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, span), 0);
	ck_assert_int_eq(munmap(map + span, span), 0);
	memset(map + span - block, 'w', block);
	ck_assert_int_lt(pwrite(fd, map + span - block, span, 0), (int)span);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(ftruncate(fd, span), 0);
	ck_assert_int_eq(fsync(fd), 0);
	munmap(map, span);
	return fd;
}

START_TEST(pages_with_mapped_buffers)
{
	int fd = create_stale("stale"), dev = st_session();
	struct seal_status before, after;

	st_seal(dev, fd);
	before = st_status(fd);
	for (off_t at = 0; at < (off_t)before.file_size; at += 512)
		trap_store(fd, at, 'S');
	ck_assert_int_eq(fsync(fd), 0);
	after = st_status(fd);
	ck_assert_uint_eq(after.broken, 0);
	ck_assert_uint_eq(after.unwritten, before.unwritten);
	st_unseal(dev, fd);
	ck_assert_uint_eq(st_status(fd).digest, before.digest);
	close(fd);
	close(dev);
}
END_TEST

/*
 * A short write at the end of the file: ext4 reserves blocks for all of it, and
 * keeps those for which there was no data, in no dirty page. Then the end moves
 * behind them.
 */
static int create_delayed(const char *name)
{
	size_t block = 1024, span = 4096;
	int fd = st_create(name);
	char *map;

	map = mmap(NULL, 2 * span, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(munmap(map + span, span), 0);
	memset(map + span - block, 'w', block);
	ck_assert_int_lt(pwrite(fd, map + span - block, span, 0), (int)span);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(ftruncate(fd, span), 0);
	ck_assert_int_eq(fsync(fd), 0);
	munmap(map, span);
	return fd;
}

/* What the reason of the refusal advises. */
static void write_all(int fd)
{
	st_fill(fd, 0, 4096, 'w');
}

static void preallocate(int fd)
{
	ck_assert_int_eq(fallocate(fd, 0, 0, 4096), 0);
}

static void punch_out(int fd)
{
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, 1024, 3072), 0);
}

START_TEST(a_delayed_block_without_data)
{
	static void (*const remedies[])(int fd) = {
		write_all, preallocate, punch_out,
	};
	int dev = st_session(), fd, ret, seen = 0;
	struct seal_files out;

	for (unsigned int i = 0; i < 3; i++) {
		fd = create_delayed("delayed");
		ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
		if (ret) {
			seen++;
			ck_assert_int_eq(ret, -EBUSY);
			ck_assert_uint_eq(out.bad_index, 0);
			ck_assert_ptr_ne(strstr((char *)out.reason,
						"delayed block at offset 1024"),
					 NULL);
			ck_assert(!st_sealed(fd));
			remedies[i](fd);
			st_seal(dev, fd);
		}
		st_unseal(dev, fd);
		close(fd);
		st_remove("delayed");
	}
	printf("a_delayed_block_without_data: refused %d times of 3\n", seen);
	close(dev);
}
END_TEST

#define HUGE	(2UL << 20)
#define LARGE	(4 * HUGE)
#define STEP	(512 * 1024)

static struct {
	int fd;
	char *map;
	bool collapse;
	atomic_bool stop;
	atomic_bool rest;	/* keep in the cache what is there */
} reading;

static void *read_large(void *arg)
{
	unsigned int seed = (uintptr_t)arg * 7919 + 1;

	while (!atomic_load(&reading.stop)) {
		size_t at;

		seed = seed * 1103515245 + 12345;
		at = ((seed >> 8) % (LARGE / HUGE)) * HUGE;
		(void)*(volatile char *)(reading.map + at +
					 ((seed >> 4) & 511) * 4096);
		if (reading.collapse)
			madvise(reading.map + at, HUGE, MADV_COLLAPSE);
		if (atomic_load(&reading.rest))
			break;
		madvise(reading.map + at, HUGE, MADV_DONTNEED);
		posix_fadvise(reading.fd, at, HUGE, POSIX_FADV_DONTNEED);
	}
	return NULL;
}

/*
 * Readers, who want large folios, and SEAL of a file in which these would span
 * blocks of both kinds. SEAL may be refused as busy; it must not hang.
 */
START_TEST(large_folios_come_late)
{
	static char buf[4096] __attribute__((aligned(4096)));
	int dev = st_session(), direct, ret, sealed = 0, rounds = 0;
	struct seal_status before, after;
	double start = st_now();
	pthread_t threads[3];
	char *area;

	reading.collapse = _i;
	reading.fd = st_create("large");
	ck_assert_int_eq(fallocate(reading.fd, 0, 0, LARGE), 0);
	direct = st_open("large", O_RDWR | O_DIRECT);
	memset(buf, 'w', sizeof(buf));
	for (size_t at = 0; at < LARGE; at += STEP)
		ck_assert_int_eq(pwrite(direct, buf, sizeof(buf), at),
				 sizeof(buf));
	ck_assert_int_eq(fsync(reading.fd), 0);
	area = mmap(NULL, LARGE + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ck_assert_ptr_ne(area, MAP_FAILED);
	reading.map = mmap((void *)(((uintptr_t)area + HUGE - 1) & ~(HUGE - 1)),
			   LARGE, PROT_READ, MAP_SHARED | MAP_FIXED, reading.fd,
			   0);
	ck_assert_ptr_ne(reading.map, MAP_FAILED);
	madvise(reading.map, LARGE, MADV_HUGEPAGE);

	while (st_goes_on(rounds++, 60, start, 7)) {
		atomic_store(&reading.stop, false);
		atomic_store(&reading.rest, false);
		for (unsigned int i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, read_large,
				       (void *)(uintptr_t)(rounds * 3 + i));
		st_sleep_ms(20);
		ret = st_do_seal_one(dev, reading.fd);
		atomic_store(&reading.rest, true);
		before = st_status(reading.fd);
		atomic_store(&reading.stop, true);
		for (unsigned int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		if (ret) {
			ck_assert_int_eq(ret, -EBUSY);
			continue;
		}
		sealed++;
		for (size_t at = 0; at < LARGE; at += STEP)
			ck_assert_int_eq(pwrite(reading.fd, buf, sizeof(buf), at),
					 sizeof(buf));
		ck_assert_int_eq(fsync(reading.fd), 0);
		after = st_status(reading.fd);
		ck_assert_uint_eq(after.broken, 0);
		ck_assert_uint_eq(after.digest, before.digest);
		st_unseal(dev, reading.fd);
		ck_assert_uint_eq(st_status(reading.fd).unwritten,
				  before.unwritten);
	}
	printf("large_folios_come_late%s: %d of %d seals\n",
	       _i ? ", collapsing" : "", sealed, rounds - 1);
	ck_assert_int_gt(sealed, 0);
}
END_TEST

/* A user quota of the second format, with nothing in it. */
static int create_quota(const char *name)
{
	static const uint32_t head[8] = {
		0xd9c01f11, 1, 604800, 604800, 0, 2, 0, 0
	};
	int fd = st_create_written(name, 5120);

	st_fill(fd, 0, 5120, 0);
	ck_assert_int_eq(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

static int quota_on(const char *name)
{
	char path[256];

	st_path(path, sizeof(path), name);
	return quotactl(QCMD(Q_QUOTAON, USRQUOTA), st_env("SEAL_DEV"), 4,
			path) ? -errno : 0;
}

START_TEST(the_kernel_becomes_a_writer)
{
	int fd = create_quota("aquota.user"), dev = st_session(), ret;
	struct seal_files out;

	if (mount(NULL, st_env("SEAL_DIR"), NULL, MS_REMOUNT, "usrquota"))
		ST_SKIP("no quota: %s", strerror(errno));
	st_seal(dev, fd);
	ck_assert_int_eq(quota_on("aquota.user"), -ETXTBSY);
	ck_assert_uint_gt(st_status(fd).refused, 0);
	st_unseal(dev, fd);
	ck_assert_int_eq(quota_on("aquota.user"), 0);
	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), st_env("SEAL_DEV"), 0, NULL);
	ck_assert_msg(ret == -EOPNOTSUPP, "SEAL of a quota file: %d", ret);
	close(fd);
	close(dev);
}
END_TEST

static TCase *trap_before(void)
{
	const char *type = getenv("SEAL_TYPE");
	TCase *tc = tcase_create("before");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, pages_that_somebody_holds);
	tcase_add_test(tc, pages_that_somebody_holds_again);
	tcase_add_test(tc, pages_in_place_may_be_held);
	tcase_add_test(tc, pages_with_mapped_buffers);
	tcase_add_test(tc, a_delayed_block_without_data);
	if (type && !strcmp(type, "ext4"))
		tcase_add_test(tc, the_kernel_becomes_a_writer);
	return tc;
}

static TCase *trap_large(void)
{
	TCase *tc = tcase_create("large");

	tcase_set_timeout(tc, st_limit(120));
	tcase_add_loop_test(tc, large_folios_come_late, 0, 2);
	return tc;
}

/* SEAL_OWN_INODE and SEAL_OWN_GENERATION: an inode of XFS itself. */
START_TEST(a_file_of_the_filesystem_itself)
{
	uint64_t ino = strtoull(st_env("SEAL_OWN_INODE"), NULL, 0);
	uint32_t generation = strtoul(st_env("SEAL_OWN_GENERATION"), NULL, 0);
	struct {
		struct file_handle handle;
		unsigned char id[16];
	} h = { .handle = { .handle_bytes = 12, .handle_type = 0x81 } };
	struct seal_files out;
	int mount, fd, ret;

	memcpy(h.handle.f_handle, &ino, 8);
	memcpy(h.handle.f_handle + 8, &generation, 4);
	mount = open(st_env("SEAL_DIR"), O_RDONLY | O_DIRECTORY);
	fd = open_by_handle_at(mount, &h.handle, O_RDWR);
	if (fd < 0)
		ST_SKIP("the kernel does not give it out: %s", strerror(errno));
	ret = st_do_seal(st_session(), &fd, 1, 0, 0, 0, &out);
	ck_assert_msg(ret == -EOPNOTSUPP, "SEAL: %d", ret);
	ck_assert_uint_ne(out.reason[0], 0);
}
END_TEST

static TCase *trap_own(void)
{
	TCase *tc = tcase_create("own");

	tcase_add_test(tc, a_file_of_the_filesystem_itself);
	return tc;
}

ST_CASE(before, trap_before, ST_NOWHERE);
ST_CASE(large, trap_large, ST_NOWHERE);
ST_CASE(own, trap_own, ST_NOWHERE);
