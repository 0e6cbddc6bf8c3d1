// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks smaller than a page: a store to a written block makes the whole page
 * dirty, and its neighbours in the page may be unwritten, or holes. None of
 * them may change its state.
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
#include <unistd.h>

#define BLOCK	1024
#define PAGES	4

/* In each page: written, unwritten, hole, written. */
static int create_mixed(const char *name)
{
	int fd = st_create(name);

	for (int page = 0; page < PAGES; page++) {
		off_t at = page * 4 * BLOCK;

		st_fill(fd, at, BLOCK, 'w');
		ck_assert_int_eq(fsync(fd), 0);
		ck_assert_int_eq(fallocate(fd, 0, at + BLOCK, BLOCK), 0);
		st_fill(fd, at + 3 * BLOCK, BLOCK, 'w');
		ck_assert_int_eq(fsync(fd), 0);
	}
	/* What writeback of whole pages may have made of it is not the point. */
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	return fd;
}

static bool is_mixed(int fd)
{
	struct seal_status st = st_status(fd);

	return st.unwritten && st.written && st.hole;
}

static void unchanged(int fd, const struct st_map *before,
		      const struct seal_status *status)
{
	struct st_map after;

	ck_assert_int_eq(fsync(fd), 0);
	sync();
	after = st_map(fd);
	ck_assert(st_map_same(before, &after));
	ck_assert_uint_eq(st_status(fd).digest, status->digest);
	ck_assert_uint_eq(st_status(fd).unwritten, status->unwritten);
	st_map_free(&after);
}

START_TEST(write_beside_unwritten)
{
	int fd = create_mixed("mixed"), dev = st_session();
	int direct = st_open("mixed", O_RDWR | O_DIRECT);
	static char buf[4096] __attribute__((aligned(4096)));
	bool written[PAGES];
	struct seal_status status;
	struct st_map before;
	int cached = 0;
	ssize_t n;

	if (!is_mixed(fd))
		ST_SKIP("%s: no such file can be made", st_env("SEAL_TARGET"));
	st_seal(dev, fd);
	before = st_map(fd);
	status = st_status(fd);
	memset(buf, 'N', sizeof(buf));

	for (int page = 0; page < PAGES; page++) {
		off_t at = page * 4 * BLOCK;
		int w = page % 2 ? direct : fd;

		/*
		 * Within a written block. Direct, it must work; through the
		 * cache it is refused where writeback knows only pages.
		 */
		n = pwrite(w, buf, BLOCK, at);
		if (w == direct || n != -1)
			ck_assert_int_eq(n, BLOCK);
		else
			ck_assert_int_eq(errno, ETXTBSY);
		written[page] = n == BLOCK;
		/* The neighbours, and anything that touches them. */
		ck_assert_int_eq(pwrite(w, buf, BLOCK, at + BLOCK), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		ck_assert_int_eq(pwrite(w, buf, BLOCK, at + 2 * BLOCK), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		ck_assert_int_eq(pwrite(w, buf, 4 * BLOCK, at), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		unchanged(fd, &before, &status);
	}
	/* What was written is there, what was refused is not. */
	for (int page = 0; page < PAGES; page++) {
		ck_assert_int_eq(pread(fd, buf, 4096, page * 4096), 4096);
		ck_assert_int_eq(buf[0], written[page] ? 'N' : 'w');
		ck_assert_int_eq(buf[BLOCK], 0);
		ck_assert_int_eq(buf[2 * BLOCK], 0);
		ck_assert_int_eq(buf[3 * BLOCK], 'w');
		cached += page % 2 == 0 && written[page];
	}
	printf("write_beside_unwritten: %d of %d cached writes went through\n",
	       cached, PAGES / 2);
	close(direct);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(store_beside_unwritten)
{
	int fd = create_mixed("mixed"), dev = st_session(), ret;
	struct seal_status status;
	struct st_map before;
	int stored = 0;

	if (!is_mixed(fd))
		ST_SKIP("%s: no such file can be made", st_env("SEAL_TARGET"));
	st_seal(dev, fd);
	before = st_map(fd);
	status = st_status(fd);
	for (int page = 0; page < PAGES; page++) {
		ret = trap_store(fd, page * 4 * BLOCK, 'S');
		stored += !ret;
		unchanged(fd, &before, &status);
	}
	printf("store_beside_unwritten: %d of %d stores went through\n", stored,
	       PAGES);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(page_was_mapped_before)
{
	int fd = create_mixed("mapped"), dev = st_session();
	struct seal_status status;
	struct st_map before;
	char *map;
	pid_t pid;

	if (!is_mixed(fd))
		ST_SKIP("%s: no such file can be made", st_env("SEAL_TARGET"));
	/*
	 * Read-mapped before the seal: the first store must fault again. (A
	 * page mapped for writing before has lost its hole and unwritten
	 * block at that time.)
	 */
	map = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	for (int page = 0; page < PAGES; page++)
		ck_assert_int_eq(map[page * 4096], 'w');
	st_seal(dev, fd);
	before = st_map(fd);
	status = st_status(fd);
	pid = fork();
	if (!pid) {
		/* May die of SIGBUS, which is fine. */
		for (int page = 0; page < PAGES; page++)
			map[page * 4096 + BLOCK] = 'X';
		_exit(0);
	}
	ck_assert_int_ne(st_wait_child(pid, 20), -1);
	unchanged(fd, &before, &status);
	ck_assert_int_eq(map[BLOCK], 0);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(writable_page_before)
{
	int fd = create_mixed("writable"), dev = st_session();
	struct seal_status status;
	struct st_map before;
	char *map;
	pid_t pid;

	/*
	 * Dirty and writable when the seal comes: it must write the page back,
	 * make it fault again, and whatever map that leads to is the frozen
	 * one.
	 */
	map = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	for (int page = 0; page < PAGES; page++)
		map[page * 4096] = 'D';
	st_seal(dev, fd);
	before = st_map(fd);
	status = st_status(fd);
	ck_assert_uint_eq(status.delalloc, 0);
	pid = fork();
	if (!pid) {
		for (int page = 0; page < PAGES; page++)
			map[page * 4096] = 'E';
		_exit(0);
	}
	ck_assert_int_ne(st_wait_child(pid, 20), -1);
	unchanged(fd, &before, &status);
	close(fd);
	close(dev);
}
END_TEST

static struct {
	int fd;
	char *map;
	atomic_bool stop;
} storing;

#define STORED	8	/* pages, in place */

static void *store_always(void *arg)
{
	(void)arg;
	while (!atomic_load(&storing.stop))
		for (int page = 0; page < STORED; page++)
			((volatile char *)storing.map)[page * 4096]++;
	return NULL;
}

/*
 * A direct write ends in the cache if it cannot drop pages that are stored to
 * all the time, and its last page is in place only in its first block.
 */
START_TEST(direct_write_through_the_cache)
{
	size_t length = STORED * 4096 + BLOCK;
	int fd = st_create("direct"), dev = st_session();
	int direct = st_open("direct", O_RDWR | O_DIRECT);
	struct seal_status before, after;
	double start = st_now();
	pthread_t thread;
	int writes = 0;
	char *buf;

	ck_assert_int_eq(posix_memalign((void **)&buf, 4096, length), 0);
	memset(buf, 'w', length);
	ck_assert_int_eq(fallocate(fd, 0, 0, 2 * STORED * 4096), 0);
	ck_assert_int_eq(pwrite(direct, buf, length, 0), length);
	ck_assert_int_eq(fsync(fd), 0);
	st_seal(dev, fd);
	before = st_status(fd);
	storing.fd = fd;
	storing.map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   0);
	ck_assert_ptr_ne(storing.map, MAP_FAILED);
	pthread_create(&thread, NULL, store_always, NULL);
	do {
		ssize_t n = pwrite(direct, buf, length, 0);

		if (n < 0)
			ck_assert_int_eq(errno, ETXTBSY);
		else
			ck_assert(n == (ssize_t)length || !(n % 4096));
		/* the kernel tells of a cache that is stale as of an error */
		if (++writes % 16 == 0)
			ck_assert(!fsync(fd) || errno == EIO);
	} while (st_now() - start < 10);
	atomic_store(&storing.stop, true);
	pthread_join(thread, NULL);
	ck_assert(!fsync(fd) || errno == EIO);
	after = st_status(fd);
	ck_assert_uint_eq(after.broken, 0);
	ck_assert_uint_eq(after.unwritten, before.unwritten);
	st_unseal(dev, fd);
	ck_assert_uint_eq(st_status(fd).digest, before.digest);
	free(buf);
	close(direct);
	close(fd);
	close(dev);
}
END_TEST

static TCase *trap_folio(void)
{
	TCase *tc = tcase_create("folio");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, write_beside_unwritten);
	tcase_add_test(tc, store_beside_unwritten);
	tcase_add_test(tc, page_was_mapped_before);
	tcase_add_test(tc, writable_page_before);
	tcase_add_test(tc, direct_write_through_the_cache);
	return tc;
}

ST_CASE(folio, trap_folio, ST_NOWHERE);
