// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nobody else waits for a seal. Somebody is stuck in a call that changes a file of
 * his own; a file of somebody else is sealed meanwhile. SEAL succeeds, or it fails
 * with EBUSY and the name of the task within its limit. A bystander on the same
 * filesystem, and one on another, never wait.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "stuck.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static char *own_path(void)
{
	static char path[256];

	st_path(path, sizeof(path), "stuck");
	return path;
}

static void stuck_while_sealing(const struct stuck_kind *kind, bool first)
{
	int fd = st_create_written("victim", 65536), dev, ret;
	struct watch watch;
	pid_t holder = 0, pid;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	if (first)
		ck_assert(st_at_rest());
	else
		holder = holder_start("held", 0);
	watch_start(&watch);
	pid = stuck_start(kind, own_path());
	watch_control(&watch);

	/* after them: none of them has the session open */
	dev = st_session();
	ret = seal_in_time(dev, fd, kind->name);
	ck_assert_msg(!ret || strstr(seal_reason(), "task ") ||
		      strstr(seal_reason(), "the kernel takes long"), "%s: %s",
		      kind->name, seal_reason());
	if (!ret) {
		double began = st_now();

		st_unseal(dev, fd);
		ck_assert_msg(st_now() - began < st_patience(1),
			      "%s: UNSEAL took %.1f s", kind->name,
			      st_now() - began);
	}
	answers_in_time(dev, fd, kind->name);
	if (holder)
		holder_kill(holder, kind->name);
	close(dev);
	unloads_in_time(kind->name);
	watch_check(&watch, kind->name);

	stuck_end(pid);
	dev = st_session();
	seal_at_last(dev, fd);
	watch_stop(&watch);
	st_remove("stuck");
	close(dev);
	close(fd);
}

START_TEST(first_seal)
{
	stuck_while_sealing(&stuck_kinds[_i], true);
}
END_TEST

START_TEST(later_seal)
{
	stuck_while_sealing(&stuck_kinds[_i], false);
}
END_TEST

/* The file itself is in the hands of somebody who is stuck. */
START_TEST(own_file_is_stuck)
{
	const struct stuck_kind *kind = &stuck_kinds[_i];
	int fd = st_create_written("stuck", 65536), dev, ret;
	int victim = st_create_written("victim", 65536);
	struct watch watch;
	pid_t pid, sealer, holder;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	holder = holder_start("held", 0);
	watch_start(&watch);
	pid = stuck_start(kind, own_path());
	watch_control(&watch);

	dev = st_session();
	/* one who gives up by himself, and says for whom he has waited */
	ret = seal_in_time(dev, fd, kind->name);
	ck_assert_msg(!ret || strstr(seal_reason(), "task ") ||
		      strstr(seal_reason(), "the lock of the file"), "%s: %s",
		      kind->name, seal_reason());
	if (!ret)
		st_unseal(dev, fd);
	/* one who is killed before */
	sealer = fork();
	ck_assert_int_ge(sealer, 0);
	if (!sealer) {
		struct seal_files out;

		_exit(-st_do_seal(st_session(), &fd, 1, 0, 0, 0, &out));
	}
	st_sleep_ms(300);
	/* nobody else is concerned */
	if (!seal_in_time(dev, victim, "another file"))
		st_unseal(dev, victim);
	answers_in_time(dev, fd, kind->name);
	holder_kill(holder, kind->name);
	kill(sealer, SIGKILL);
	ck_assert_int_ne(st_wait_child(sealer, st_patience(5)), -1);
	close(dev);
	unloads_in_time(kind->name);
	watch_check(&watch, kind->name);

	stuck_end(pid);
	dev = st_session();
	seal_at_last(dev, fd);
	watch_stop(&watch);
	close(dev);
	close(victim);
	close(fd);
}
END_TEST

static TCase *stalls(void)
{
	TCase *tc = tcase_create("stalls");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, limit_short, limit_long);
	tcase_add_loop_test(tc, first_seal, 0, nr_stuck_kinds);
	tcase_add_loop_test(tc, later_seal, 0, nr_stuck_kinds);
	tcase_add_loop_test(tc, own_file_is_stuck, 0, nr_stuck_kinds);
	return tc;
}

ST_CASE(stalls, stalls, ST_NOWHERE);
