// SPDX-License-Identifier: GPL-2.0-only
/*
 * While the gates are watched everything passes, and what passed must not be
 * missed. Then, between a first look at the map and the last one, the gates
 * decide with what was seen first: nor must what changes in between. The sealer
 * itself is parked there.
 */
#define _GNU_SOURCE
#include "hold.h"
#include "ops.h"
#include "party.h"
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WATCHING	"seal:seal_freeze_settle"
#define MAP_IS_READ	"seal:seal_freeze_close"
#define BEFORE_LOOK	"seal:seal_freeze_look"
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

static void check_changed(int dev, struct target *t, const char *what)
{
	struct seal_status status = st_status(t->fd);

	ck_assert_uint_eq(status.in_place, SIZE - LENGTH);
	ck_assert_int_eq(op_write(t), -ETXTBSY);
	ck_assert_int_eq(op_write_direct(t), -ETXTBSY);
	ck_assert_int_eq(op_store(t), -EFAULT);
	ck_assert_int_eq(pwrite(t->fd, t->buf, FROM, 0), FROM);
	check_frozen(dev, t->fd, what);
}

/* Where the sealer is while others come by: before and after it has read. */
static const char *const watching[] = { WATCHING, MAP_IS_READ };

START_TEST(changed_while_watched)
{
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, FULL);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, watching[_i / 2], 1);
	party_go(&sealing.party);
	park_wait(0);
	change(&t, changes[_i % 2]);
	park_release(0);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	check_changed(dev, &t, "changed while watched");
	target_close(&t);
	close(dev);
}
END_TEST

/* Nobody is refused for a seal that fails. */
START_TEST(written_while_watched)
{
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, _i % 2 ? ALL_HOLE : FULL);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, watching[_i / 2], 1);
	party_go(&sealing.party);
	park_wait(0);
	ck_assert_int_eq(op_write(&t), 0);
	ck_assert_int_eq(op_write_direct(&t), 0);
	ck_assert_int_eq(op_store(&t), 0);
	ck_assert_int_eq(pwrite(t.fd, "end", 3, SIZE - 1), 3);
	park_release(0);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	ck_assert_uint_eq(st_status(t.fd).file_size, SIZE + 2);
	ck_assert_int_eq(op_write(&t), 0);
	check_frozen(dev, t.fd, "written while watched");
	target_close(&t);
	close(dev);
}
END_TEST

/*
 * With the sealer parked at spot 0, a write passes and is parked, with the lock,
 * before it begins. The sealer, let go, waits for it.
 */
static int sealer_waits_for_write(struct sealing *sealing, struct party *racer,
				  unsigned int ms)
{
	park_set(2, racer, "iomap_dio_rw", 1);
	party_go(racer);
	park_wait(2);
	park_release(0);
	ck_assert_msg(!party_ends(&sealing->party, ms),
		      "SEAL returned %d while a write was under way",
		      sealing->party.ret);
	park_release(2);
	return party_join(racer);
}

/* The same, without the lock and in flight. */
static void sealer_waits_for_flight(struct sealing *sealing, struct target *t,
				    unsigned int ms)
{
	struct flight f;
	bool early;

	hold_writes(st_address(t->fd, FROM), LENGTH);
	flight_start(&f, t->direct, t->buf, LENGTH, FROM);
	park_release(0);
	early = party_ends(&sealing->party, ms);
	hold_end();
	ck_assert_msg(!early, "SEAL returned %d with a write in flight",
		      sealing->party.ret);
	ck_assert_int_eq(flight_end(&f), LENGTH);
}

START_TEST(write_while_watched)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct party racer;
	struct target t;

	target_make(&t, WITH_UNWRITTEN);
	party_start(&racer, op_write_direct, &t);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, MAP_IS_READ, 1);
	party_go(&sealing.party);
	park_wait(0);
	ck_assert_int_eq(sealer_waits_for_write(&sealing, &racer, ms), 0);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	ck_assert_uint_eq(st_status(t.fd).written, SIZE);
	check_frozen(dev, t.fd, "write while watched");
	target_close(&t);
	close(dev);
}
END_TEST

START_TEST(flight_while_watched)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, WITH_UNWRITTEN);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, MAP_IS_READ, 1);
	party_go(&sealing.party);
	park_wait(0);
	sealer_waits_for_flight(&sealing, &t, ms);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	ck_assert_uint_eq(st_status(t.fd).written, SIZE);
	check_frozen(dev, t.fd, "flight while watched");
	target_close(&t);
	close(dev);
}
END_TEST

/* A quiet file is read once; the gates are asked, not the map again. */
START_TEST(quiet_file_is_read_once)
{
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, WITH_HOLE);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &sealing.party, BEFORE_LOOK, 1);
	park_set(1, &sealing.party, BEFORE_READ, 2);
	party_go(&sealing.party);
	/* nobody lets it go: it would hang */
	ck_assert_int_eq(party_join(&sealing.party), 0);
	check_frozen(dev, t.fd, "quiet file");
	target_close(&t);
	close(dev);
}
END_TEST

/* Make a sealer look at the map first, and stand before it shuts the gates. */
static void go_look(struct sealing *sealing, struct target *t)
{
	park_set(0, &sealing->party, WATCHING, 1);
	park_set(1, &sealing->party, BEFORE_SHUT, 1);
	party_go(&sealing->party);
	park_wait(0);
	/* somebody comes by, and changes nothing */
	ck_assert_int_eq(fallocate(t->fd, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, SIZE, 4096), 0);
	park_release(0);
	park_wait(1);
}

START_TEST(changed_after_the_first_look)
{
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, FULL);
	sealing_start(&sealing, dev, t.fd);
	go_look(&sealing, &t);
	change(&t, changes[_i]);
	park_release(1);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	check_changed(dev, &t, "changed after the first look");
	target_close(&t);
	close(dev);
}
END_TEST

/* Up to the moment before the map is read, with a first look that is stale. */
static void go_stale(struct sealing *sealing, struct target *t)
{
	go_look(sealing, t);
	park_set(0, &sealing->party, BEFORE_READ, 1);
	change(t, WITH_UNWRITTEN);
	ck_assert_int_eq(fsync(t->fd), 0);
	park_release(1);
	park_wait(0);
}

static void check_end(struct sealing *sealing, struct target *t, bool written)
{
	struct seal_status status;

	ck_assert_int_eq(party_join(&sealing->party), 0);
	status = st_status(t->fd);
	ck_assert_uint_eq(status.written, written ? SIZE : SIZE - LENGTH);
	check_frozen(sealing->dev, t->fd, "write by the first look");
}

/* Let it pass because of the first look. */
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
	ret = sealer_waits_for_write(&sealing, &racer, ms);
	/* XFS asks once more, and then it is known that it must not. */
	ck_assert_msg(!ret || ret == -ETXTBSY, "%s", strerror(-ret));
	check_end(&sealing, &t, !ret);
	target_close(&t);
	close(dev);
}
END_TEST

START_TEST(flight_by_the_first_look)
{
	unsigned int ms = patience_ms();
	int dev = st_session();
	struct sealing sealing;
	struct target t;

	target_make(&t, FULL);
	sealing_start(&sealing, dev, t.fd);
	go_stale(&sealing, &t);
	sealer_waits_for_flight(&sealing, &t, ms);
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
	go_look(&sealing, &t);
	park_set(0, &sealing.party, BEFORE_READ, 1);
	park_set(2, &racer, "balance_dirty_pages_ratelimited", 1);
	party_go(&racer);
	park_wait(2);
	park_release(1);
	park_wait(0);
	park_release(2);
	ck_assert_int_eq(party_join(&racer), xfs ? -EFAULT : 0);
	park_release(0);
	ck_assert_int_eq(party_join(&sealing.party), 0);
	ck_assert_int_eq(*(volatile char *)(t.map + FROM), xfs ? 0 : *t.buf);
	ck_assert_int_eq(op_store(&t), 0);
	check_frozen(dev, t.fd, "store by the first look");
	target_close(&t);
	close(dev);
}
END_TEST

static TCase *race_look(void)
{
	TCase *tc = tcase_create("look");

	tcase_set_timeout(tc, 90);
	tcase_add_loop_test(tc, changed_while_watched, 0, 4);
	tcase_add_loop_test(tc, written_while_watched, 0, 4);
	tcase_add_test(tc, write_while_watched);
	tcase_add_test(tc, flight_while_watched);
	tcase_add_test(tc, quiet_file_is_read_once);
	tcase_add_loop_test(tc, changed_after_the_first_look, 0, 2);
	tcase_add_test(tc, write_by_the_first_look);
	tcase_add_test(tc, flight_by_the_first_look);
	tcase_add_test(tc, store_by_the_first_look);
	return tc;
}

ST_CASE(look, race_look, ST_HERE);
