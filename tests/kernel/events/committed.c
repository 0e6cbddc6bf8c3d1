// SPDX-License-Identifier: GPL-2.0-only
/* What a holder commits is told range by range; what it is refused is not. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <libseal.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SIZE	65536
#define UNIT	4096

static void is_committed(struct seal_monitor *m, int fd, uint64_t offset,
			 uint64_t length)
{
	const struct seal_event *e = ev_next(m, fd);

	ck_assert_str_eq(seal_event_name(e->type), "committed");
	ck_assert(e->has_range);
	ck_assert_uint_eq(e->offset, offset);
	ck_assert_uint_eq(e->length, length);
	ck_assert_uint_eq(e->pid, getpid());
	ck_assert_msg(e->path, "no path");
}

START_TEST(each_range)
{
	const struct seal_commit_range ranges[] = {
		{ .offset = 0, .length = UNIT },
		{ .offset = 2 * UNIT, .length = 4 * UNIT },
		{ .offset = 6 * UNIT, .length = UNIT },	/* in one piece with it */
	};
	const struct seal_commit_range other = { SIZE, UNIT };
	struct seal_monitor *m =
		ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_COMMITTED));
	int fd = st_create_written("committed", SIZE);
	struct seal_grant_extent extents[16];
	struct seal_session *session;
	struct seal_commit commit;
	struct seal_grant grant;
	struct seal_files report;
	int ret;

	ck_assert_int_eq(seal_open(&session), 0);
	ck_assert_int_eq(seal_files(session, &fd, 1, 0, 0, 0, &report), 0);
	ret = seal_grant(session, fd, SEAL_GRANT_WRITTEN, 0, SIZE, extents, 16,
			 &grant);
	ck_assert_msg(ret > 0, "grant: %s (%.*s)", strerror(-ret),
		      SEAL_REASON_LEN, (char *)grant.reason);
	ck_assert_uint_eq(grant.done, SIZE);

	ck_assert_int_lt(seal_commit(session, fd, &other, 1, 0, &commit), 0);
	ev_nothing(m, fd);
	ret = seal_commit(session, fd, ranges, 3, 0, &commit);
	ck_assert_msg(!ret, "commit: %s (%.*s)", strerror(-ret),
		      SEAL_REASON_LEN, (char *)commit.reason);
	is_committed(m, fd, 0, UNIT);
	is_committed(m, fd, 2 * UNIT, 5 * UNIT);
	ev_nothing(m, fd);
	seal_close(session);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

START_TEST(converted)
{
	const struct seal_commit_range range = { 4 * UNIT, UNIT };
	struct seal_monitor *m =
		ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_COMMITTED));
	struct seal_grant_extent extents[16];
	struct seal_session *session;
	struct seal_commit commit;
	struct seal_grant grant;
	struct seal_files report;
	int fd, ret;

	if (!st_is_xfs()) {
		seal_monitor_close(m);
		ST_SKIP("ext4 cannot convert blocks it did not write");
	}
	fd = st_create("converted");
	ck_assert_int_eq(fallocate(fd, 0, 0, SIZE), 0);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(seal_open(&session), 0);
	ck_assert_int_eq(seal_files(session, &fd, 1, 0, 0, 0, &report), 0);
	ret = seal_grant(session, fd, 0, 0, SIZE, extents, 16, &grant);
	ck_assert_msg(ret > 0, "grant: %s (%.*s)", strerror(-ret),
		      SEAL_REASON_LEN, (char *)grant.reason);
	ck_assert_int_eq(seal_commit(session, fd, &range, 1, 0, &commit), 0);
	ck_assert_uint_eq(commit.converted, UNIT);
	is_committed(m, fd, 4 * UNIT, UNIT);
	ev_nothing(m, fd);
	seal_close(session);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

static TCase *events_committed(void)
{
	TCase *tc = tcase_create("committed");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_range);
	tcase_add_test(tc, converted);
	return tc;
}

ST_CASE(committed, events_committed, ST_HERE);
