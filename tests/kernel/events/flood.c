// SPDX-License-Identifier: GPL-2.0-only
/* More happens than a monitor can read: what is lost is counted exactly. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WRITERS	8
#define WRITES	12500

static pid_t writer(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	for (int i = 0; i < WRITES; i++)
		if (pwrite(fd, "x", 1, 1 << 20) != -1 || errno != ETXTBSY)
			_exit(1);
	_exit(0);
}

static void writers_wait(const pid_t *pids)
{
	for (int i = 0; i < WRITERS; i++) {
		int status = st_wait_child(pids[i], 120);

		ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status),
			      "a writer ended with %x", status);
	}
}

struct tally {
	uint64_t seen;
	uint64_t lost;
	uint64_t serial;
};

/* Read all there is now. */
static void take(struct seal_monitor *m, struct tally *tally)
{
	const struct seal_event *e;
	int ret;

	while ((ret = seal_monitor_next(m, &e)) > 0) {
		if (e->type == SEAL_EVENT_LOST) {
			ck_assert_uint_gt(e->lost, 0);
			tally->lost += e->lost;
			continue;
		}
		ck_assert_uint_gt(e->serial, tally->serial);
		tally->serial = e->serial;
		ck_assert_str_eq(e->operation, "write");
		tally->seen++;
	}
	ck_assert_msg(!ret, "seal_monitor_next: %s", strerror(-ret));
}

/* Read until every write is accounted for. */
static void take_all(struct seal_monitor *m, struct tally *tally)
{
	struct pollfd p = { seal_monitor_fd(m), POLLIN, 0 };
	double end = st_now() + st_patience(60);

	for (;;) {
		take(m, tally);
		if (tally->seen + tally->lost >= WRITERS * WRITES)
			break;
		ck_assert_msg(st_now() < end, "%llu seen, %llu lost",
			      (unsigned long long)tally->seen,
			      (unsigned long long)tally->lost);
		poll(&p, 1, 200);
	}
	/* and not one more */
	st_sleep_ms(300);
	take(m, tally);
	ck_assert_uint_eq(tally->seen + tally->lost, WRITERS * WRITES);
}

START_TEST(every_one_or_their_number)
{
	struct seal_monitor *m, *deaf;
	int fd = st_create_written("flood", 65536), dev = st_session();
	struct tally busy = { 0 }, late = { 0 };
	double start, alone, heard;
	pid_t pids[WRITERS];

	st_seal(dev, fd);
	start = st_now();
	for (int i = 0; i < WRITERS; i++)
		pids[i] = writer(fd);
	writers_wait(pids);
	alone = st_now() - start;

	m = ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_REFUSED));
	deaf = ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_REFUSED));
	start = st_now();
	for (int i = 0; i < WRITERS; i++)
		pids[i] = writer(fd);
	take_all(m, &busy);
	writers_wait(pids);
	heard = st_now() - start;
	printf("every_one_or_their_number: %llu seen, %llu lost; %.1f s, without a monitor %.1f s\n",
	       (unsigned long long)busy.seen, (unsigned long long)busy.lost,
	       heard, alone);
	ck_assert_uint_gt(busy.seen, 0);

	/* Nobody waited for the one that did not read: now it does. */
	take_all(deaf, &late);
	printf("every_one_or_their_number: read late: %llu seen, %llu lost\n",
	       (unsigned long long)late.seen, (unsigned long long)late.lost);
	ck_assert_uint_gt(late.lost, 0);

	/* Having caught up, they lose nothing. */
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_str_eq(ev_next(deaf, fd)->operation, "truncate");
	ck_assert_str_eq(ev_next(m, fd)->operation, "truncate");
	seal_monitor_close(m);
	seal_monitor_close(deaf);
	close(dev);
	close(fd);
}
END_TEST

static TCase *events_flood(void)
{
	TCase *tc = tcase_create("flood");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, every_one_or_their_number);
	return tc;
}

ST_CASE(flood, events_flood, ST_HERE);
