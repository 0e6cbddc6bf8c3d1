// SPDX-License-Identifier: GPL-2.0-only
/* With a gate switched off, as the debug build can, a broken seal is told. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SKIP_GATE	"/sys/module/seal/parameters/skip_gate"

START_TEST(a_broken_seal)
{
	struct seal_monitor *m = ev_monitor(SEAL_EVENTS_ALL);
	int fd = st_create_written("broken", 65536), dev = st_session();
	const struct seal_event *e;

	st_seal(dev, fd);
	ck_assert_uint_eq(ev_next(m, fd)->type, SEAL_EVENT_SEALED);
	ck_assert_int_eq(st_do_write_file(SKIP_GATE, "xfs_file_fallocate"), 0);
	ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
	ck_assert_int_eq(st_do_write_file(SKIP_GATE, ""), 0);
	e = ev_next(m, fd);
	ck_assert_str_eq(seal_event_name(e->type), "broken");
	ck_assert_uint_eq(e->pid, getpid());
	ck_assert_str_eq(e->comm, program_invocation_short_name);
	ck_assert_ptr_nonnull(e->gate);
	ck_assert_ptr_null(e->operation);
	ck_assert_msg(e->path, "no path");
	close(dev);
	/* further changes, and then the end */
	do {
		e = ev_next(m, fd);
	} while (e->type == SEAL_EVENT_BROKEN);
	ck_assert_uint_eq(e->type, SEAL_EVENT_UNSEALED);
	ck_assert(e->flags & SEAL_STATUS_BROKEN);
	close(fd);
	seal_monitor_close(m);
}
END_TEST

static TCase *events_broken(void)
{
	TCase *tc = tcase_create("broken");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_broken_seal);
	return tc;
}

ST_CASE(broken, events_broken, ST_HERE);
