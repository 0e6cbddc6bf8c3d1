// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rule for threads that libseal.h states, and files that are sealed to be
 * read. The module is played by the functions that stand in for open(2) and
 * ioctl(2) in the sources of the library; the leases are real. It is run
 * with the thread sanitizer as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libseal.h"
#include "unit.h"

static atomic_int claims;	/* how many files are sealed */
static atomic_int most;		/* found open for writing while sealed */
static atomic_bool in_place;
static atomic_int seal_delay;

int device_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (!strncmp(path, "/dev/", 5))
		path = "/dev/null";
	return openat(AT_FDCWD, path, flags, mode);
}

int device_ioctl(int fd, unsigned long command, ...)
{
	struct seal_status *status;
	struct seal_files *files;
	void *argument;
	va_list args;

	(void)fd;
	va_start(args, command);
	argument = va_arg(args, void *);
	va_end(args);
	files = argument;
	status = argument;
	switch (command) {
	case SEAL_IOC_INFO:
		((struct seal_info *)argument)->abi = SEAL_ABI_VERSION;
		return 0;
	case SEAL_IOC_SEAL:
		usleep((useconds_t)seal_delay);
		claims += (int)files->nr_fds;
		return 0;
	case SEAL_IOC_UNSEAL:
		claims--;
		return 0;
	case SEAL_IOC_STATUS:
		status->flags = SEAL_STATUS_SEALED | SEAL_STATUS_HELD;
		status->met = in_place ? SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
					 SEAL_REQ_UNSHARED : 0;
		return 0;
	case SEAL_IOC_PREALLOC:
		((struct seal_range_op *)argument)->done =
			((struct seal_range_op *)argument)->length;
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

static const char *const names[] = { "threads.a", "threads.b" };
static int fds[2];

static void setup(void)
{
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = open(names[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		ck_assert_int_eq(write(fd, "text", 4), 4);
		close(fd);
		fds[i] = open(names[i], O_RDONLY);
		ck_assert_int_ge(fds[i], 0);
	}
	claims = 0;
	most = 0;
	in_place = false;
	seal_delay = 0;
}

static void teardown(void)
{
	close(fds[0]);
	close(fds[1]);
	unlink(names[0]);
	unlink(names[1]);
}

static void *use(void *arg)
{
	struct seal_session *session = arg;
	struct seal_status status;
	struct seal_files report;
	int i;

	for (i = 0; i < 500; i++) {
		ck_assert_int_eq(seal_files(session, fds, 2, 0, 0, 0, &report), 0);
		ck_assert_int_eq(seal_status(session, fds[0], &status), 0);
		ck_assert_int_eq(seal_prealloc(session, fds[0], 0, 0, 4096), 0);
		ck_assert_int_eq(seal_unseal(session, fds[0], 0), 0);
		ck_assert_int_eq(seal_unseal(session, fds[1], 0), 0);
	}
	return NULL;
}

START_TEST(one_session)
{
	struct seal_session *session;
	pthread_t threads[4];
	int i;

	ck_assert_int_eq(seal_open(&session), 0);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use, session);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(claims, 0);
	seal_close(session);
}
END_TEST

static void *read_and_close(void *arg)
{
	struct seal_read *reading;
	int i, ret;

	(void)arg;
	for (i = 0; i < 100; i++) {
		ret = seal_read_open(fds, 2, &reading, NULL);
		ck_assert(!ret || ret == -EBUSY || ret == -ETXTBSY);
		if (ret)
			continue;
		ret = seal_read_check(reading);
		ck_assert(!ret || ret == -EBUSY);
		seal_read_close(reading);
	}
	return NULL;
}

/* Whoever has opened a file for writing must not find it sealed. */
static void *write_now_and_then(void *arg)
{
	int i, fd;

	(void)arg;
	for (i = 0; i < 200; i++) {
		fd = open(names[i % 2], O_WRONLY);
		ck_assert_int_ge(fd, 0);
		if (claims > most)
			most = (int)claims;
		ck_assert_int_eq(write(fd, "more", 4), 4);
		close(fd);
		usleep(500);
	}
	return NULL;
}

START_TEST(writers_go_first)
{
	pthread_t reader, writer;

	pthread_create(&reader, NULL, read_and_close, NULL);
	pthread_create(&writer, NULL, write_now_and_then, NULL);
	pthread_join(reader, NULL);
	pthread_join(writer, NULL);
	ck_assert_int_eq(claims, 0);
	ck_assert_int_eq(most, 0);
}
END_TEST

/* The lease is broken while the module seals: nothing may stay sealed. */
START_TEST(writer_during_seal)
{
	pthread_t writer;

	seal_delay = 20000;
	pthread_create(&writer, NULL, write_now_and_then, NULL);
	read_and_close(NULL);
	pthread_join(writer, NULL);
	ck_assert_int_eq(claims, 0);
	ck_assert_int_eq(most, 0);
}
END_TEST

START_TEST(open_for_writing)
{
	struct seal_read *reading;
	struct seal_files report;
	int fd = open(names[1], O_RDWR);
	char want[64];
	void *memory;

	snprintf(want, sizeof(want), "open for writing by process %d (",
		 (int)getpid());
	ck_assert_int_eq(seal_read_open(fds, 2, &reading, &report), -ETXTBSY);
	ck_assert_uint_eq(report.bad_index, 1);
	ck_assert(!strncmp((char *)report.reason, want, strlen(want)));
	ck_assert_int_eq(claims, 0);
	in_place = true;
	ck_assert_int_eq(seal_read_open(fds, 2, &reading, &report), 0);
	ck_assert_int_eq(claims, 2);
	seal_read_close(reading);
	ck_assert_int_eq(claims, 0);
	in_place = false;

	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(memory != MAP_FAILED);
	close(fd);
	ck_assert_int_eq(seal_read_open(fds, 2, &reading, &report), -ETXTBSY);
	snprintf(want, sizeof(want), "mapped for writing by process %d (",
		 (int)getpid());
	ck_assert(!strncmp((char *)report.reason, want, strlen(want)));
	munmap(memory, 4096);
	ck_assert_int_eq(seal_read_open(fds, 2, &reading, &report), 0);
	seal_read_close(reading);
}
END_TEST

/* Structures of a caller that was compiled with another header. */
START_TEST(sizes)
{
	struct {
		struct seal_status status;
		unsigned char behind[32];
	} larger;
	struct seal_session *session;
	size_t size = offsetof(struct seal_status, broken), i;

	ck_assert_int_eq(seal_open(&session), 0);
	memset(&larger, 0x55, sizeof(larger));
	ck_assert_int_eq(seal_status_sized(session, fds[0], &larger.status,
					   size), 0);
	for (i = size; i < sizeof(larger); i++)
		ck_assert_uint_eq(((unsigned char *)&larger)[i], 0x55);
	ck_assert_uint_eq(larger.status.flags,
			  SEAL_STATUS_SEALED | SEAL_STATUS_HELD);
	ck_assert_int_eq(seal_status_sized(session, fds[0], &larger.status,
					   sizeof(larger)), 0);
	for (i = 0; i < sizeof(larger.behind); i++)
		ck_assert_uint_eq(larger.behind[i], 0);
	seal_close(session);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("threads");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, one_session);
	tcase_add_test(tests, writers_go_first);
	tcase_add_test(tests, writer_during_seal);
	tcase_add_test(tests, open_for_writing);
	tcase_add_test(tests, sizes);
	return run_tests(tests, "threads");
}
