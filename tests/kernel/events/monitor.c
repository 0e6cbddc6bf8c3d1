// SPDX-License-Identifier: GPL-2.0-only
/* What a monitor is told. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct seal_monitor *ev_monitor(uint32_t events)
{
	struct seal_monitor *monitor;
	int ret = seal_monitor_open(&monitor, events);

	ck_assert_msg(!ret, "seal_monitor_open: %s", strerror(-ret));
	return monitor;
}

static bool is_about(const struct seal_event *event, int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return event->inode == st.st_ino &&
	       makedev(event->dev_major, event->dev_minor) == st.st_dev;
}

static const struct seal_event *next_within(struct seal_monitor *monitor,
					    int fd, double seconds)
{
	struct pollfd p = { seal_monitor_fd(monitor), POLLIN, 0 };
	double end = st_now() + seconds;
	const struct seal_event *event;
	int ret;

	for (;;) {
		while ((ret = seal_monitor_next(monitor, &event)) > 0) {
			ck_assert_uint_ne(event->type, SEAL_EVENT_LOST);
			if (is_about(event, fd))
				return event;
		}
		ck_assert_msg(!ret, "seal_monitor_next: %s", strerror(-ret));
		if (st_now() > end)
			return NULL;
		ck_assert_int_ge(poll(&p, 1, 100), 0);
	}
}

const struct seal_event *ev_next(struct seal_monitor *monitor, int fd)
{
	const struct seal_event *event = next_within(monitor, fd,
						     st_patience(20));

	ck_assert_msg(event, "no event came");
	return event;
}

void ev_nothing(struct seal_monitor *monitor, int fd)
{
	const struct seal_event *event = next_within(monitor, fd, 0.5);

	ck_assert_msg(!event, "an event came: %s",
		      event ? seal_event_name(event->type) : "");
}

static void is_claim(const struct seal_event *event, uint32_t type,
		     unsigned int holders, uint32_t why)
{
	ck_assert_str_eq(seal_event_name(event->type), seal_event_name(type));
	ck_assert_uint_eq(event->holders, holders);
	ck_assert_uint_eq(event->why, why);
	ck_assert_ptr_null(event->operation);
	ck_assert_ptr_null(event->gate);
	ck_assert(!event->has_range);
	ck_assert_uint_ne(event->claim, 0);
}

START_TEST(claims_come_and_go)
{
	struct seal_monitor *m = ev_monitor(SEAL_EVENTS_ALL);
	int fd = st_create_written("come", 65536);
	int a = st_session(), b = st_session();
	const struct seal_event *e;
	struct seal_files out;
	uint64_t first, serial;
	char path[256];

	st_path(path, sizeof(path), "come");
	st_seal(a, fd);
	e = ev_next(m, fd);
	is_claim(e, SEAL_EVENT_SEALED, 1, 0);
	ck_assert_uint_eq(e->pid, getpid());
	ck_assert_uint_eq(e->uid, 0);
	ck_assert_str_eq(e->comm, program_invocation_short_name);
	ck_assert_msg(e->path, "no path");
	ck_assert_str_eq(e->path, path);
	ck_assert(!e->deleted);
	ck_assert_uint_eq(e->flags, SEAL_STATUS_SEALED);
	ck_assert_uint_lt(e->time / 1000000000 - time(NULL) + 600, 1200);
	first = e->claim;
	serial = e->serial;

	st_seal(b, fd);
	e = ev_next(m, fd);
	is_claim(e, SEAL_EVENT_SEALED, 2, 0);
	ck_assert_uint_gt(e->claim, first);
	ck_assert_uint_eq(e->serial, serial + 1);
	/* It has one already: nothing happens. */
	st_seal(b, fd);
	ev_nothing(m, fd);

	st_unseal(a, fd);
	e = ev_next(m, fd);
	is_claim(e, SEAL_EVENT_UNSEALED, 1, SEAL_WHY_CALL);
	ck_assert_uint_eq(e->claim, first);
	st_unseal(a, fd);
	ev_nothing(m, fd);

	ck_assert_int_eq(st_do_seal(a, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out), 0);
	e = ev_next(m, fd);
	is_claim(e, SEAL_EVENT_SEALED, 2, 0);
	ck_assert_uint_eq(e->flags, SEAL_STATUS_SEALED | SEAL_STATUS_STICKY);

	close(b);
	is_claim(ev_next(m, fd), SEAL_EVENT_UNSEALED, 1, SEAL_WHY_CLOSE);
	st_remove("come");
	ck_assert_int_eq(st_do_unseal(a, fd, SEAL_UNSEAL_STICKY), 0);
	e = ev_next(m, fd);
	is_claim(e, SEAL_EVENT_UNSEALED, 0, SEAL_WHY_CALL);
	ck_assert_msg(e->path, "no path");
	ck_assert_str_eq(e->path, path);
	ck_assert(e->deleted);
	close(a);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

/* A holder that dies is told apart from one that closes its session. */
START_TEST(death_of_a_holder)
{
	struct seal_monitor *m = ev_monitor(SEAL_EVENTS_ALL);
	int fd = st_create_written("death", 65536);
	const struct seal_event *e;
	pid_t pid = fork();

	if (!pid) {
		st_seal(st_session(), fd);
		if (_i)
			_exit(0);
		raise(SIGKILL);
	}
	is_claim(ev_next(m, fd), SEAL_EVENT_SEALED, 1, 0);
	e = ev_next(m, fd);
	is_claim(e, SEAL_EVENT_UNSEALED, 0, SEAL_WHY_EXIT);
	ck_assert_int_eq(e->pid, pid);
	ck_assert_int_ne(st_wait_child(pid, 20), -1);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

static void is_refused(const struct seal_event *e, const char *operation)
{
	ck_assert_str_eq(seal_event_name(e->type), "refused");
	ck_assert_str_eq(e->operation, operation);
	ck_assert_ptr_nonnull(e->gate);
	ck_assert_uint_eq(e->pid, getpid());
	ck_assert_uint_eq(e->uid, 0);
	ck_assert_str_eq(e->comm, program_invocation_short_name);
	ck_assert_msg(e->path, "no path");
}

START_TEST(what_is_refused)
{
	struct seal_monitor *m = ev_monitor(SEAL_EVENTS_ALL);
	int fd = st_create_written("refused", 65536), dev = st_session();
	int other = st_create_written("refused2", 65536);
	const struct seal_event *e;
	char path[256];

	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, 8192, 4096), 0);
	st_seal(dev, fd);
	ck_assert_uint_eq(ev_next(m, fd)->type, SEAL_EVENT_SEALED);

	ck_assert_int_eq(pwrite(fd, "x", 1, 8195), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	e = ev_next(m, fd);
	is_refused(e, "write");
	ck_assert_str_eq(e->gate, "generic_write_checks");
	st_path(path, sizeof(path), "refused");
	ck_assert_str_eq(e->path, path);
	/* before 6.6 the page counts, where it is larger than a block */
	ck_assert(e->has_range);
	ck_assert_uint_le(e->offset, 8195);
	ck_assert_uint_ge(e->offset + e->length, 8196);

	ck_assert_int_eq(ftruncate(fd, 0), -1);
	e = ev_next(m, fd);
	is_refused(e, "truncate");
	ck_assert(!e->has_range);

	ck_assert_int_eq(fallocate(fd, 0, 0, 131072), -1);
	is_refused(ev_next(m, fd), "fallocate");

	if (st_is_xfs()) {
		ck_assert_int_eq(ioctl(fd, FICLONE, other), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		is_refused(ev_next(m, fd), "reflink");
	}

	/* What is in place is nobody's business. */
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
	ev_nothing(m, fd);
	close(dev);
	close(fd);
	close(other);
	seal_monitor_close(m);
}
END_TEST

START_TEST(only_what_was_asked_for)
{
	struct seal_monitor *refused =
		ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_REFUSED));
	struct seal_monitor *claims =
		ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_UNSEALED));
	int fd = st_create_written("asked", 65536), dev = st_session();

	st_seal(dev, fd);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	close(dev);
	ck_assert_uint_eq(ev_next(refused, fd)->type, SEAL_EVENT_REFUSED);
	ev_nothing(refused, fd);
	ck_assert_uint_eq(ev_next(claims, fd)->type, SEAL_EVENT_UNSEALED);
	ev_nothing(claims, fd);
	close(fd);
	seal_monitor_close(refused);
	seal_monitor_close(claims);
}
END_TEST

/* Monitors come and go while things happen. */
START_TEST(monitors_come_and_go)
{
	int fd = st_create_written("churn", 65536), dev = st_session();
	pid_t pid;

	st_seal(dev, fd);
	pid = fork();
	if (!pid)
		for (;;)
			if (!ftruncate(fd, 0))
				_exit(1);
	for (int i = 0; i < 20; i++) {
		struct seal_monitor *m = ev_monitor(SEAL_EVENTS_ALL);

		ck_assert_uint_eq(ev_next(m, fd)->type, SEAL_EVENT_REFUSED);
		seal_monitor_close(m);
	}
	kill(pid, SIGKILL);
	ck_assert(WIFSIGNALED(st_wait_child(pid, 20)));
	close(dev);
	close(fd);
}
END_TEST

START_TEST(bad_arguments)
{
	struct seal_monitor *m;

	ck_assert_int_eq(seal_monitor_open(&m, 0), -EINVAL);
	ck_assert_int_eq(seal_monitor_open(&m, SEAL_EVENTS_ALL | 1U << 31),
			 -EINVAL);
	seal_monitor_close(NULL);
	seal_list_close(NULL);
	ck_assert_str_eq(seal_event_name(99), "unknown");
	ck_assert_str_eq(seal_why_name(99), "unknown");
}
END_TEST

/* Like the device: not for everybody. */
START_TEST(needs_the_right)
{
	struct seal_monitor *m;
	struct seal_list *l;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setresgid(ST_NOBODY, ST_NOBODY, ST_NOBODY) ||
		    setresuid(ST_NOBODY, ST_NOBODY, ST_NOBODY))
			_exit(2);
		_exit(seal_monitor_open(&m, SEAL_EVENTS_ALL) != -EACCES ||
		      seal_list_open(&l) != -EACCES);
	}
	status = st_wait_child(pid, 20);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static TCase *events_monitor(void)
{
	TCase *tc = tcase_create("monitor");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, claims_come_and_go);
	tcase_add_loop_test(tc, death_of_a_holder, 0, 2);
	tcase_add_test(tc, what_is_refused);
	tcase_add_test(tc, only_what_was_asked_for);
	tcase_add_test(tc, monitors_come_and_go);
	tcase_add_test(tc, bad_arguments);
	tcase_add_test(tc, needs_the_right);
	return tc;
}

ST_CASE(monitor, events_monitor, ST_HERE);
