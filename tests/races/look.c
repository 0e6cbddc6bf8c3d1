// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between the first look at the map and the last one, the gates decide with
 * what was seen first. What changes in between must not be missed: the sealer
 * itself is parked there.
 */
#define _GNU_SOURCE
#include "hold.h"
#include "ops.h"
#include "party.h"
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEFORE_SHUT	"seal:seal_freeze_shut"
#define BEFORE_READ	"seal:seal_freeze_read"

static const enum layout changes[] = { WITH_HOLE, WITH_UNWRITTEN };

/* Make a file of the other layout out of one that is fully written. */
static void change(struct target *t, enum layout layout)
{
	ck_assert_int_eq(op_punch(t), 0);
	if (layout == WITH_UNWRITTEN)
		ck_assert_int_eq(fallocate(t->fd, 0, FROM, LENGTH), 0);
}

START_TEST(changed_after_the_first_look)
{
	struct seal_status status;
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, FULL);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, BEFORE_SHUT, 1);
	party_go(&sealing.party);
	park_wait(0);
	change(&t, changes[_i]);
	park_release(0);
	ck_assert_int_eq(party_join(&sealing.party), 0);

	status = st_status(t.fd);
	ck_assert_uint_eq(status.in_place, SIZE - LENGTH);
	ck_assert_int_eq(op_write(&t), -ETXTBSY);
	ck_assert_int_eq(op_write_direct(&t), -ETXTBSY);
	ck_assert_int_eq(op_store(&t), -EFAULT);
	ck_assert_int_eq(pwrite(t.fd, t.buf, FROM, 0), FROM);
	check_frozen(dev, t.fd, "changed after the first look");
	target_close(&t);
	close(dev);
}
END_TEST

/* Up to the moment before the map is read, with a first look that is stale. */
static void go_stale(struct sealing *sealing, struct target *t)
{
	park_set(0, &sealing->party, BEFORE_SHUT, 1);
	park_set(1, &sealing->party, BEFORE_READ, 1);
	party_go(&sealing->party);
	park_wait(0);
	change(t, WITH_UNWRITTEN);
	ck_assert_int_eq(fsync(t->fd), 0);
	park_release(0);
	park_wait(1);
}

static void check_end(struct sealing *sealing, struct target *t, bool written)
{
	struct seal_status status;

	ck_assert_int_eq(party_join(&sealing->party), 0);
	status = st_status(t->fd);
	ck_assert_uint_eq(status.written, written ? SIZE : SIZE - LENGTH);
	check_frozen(sealing->dev, t->fd, "write by the first look");
}

/* Let it pass because of the first look; it has the lock, and not begun. */
START_TEST(write_by_the_first_look)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct party racer;
	struct target t;
	int ret;

	target_make(&t, FULL);
	party_start(&racer, op_write_direct, &t);
	sealing_start(&sealing, dev, t.fd);
	go_stale(&sealing, &t);
	park_set(2, &racer, "iomap_dio_rw", 1);
	party_go(&racer);
	park_wait(2);
	park_release(1);
	ck_assert_msg(!party_ends(&sealing.party, ms),
		      "SEAL returned %d while a write was under way",
		      sealing.party.ret);
	park_release(2);
	/* XFS asks once more, and then it is known that it must not. */
	ret = party_join(&racer);
	ck_assert_msg(!ret || ret == -ETXTBSY, "%s", strerror(-ret));
	check_end(&sealing, &t, !ret);
	target_close(&t);
	close(dev);
}
END_TEST

/* The same, without the lock and in flight. */
START_TEST(flight_by_the_first_look)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct target t;
	struct flight f;
	bool early;

	target_make(&t, FULL);
	sealing_start(&sealing, dev, t.fd);
	go_stale(&sealing, &t);
	hold_writes(st_address(t.fd, FROM), LENGTH);
	flight_start(&f, t.direct, t.buf, LENGTH, FROM);
	park_release(1);
	early = party_ends(&sealing.party, ms);
	hold_end();
	ck_assert_msg(!early, "SEAL returned %d with a write in flight",
		      sealing.party.ret);
	ck_assert_int_eq(flight_end(&f), LENGTH);
	check_end(&sealing, &t, true);
	target_close(&t);
	close(dev);
}
END_TEST

/*
 * A store is not done when its fault is: written back and protected before the
 * instruction is run again, the page faults once more, and what the first look
 * found is a hole. Once SEAL is done it is in place. ext4 asks nobody where the
 * buffers of a page have their blocks.
 */
START_TEST(store_by_the_first_look)
{
	int dev = st_session();
	struct sealing sealing;
	bool xfs = !strcmp(getenv("SEAL_TYPE"), "xfs");
	struct party racer;
	struct target t;

	target_make(&t, ALL_HOLE);
	ck_assert_int_eq(*(volatile char *)(t.map + FROM), 0);
	party_start(&racer, op_store, &t);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, BEFORE_SHUT, 1);
	park_set(1, &racer, "balance_dirty_pages_ratelimited", 1);
	park_set(2, &sealing.party, BEFORE_READ, 1);
	party_go(&sealing.party);
	park_wait(0);
	party_go(&racer);
	park_wait(1);
	park_release(0);
	park_wait(2);
	park_release(1);
	ck_assert_int_eq(party_join(&racer), xfs ? -EFAULT : 0);
	park_release(2);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	ck_assert_int_eq(*(volatile char *)(t.map + FROM), xfs ? 0 : *t.buf);
	ck_assert_int_eq(op_store(&t), 0);
	check_frozen(dev, t.fd, "store by the first look");
	target_close(&t);
	close(dev);
}
END_TEST

TCase *race_look(void)
{
	TCase *tc = tcase_create("look");

	tcase_set_timeout(tc, 90);
	tcase_add_loop_test(tc, changed_after_the_first_look, 0, 2);
	tcase_add_test(tc, write_by_the_first_look);
	tcase_add_test(tc, flight_by_the_first_look);
	tcase_add_test(tc, store_by_the_first_look);
	return tc;
}
