// SPDX-License-Identifier: GPL-2.0-only
/*
 * PREALLOC with WRITTEN, and UNSHARE, while others write to the file: not one
 * byte may be lost. Each round runs once without the operation, as a control:
 * a mismatch there is not of our making.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE		(4 << 20)
#define RECORD		512
#define RECORDS		(SIZE / RECORD)
#define THREADS		2
#define ROUNDS		3

static atomic_bool stop;

/* Every record is written by one thread only, so it knows what is there. */
struct writer {
	pthread_t thread;
	int fd;
	unsigned int number;
	unsigned char first;		/* what an untouched record holds */
	uint32_t sequence[RECORDS];
	unsigned long done;
	char message[128];
};

static struct writer writers[THREADS];

static void make_record(uint32_t *buf, uint32_t record, uint32_t sequence)
{
	for (unsigned int i = 0; i < RECORD / 4; i++)
		buf[i] = record * 2654435761U ^ sequence * 40503U ^ i;
}

static bool read_back(struct writer *w, uint32_t record)
{
	uint32_t want[RECORD / 4];
	uint32_t got[RECORD / 4] __attribute__((aligned(RECORD)));

	if (w->sequence[record])
		make_record(want, record, w->sequence[record]);
	else
		memset(want, w->first, RECORD);
	if (pread(w->fd, got, RECORD, (off_t)record * RECORD) != RECORD) {
		snprintf(w->message, sizeof(w->message), "pread: %s",
			 strerror(errno));
		return false;
	}
	if (!memcmp(want, got, RECORD))
		return true;
	snprintf(w->message, sizeof(w->message),
		 "record %u, write %u: got %08x.., expected %08x..", record,
		 w->sequence[record], got[0], want[0]);
	return false;
}

static void *write_records(void *arg)
{
	struct writer *w = arg;
	unsigned int seed = w->number + 1;
	uint32_t buf[RECORD / 4] __attribute__((aligned(RECORD))), record;

	while (!stop && !w->message[0]) {
		record = rand_r(&seed) % (RECORDS / THREADS) * THREADS +
			 w->number;
		if (!read_back(w, record))
			break;
		make_record(buf, record, ++w->sequence[record]);
		if (pwrite(w->fd, buf, RECORD, (off_t)record * RECORD) !=
		    RECORD) {
			snprintf(w->message, sizeof(w->message), "pwrite: %s",
				 strerror(errno));
			break;
		}
		w->done++;
	}
	return NULL;
}

static void writers_start(const char *name, unsigned char first, int flags)
{
	stop = false;
	memset(writers, 0, sizeof(writers));
	for (unsigned int i = 0; i < THREADS; i++) {
		writers[i].fd = st_open(name, O_RDWR | flags);
		writers[i].number = i;
		writers[i].first = first;
		ck_assert_int_eq(pthread_create(&writers[i].thread, NULL,
						write_records, &writers[i]), 0);
	}
}

/* Once as the cache has it, once as the disk has it. */
static void writers_stop(const char *name, const char *what)
{
	unsigned long done = 0;

	stop = true;
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(writers[i].thread, NULL);
		ck_assert_msg(!writers[i].message[0], "%s: %s", what,
			      writers[i].message);
		done += writers[i].done;
		/* what direct writers wrote is read through the cache */
		close(writers[i].fd);
		writers[i].fd = st_open(name, O_RDWR);
	}
	ck_assert_uint_gt(done, 0);
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t r = 0; r < RECORDS; r++) {
			struct writer *w = &writers[r % THREADS];

			ck_assert_msg(read_back(w, r), "%s, %s: %s", what,
				      pass ? "on disk" : "cached", w->message);
		}
		ck_assert_int_eq(fsync(writers[0].fd), 0);
		posix_fadvise(writers[0].fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		close(writers[i].fd);
	printf("%s: %lu writes\n", what, done);
}

/* Holes, unwritten and written pieces, all reading as zero. */
static int create_patchwork(const char *name)
{
	int fd = st_create(name);

	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	for (off_t at = 0; at < SIZE; at += 262144) {
		if (fallocate(fd, 0, at, 65536))
			ck_assert_int_eq(errno, EOPNOTSUPP);
		st_fill(fd, at + 98304, 65536, 0);
	}
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

START_TEST(prealloc_written)
{
	int dev = st_session(), fd, ret;
	struct seal_status st;
	bool control;

	fd = st_create("probe");
	ret = fallocate(fd, 0, 0, 4096) ? errno : 0;
	close(fd);
	if (ret == EOPNOTSUPP)
		ST_SKIP("%s has no fallocate", st_env("SEAL_TARGET"));
	for (int round = 0; round < 2 * ROUNDS; round++) {
		control = round < ROUNDS;
		fd = create_patchwork("patchwork");
		writers_start("patchwork", 0, _i ? O_DIRECT : 0);
		st_sleep_ms(50);
		if (control) {
			st_sleep_ms(300);
		} else {
			ret = st_do_range(dev, SEAL_IOC_PREALLOC, fd,
					  SEAL_PREALLOC_WRITTEN, 0, SIZE);
			ck_assert_msg(!ret, "PREALLOC: %s", strerror(-ret));
		}
		writers_stop("patchwork", control ? "control" : "prealloc_written");
		if (!control) {
			st = st_status(fd);
			ck_assert_uint_eq(st.hole, 0);
			ck_assert_uint_eq(st.unwritten, 0);
			ck_assert_uint_eq(st.written, SIZE);
			ck_assert_uint_eq(st.file_size, SIZE);
		}
		close(fd);
	}
	close(dev);
}
END_TEST

static void *shrink_and_grow(void *arg)
{
	struct writer *w = arg;
	unsigned int seed = 1;
	struct stat st;

	while (!stop && !w->message[0]) {
		if (ftruncate(w->fd, SIZE) || usleep(rand_r(&seed) % 3000) ||
		    ftruncate(w->fd, 4096) || usleep(300) ||
		    fstat(w->fd, &st))
			snprintf(w->message, sizeof(w->message), "truncate: %s",
				 strerror(errno));
		else if (st.st_size != 4096)
			snprintf(w->message, sizeof(w->message),
				 "truncated to 4096 bytes, and the size is %lld",
				 (long long)st.st_size);
		w->done++;
	}
	return NULL;
}

/* Not st_do_range(), which asks for the end itself. */
static int prealloc_to_end(int dev, int fd, uint32_t flags)
{
	struct seal_range_op req = {
		.size = sizeof(req),
		.fd = fd,
		.flags = flags,
	};

	return st_do_ioctl(dev, SEAL_IOC_PREALLOC, &req);
}

/* "Up to the end" must not make a file longer that is truncated meanwhile. */
START_TEST(prealloc_keeps_a_moving_end)
{
	int dev = st_session(), fd = st_create("shrinking"), ret = 0;
	double end = st_now() + 4;
	struct writer *w = &writers[0];
	unsigned long calls = 0;

	memset(w, 0, sizeof(*w));
	w->fd = fd;
	stop = false;
	ck_assert_int_eq(pthread_create(&w->thread, NULL, shrink_and_grow, w),
			 0);
	while (st_now() < end && !w->message[0]) {
		ret = prealloc_to_end(dev, fd,
				      calls % 2 ? SEAL_PREALLOC_WRITTEN : 0);
		if (ret == -EOPNOTSUPP)
			break;
		ck_assert_msg(!ret || ret == -EBUSY, "PREALLOC: %s",
			      strerror(-ret));
		calls++;
	}
	stop = true;
	pthread_join(w->thread, NULL);
	if (!calls && ret == -EOPNOTSUPP)
		ST_SKIP("%s has no fallocate", st_env("SEAL_TARGET"));
	ck_assert_msg(!w->message[0], "%s", w->message);
	ck_assert_uint_gt(calls, 0);
	printf("prealloc_keeps_a_moving_end: %lu calls, %lu times truncated\n",
	       calls, w->done);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(unshare_under_writers)
{
	int dev = st_session(), fd, clone, ret;
	uint64_t content;
	bool control;

	for (int round = 0; round < 2 * ROUNDS; round++) {
		control = round < ROUNDS;
		fd = st_create_written("original", SIZE);
		clone = st_create("clone");
		if (ioctl(clone, FICLONE, fd)) {
			ck_assert_int_eq(errno, EOPNOTSUPP);
			close(fd);
			close(clone);
			ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
		}
		content = st_content(clone);
		writers_start("original", 'a', 0);
		st_sleep_ms(50);
		if (control) {
			st_sleep_ms(300);
		} else {
			ret = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 0);
			/*
			 * Writers may keep the inode from coming to rest as
			 * copy-on-write; nothing else may go wrong.
			 */
			ck_assert_msg(!ret || ret == -EBUSY, "UNSHARE: %s",
				      strerror(-ret));
			ck_assert_uint_eq(st_status(fd).shared, 0);
		}
		writers_stop("original", control ? "control" : "unshare");
		ck_assert_uint_eq(st_content(clone), content);
		if (!control) {
			ret = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 0);
			ck_assert_msg(!ret, "UNSHARE at rest: %s",
				      strerror(-ret));
			ck_assert_uint_eq(st_status(fd).shared, 0);
			ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0,
						    SEAL_REQ_UNSHARED, 0, NULL),
					 0);
			st_unseal(dev, fd);
		}
		close(fd);
		close(clone);
	}
	close(dev);
}
END_TEST

static TCase *trap_writers(void)
{
	TCase *tc = tcase_create("writers");

	tcase_set_timeout(tc, 150);
	/* cached writers, direct writers */
	tcase_add_loop_test(tc, prealloc_written, 0, 2);
	tcase_add_test(tc, prealloc_keeps_a_moving_end);
	tcase_add_test(tc, unshare_under_writers);
	return tc;
}

ST_CASE(writers, trap_writers, ST_NOWHERE);
