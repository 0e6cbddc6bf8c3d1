// SPDX-License-Identifier: GPL-2.0-only
/*
 * Others read, fault and write in place while blocks are committed. When COMMIT
 * has returned, everybody sees what the client wrote: a page that was read in
 * before must not be left behind.
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

#define UNITS	384
#define PLACE	16		/* units that are written from the beginning */
#define SIZE	((uint64_t)UNITS * UNIT)

static atomic_uint at;		/* what is being committed */
static atomic_bool stop;
static atomic_ulong errors, done;

struct job {
	int fd;
	unsigned char *map;
};

/* Bring pages in by every way that does not take the lock of the inode. */
static void *read_pages(void *arg)
{
	struct job *job = arg;
	unsigned int seed = 1;

	while (!stop) {
		unsigned int i = at + rand_r(&seed) % 4;
		volatile unsigned char byte;

		if (i >= UNITS)
			continue;
		switch (rand_r(&seed) % 3) {
		case 0:
			byte = job->map[(uint64_t)i * UNIT];
			(void)byte;
			break;
		case 1:
			readahead(job->fd, (off_t)i * UNIT, 4 * UNIT);
			break;
		default:
			posix_fadvise(job->fd, (off_t)i * UNIT, 2 * UNIT,
				      POSIX_FADV_WILLNEED);
			break;
		}
		done++;
	}
	return NULL;
}

/* Overwrite in place, cached and mapped, and read back: nothing is refused. */
static void *write_in_place(void *arg)
{
	struct job *job = arg;
	unsigned int seed = 2;
	unsigned char buf[UNIT], back[UNIT];

	while (!stop) {
		unsigned int i = rand_r(&seed) % PLACE;
		unsigned char byte = rand_r(&seed);

		memset(buf, byte, UNIT);
		if (rand_r(&seed) % 2) {
			if (pwrite(job->fd, buf, UNIT, (off_t)i * UNIT) != UNIT)
				errors++;
		} else {
			memset(job->map + (uint64_t)i * UNIT, byte, UNIT);
		}
		if (rand_r(&seed) % 8 == 0)
			fdatasync(job->fd);
		if (pread(job->fd, back, UNIT, (off_t)i * UNIT) != UNIT ||
		    memcmp(buf, back, UNIT))
			errors++;
		done++;
	}
	return NULL;
}

START_TEST(commit_under_readers)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	int fd = gr_create_unwritten("races", SIZE), device = gr_device(), nr;
	pthread_t threads[3];
	struct job job = { .fd = fd };

	st_fill(fd, 0, PLACE * UNIT, 1);
	ck_assert_int_eq(fsync(fd), 0);
	gr_seal(session, fd);
	nr = gr_grant(session, fd, 0, PLACE * UNIT, SIZE - PLACE * UNIT,
		      extents);
	gr_client_write(device, extents, nr, PLACE * UNIT, SIZE - PLACE * UNIT,
			0x5a);
	job.map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_msg(job.map != MAP_FAILED, "mmap: %s", strerror(errno));
	at = PLACE;
	pthread_create(&threads[0], NULL, read_pages, &job);
	pthread_create(&threads[1], NULL, read_pages, &job);
	pthread_create(&threads[2], NULL, write_in_place, &job);

	for (unsigned int i = PLACE; i < UNITS; i++) {
		at = i;
		gr_commit(session, fd, (uint64_t)i * UNIT, UNIT);
		ck_assert_msg(job.map[(uint64_t)i * UNIT] == 0x5a,
			      "unit %u, mapped: 0x%x", i,
			      job.map[(uint64_t)i * UNIT]);
		ck_assert_msg(gr_reads(fd, (uint64_t)i * UNIT, UNIT, 0x5a),
			      "unit %u", i);
		/* from now on it is in place, for a store as well */
		job.map[(uint64_t)i * UNIT + UNIT - 1] = 0x5b;
		ck_assert(gr_reads(fd, (uint64_t)(i + 1) * UNIT - 1, 1, 0x5b));
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(errors, 0);
	printf("commit_under_readers: %lu reads and writes meanwhile\n", done);
	ck_assert_uint_gt(done, 100);
	gr_consistent(fd);
	munmap(job.map, SIZE);
	seal_close(session);
	ck_assert(gr_reads(fd, PLACE * UNIT, UNIT - 1, 0x5a));
	close(fd);
	close(device);
	st_remove("races");
}
END_TEST

static void *hold_and_let_go(void *arg)
{
	int fd = *(int *)arg;

	while (!stop) {
		struct seal_session *session = gr_session();

		if (seal_files(session, &fd, 1, 0, 0, 0, NULL))
			errors++;
		else
			done++;
		seal_close(session);
	}
	return NULL;
}

/* Holders come and go while one of them grants, allocates, commits. */
START_TEST(holders_come_and_go)
{
	struct seal_session *session = gr_session();
	struct seal_grant grant;
	int fd = st_create("holders"), ret, busy = 0, granted = 0;
	uint64_t size = 64 * UNIT;
	pthread_t thread;

	ck_assert_int_eq(ftruncate(fd, size), 0);
	gr_seal(session, fd);
	pthread_create(&thread, NULL, hold_and_let_go, &fd);
	for (unsigned int i = 0; i < 64; i++) {
		ret = gr_do_grant(session, fd, SEAL_GRANT_ALLOCATE,
				  (uint64_t)i * UNIT, UNIT, &grant);
		ck_assert_msg(!ret || ret == -EBUSY, "%s (%s)", strerror(-ret),
			      (char *)grant.reason);
		busy += ret != 0;
		granted += ret == 0;
		if (!ret)
			gr_commit(session, fd, (uint64_t)i * UNIT, UNIT);
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("holders_come_and_go: %d granted, %d busy, %lu seals\n", granted,
	       busy, done);
	ck_assert_uint_eq(errors, 0);
	gr_consistent(fd);
	seal_close(session);
	close(fd);
	st_remove("holders");
}
END_TEST

static TCase *grant_races(void)
{
	TCase *tc = tcase_create("races");

	tcase_set_timeout(tc, 200);
	tcase_add_test(tc, commit_under_readers);
	tcase_add_test(tc, holders_come_and_go);
	return tc;
}

ST_CASE(races, grant_races, ST_NOWHERE);
