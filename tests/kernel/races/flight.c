// SPDX-License-Identifier: GPL-2.0-only
/* I/O in flight converts unwritten blocks when it ends: SEAL waits for it. */
#define _GNU_SOURCE
#include "hold.h"
#include "ops.h"
#include "party.h"
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void check_written(int fd)
{
	struct seal_status status = st_status(fd);
	char buf[4096];

	ck_assert_uint_eq(status.written, LENGTH);
	ck_assert_uint_eq(status.unwritten, SIZE - LENGTH);
	for (int i = 0; i < LENGTH; i += sizeof(buf)) {
		ck_assert_int_eq(pread(fd, buf, sizeof(buf), FROM + i),
				 sizeof(buf));
		ck_assert_int_eq(buf[0], 'r');
		ck_assert_int_eq(buf[sizeof(buf) - 1], 'r');
	}
}

static void must_wait(struct sealing *sealing, unsigned int ms,
		      const char *what)
{
	bool early;

	party_go(&sealing->party);
	early = party_ends(&sealing->party, ms);
	if (early)
		hold_end();
	ck_assert_msg(!early, "SEAL returned %d with %s in flight",
		      sealing->party.ret, what);
}

static void ends_well(struct sealing *sealing, const struct target *t,
		      const char *what)
{
	int ret = party_join(&sealing->party);

	ck_assert_msg(!ret, "%s: SEAL: %s", what, strerror(-ret));
	check_written(t->fd);
	check_frozen(sealing->dev, t->fd, what);
}

/* No lock is held: only the count of direct I/O tells. */
START_TEST(asynchronous_direct_write)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct target t;
	struct flight f;

	target_make(&t, ALL_UNWRITTEN);
	sealing_start(&sealing, dev, t.fd);
	hold_writes(st_address(t.fd, FROM), LENGTH);
	flight_start(&f, t.direct, t.buf, LENGTH, FROM);
	must_wait(&sealing, ms, "an asynchronous direct write");
	hold_end();
	ck_assert_int_eq(flight_end(&f), LENGTH);
	ends_well(&sealing, &t, "asynchronous direct write");
	target_close(&t);
	close(dev);
}
END_TEST

START_TEST(direct_write)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct party racer;
	struct target t;

	target_make(&t, ALL_UNWRITTEN);
	party_start(&racer, op_write_direct, &t);
	sealing_start(&sealing, dev, t.fd);
	hold_writes(st_address(t.fd, FROM), LENGTH);
	party_go(&racer);
	ck_assert(!party_ends(&racer, 300));
	must_wait(&sealing, ms, "a direct write");
	hold_end();
	ck_assert_int_eq(party_join(&racer), 0);
	ends_well(&sealing, &t, "direct write");
	target_close(&t);
	close(dev);
}
END_TEST

/* Written to the cache before, on its way to the disk: of a write, a store. */
START_TEST(writeback)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct party racer;
	struct target t;
	uint64_t address;

	target_make(&t, ALL_UNWRITTEN);
	party_start(&racer, op_fsync, &t);
	sealing_start(&sealing, dev, t.fd);
	/* Asked for before it is dirty: FIEMAP here writes back. */
	address = st_address(t.fd, FROM);
	if (_i)
		memset(t.map + FROM, 'r', LENGTH);
	else
		ck_assert_int_eq(op_write(&t), 0);
	hold_writes(address, LENGTH);
	party_go(&racer);
	ck_assert(!party_ends(&racer, 300));
	must_wait(&sealing, ms, "writeback");
	hold_end();
	ck_assert_int_eq(party_join(&racer), 0);
	ends_well(&sealing, &t, "writeback");
	target_close(&t);
	close(dev);
}
END_TEST

static TCase *race_flight(void)
{
	TCase *tc = tcase_create("flight");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, asynchronous_direct_write);
	tcase_add_test(tc, direct_write);
	tcase_add_loop_test(tc, writeback, 0, 2);
	return tc;
}

ST_CASE(flight, race_flight, ST_HERE);
