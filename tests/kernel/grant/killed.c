// SPDX-License-Identifier: GPL-2.0-only
/*
 * The holder dies, at every step. What was committed is there; what was not
 * reads as zeros, whatever the blocks hold: neither what the client wrote, nor
 * what another file had there before.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	(64 * UNIT)
#define HALF	(SIZE / 2)

enum step { GRANTED, WRITTEN, COMMITTED, COMMITTING, NR_STEPS };

/* Free space that is full of somebody's data. */
static void leave_stale_data(void)
{
	int fd = st_create_written("stale", 16 << 20);

	st_fill(fd, 0, 16 << 20, 0xee);
	ck_assert_int_eq(fsync(fd), 0);
	close(fd);
	st_remove("stale");
	fd = st_open(".", O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(syncfs(fd), 0);
	close(fd);
}

static void tell(int pipe, char step)
{
	if (write(pipe, &step, 1) != 1)
		_exit(1);
}

/* Goes as far as @step, says so, and waits for its end. */
static void holder(int fd, enum step step, bool sticky, int pipe)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	int device = gr_device(), nr;

	gr_seal(session, fd);
	if (sticky)
		ck_assert_int_eq(seal_files(session, &fd, 1, SEAL_SEAL_STICKY,
					    0, 0, NULL), 0);
	nr = gr_grant(session, fd, 0, 0, SIZE, extents);
	if (step >= WRITTEN)
		gr_client_write(device, extents, nr, 0, SIZE, 0xc1);
	if (step == COMMITTED)
		gr_commit(session, fd, 0, HALF);
	tell(pipe, 'x');
	if (step == COMMITTING)
		for (unsigned int i = 0; i < HALF / UNIT; i++) {
			gr_commit(session, fd, (uint64_t)i * UNIT, UNIT);
			tell(pipe, 'c');
		}
	for (;;)
		pause();
}

/* Have a holder killed; the number of commits it was told had returned. */
static int kill_holder(int fd, enum step step, bool sticky, unsigned int ms)
{
	int pipes[2], commits = 0, status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		holder(fd, step, sticky, pipes[1]);
	}
	close(pipes[1]);
	ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
	if (step == COMMITTING)
		st_sleep_ms(ms);
	kill(pid, SIGKILL);
	status = st_wait_child(pid, 30);
	ck_assert(WIFSIGNALED(status));
	while (read(pipes[0], &byte, 1) == 1)
		commits++;
	close(pipes[0]);
	return commits;
}

static void check_contents(int fd, enum step step, int commits)
{
	uint64_t committed = step == COMMITTED ? HALF : (uint64_t)commits * UNIT;
	unsigned char byte = 0;

	ck_assert(gr_reads(fd, 0, committed, 0xc1));
	if (step == COMMITTING && committed < HALF) {
		/* the one it died in is there as a whole or not at all */
		ck_assert_int_eq(pread(fd, &byte, 1, committed), 1);
		ck_assert(!byte || byte == 0xc1);
		ck_assert(gr_reads(fd, committed, UNIT, byte));
		committed += UNIT;
	}
	ck_assert(gr_reads(fd, committed, SIZE - committed, 0));
}

START_TEST(holder_killed)
{
	enum step step = _i % NR_STEPS;
	int rounds = step == COMMITTING ? 8 : 1;

	leave_stale_data();
	for (int i = 0; i < rounds; i++) {
		int fd = gr_create_unwritten("killed", SIZE), commits;

		commits = kill_holder(fd, step, false, i * 7);
		ck_assert(st_becomes_unsealed(fd));
		check_contents(fd, step, commits);
		ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
		check_contents(fd, step, commits);
		/* what nobody holds is anybody's again */
		st_fill(fd, HALF, UNIT, 7);
		ck_assert_int_eq(fsync(fd), 0);
		ck_assert(gr_reads(fd, HALF, UNIT, 7));
		ck_assert(gr_reads(fd, HALF + UNIT, HALF - UNIT, 0));
		close(fd);
		st_remove("killed");
	}
}
END_TEST

/* With a sticky claim the blocks stay granted: clients may still write. */
START_TEST(sticky_outlives)
{
	int fd = gr_create_unwritten("sticky", SIZE);
	struct seal_session *session;
	struct seal_grant result;
	struct seal_grant_extent extents[MAX];

	leave_stale_data();
	kill_holder(fd, WRITTEN, true, 0);
	for (int i = 0; st_status(fd).holders > 1 && i < 100; i++)
		st_sleep_ms(20);
	ck_assert_uint_eq(st_status(fd).holders, 1);
	ck_assert_uint_eq(st_status(fd).granted, SIZE);
	ck_assert(gr_reads(fd, 0, SIZE, 0));
	gr_consistent(fd);

	session = gr_session();
	ck_assert_int_eq(gr_do_commit(session, fd, 0, UNIT), -EACCES);
	gr_seal(session, fd);
	ck_assert_int_eq(gr_do_commit(session, fd, 0, UNIT), -ENXIO);
	ck_assert_int_eq(gr_do_grant(session, fd, 0, 0, UNIT, &result), -EBUSY);
	gr_grant(session, fd, SEAL_GRANT_TAKEOVER, 0, HALF, extents);
	ck_assert_uint_eq(st_status(fd).granted, SIZE);
	gr_commit(session, fd, 0, HALF);
	ck_assert_int_eq(gr_do_commit(session, fd, HALF, UNIT), -ENXIO);
	ck_assert(gr_reads(fd, 0, HALF, 0xc1));
	ck_assert(gr_reads(fd, HALF, HALF, 0));
	/* and again to the sticky claim, which has two lots now */
	seal_close(session);
	for (int i = 0; st_status(fd).holders > 1 && i < 100; i++)
		st_sleep_ms(20);
	ck_assert_uint_eq(st_status(fd).granted, SIZE);

	session = gr_session();
	gr_seal(session, fd);
	gr_grant(session, fd, SEAL_GRANT_TAKEOVER, HALF - UNIT, 2 * UNIT,
		 extents);
	gr_commit(session, fd, HALF, UNIT);
	ck_assert_int_eq(seal_release(session, fd, SEAL_RELEASE_STICKY, 0, 0),
			 0);
	ck_assert_uint_eq(st_status(fd).granted, 2 * UNIT);
	ck_assert_int_eq(seal_unseal(session, fd, SEAL_UNSEAL_STICKY), 0);
	gr_consistent(fd);
	seal_close(session);
	ck_assert(st_becomes_unsealed(fd));
	ck_assert(gr_reads(fd, 0, HALF + UNIT, 0xc1));
	ck_assert(gr_reads(fd, HALF + UNIT, HALF - UNIT, 0));
	close(fd);
	st_remove("sticky");
}
END_TEST

static TCase *grant_killed(void)
{
	TCase *tc = tcase_create("killed");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, holder_killed, 0, NR_STEPS);
	tcase_add_test(tc, sticky_outlives);
	return tc;
}

ST_CASE(killed, grant_killed, ST_NOWHERE);
