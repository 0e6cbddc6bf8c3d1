// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nobody else waits for a seal. Somebody is stuck in a call that changes a file of
 * his own; a file of somebody else is sealed meanwhile. SEAL succeeds, or it fails
 * with EBUSY and the name of the task within its limit. A bystander on the same
 * filesystem, and one on another, never wait.
 */
#define _GNU_SOURCE
#include "bystander.h"
#include "sealtest.h"
#include "stuck.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT		"/sys/module/seal/parameters/limit_ms"
#define LIMIT_MS	2000
/* seconds; by the guest's clock, on a machine that may be busy */
#define MAX_PAUSE	0.5

static char *own_path(void)
{
	static char path[256];

	st_path(path, sizeof(path), "stuck");
	return path;
}

static void set_limit(unsigned int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ms);
	ck_assert_int_eq(st_do_write_file(LIMIT, text), 0);
}

static void limit_short(void)
{
	set_limit(LIMIT_MS);
}

static void limit_long(void)
{
	set_limit(100000);
}

/* SEAL: well, or busy with somebody to blame, and in time either way. */
static void seal_in_time(int dev, int fd, const char *what)
{
	struct seal_files out;
	double began = st_now(), took;
	int ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);

	took = st_now() - began;
	printf("%s: SEAL %s after %.2f s%s%s\n", what,
	       ret ? strerror(-ret) : "succeeded", took, ret ? ": " : "",
	       ret ? (char *)out.reason : "");
	ck_assert_msg(!ret || ret == -EBUSY, "%s: %s (%s)", what, strerror(-ret),
		      out.reason);
	ck_assert_msg(!ret || strstr((char *)out.reason, "task "), "%s: %s", what,
		      out.reason);
	ck_assert_msg(took < st_patience(2 * LIMIT_MS / 1000 + 4),
		      "%s: SEAL took %.1f s", what, took);
	if (!ret)
		st_unseal(dev, fd);
}

static void not_paused(struct bystander *b, const char *what, const char *where,
		       double control)
{
	double longest = bystander_longest(b);

	printf("%s: the bystander %s paused for %.3f s at most (%.3f s without a seal)\n",
	       what, where, longest, control);
	ck_assert_msg(longest < MAX_PAUSE + control, "%s: the bystander %s paused for %.2f s",
		      what, where, longest);
}

static void stuck_while_sealing(const struct stuck_kind *kind, bool first)
{
	const char *away = st_env("RACE_ANCHOR");
	int fd = st_create_written("victim", 65536);
	int keep = st_create_written("keep", 65536);
	int dev = st_session(), other = st_session();
	struct bystander same, apart;
	double control[2];
	char path[256];
	pid_t pid;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	if (!first)
		st_seal(other, keep);
	else
		ck_assert(st_at_rest());
	st_path(path, sizeof(path), "bystander");
	bystander_start(&same, path);
	snprintf(path, sizeof(path), "%s/bystander", away);
	bystander_start(&apart, path);
	pid = stuck_start(kind, own_path());
	control[0] = bystander_longest(&same);
	control[1] = bystander_longest(&apart);

	seal_in_time(dev, fd, kind->name);
	not_paused(&same, kind->name, "on the same filesystem", control[0]);
	not_paused(&apart, kind->name, "on another filesystem", control[1]);

	stuck_end(pid);
	seal_in_time(dev, fd, "when it has ended");
	bystander_stop(&same);
	bystander_stop(&apart);
	st_remove("stuck");
	close(dev);
	close(other);
	close(fd);
	close(keep);
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
	int dev = st_session(), fd = st_create_written("stuck", 65536);
	struct seal_files out;
	pid_t pid;

	if (kind->lack && kind->lack()) {
		ST_SKIP("%s", kind->lack());
		return;
	}
	pid = stuck_start(kind, own_path());
	pid_t sealer = fork();

	ck_assert_int_ge(sealer, 0);
	if (!sealer)
		_exit(-st_do_seal(dev, &fd, 1, 0, 0, 0, &out));
	st_sleep_ms(1000);
	/* nobody else is concerned: a seal of another file, and INFO */
	seal_in_time(dev, st_create_written("victim", 65536), "another file");
	struct seal_info info = { .size = sizeof(info) };
	double began = st_now();

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	ck_assert_msg(st_now() - began < st_patience(1), "INFO took %.1f s",
		      st_now() - began);
	/* and the sealer can be killed, or has given up */
	kill(sealer, SIGKILL);
	ck_assert_int_ne(st_wait_child(sealer, st_patience(10)), -1);
	stuck_end(pid);
	seal_in_time(dev, fd, "when it has ended");
	close(dev);
	close(fd);
}
END_TEST

/* Bytes of a slab cache or -1. */
static long slab_objects(const char *name)
{
	char *text = st_read_file("/proc/slabinfo"), *line, *rest = text;
	size_t length = strlen(name);
	long n = -1;

	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, length) && line[length] == ' ')
			n = strtol(line + length, NULL, 10);
	free(text);
	return n;
}

#define KILLED	60

/* SEALs that are killed at random leave nothing behind. */
START_TEST(killed)
{
	int dev, fd = st_create_written("victim", 65536);
	long before, after = 0;
	pid_t pid, stuck;

	if (stuck_kinds[0].lack && stuck_kinds[0].lack()) {
		ST_SKIP("%s", stuck_kinds[0].lack());
		return;
	}
	stuck = stuck_start(&stuck_kinds[3], own_path());
	before = slab_objects("seal_claim");
	for (int i = 0; i < KILLED; i++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (!pid) {
			struct seal_files out;

			st_do_seal(st_session(), &fd, 1, 0, 0, 0, &out);
			_exit(0);
		}
		usleep(random() % 30000);
		kill(pid, SIGKILL);
		ck_assert_int_ne(st_wait_child(pid, st_patience(10)), -1);
	}
	stuck_end(stuck);
	ck_assert(st_at_rest());
	for (int i = 0; i < 100; i++) {
		after = slab_objects("seal_claim");
		if (after <= before)
			break;
		st_sleep_ms(100);
	}
	ck_assert_int_le(after, before < 0 ? after : before);
	/* and the file is as good as before */
	dev = st_session();
	st_seal(dev, fd);
	close(dev);
	close(fd);
	ck_assert_int_eq(st_do_unmount(), 0);
	st_mount();
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
	tcase_add_test(tc, killed);
	return tc;
}

ST_CASE(stalls, stalls, ST_NOWHERE);
