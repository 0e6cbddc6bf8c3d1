// SPDX-License-Identifier: GPL-2.0-only
/* Somebody else wants to redirect the function that every write passes. */
#define _GNU_SOURCE
#include "ops.h"
#include "party.h"
#include "sealtest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITE	"generic_write_checks"
#define GATES	"/sys/kernel/debug/seal/gates"

static void check_refuses(const struct target *t)
{
	ck_assert_int_eq(pwrite(t->fd, "x", 1, SIZE), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	ck_assert_int_eq(pwrite(t->fd, "x", 1, 0), 1);
	ck_assert(!(st_status(t->fd).flags & SEAL_STATUS_DISARMED));
}

/* Another redirects it: SEAL says so, and works when that is over. */
START_TEST(another_was_first)
{
	struct seal_files out;
	struct party idle;
	struct target t;
	int dev;

	target_make(&t, FULL);
	ck_assert(st_at_rest());
	dev = st_session();
	party_start(&idle, op_fsync, &t);
	ck_assert_int_eq(park_try(0, &idle, WRITE), 0);
	ck_assert_int_eq(st_do_seal(dev, &t.fd, 1, 0, 0, 0, &out), -EBUSY);
	ck_assert_ptr_nonnull(strstr((char *)out.reason, WRITE));
	park_release(0);
	ck_assert(st_at_rest());

	st_seal(dev, t.fd);
	check_refuses(&t);
	check_frozen(dev, t.fd, "after another had the function");
	party_go(&idle);
	ck_assert_int_eq(party_join(&idle), 0);
	target_close(&t);
	close(dev);
}
END_TEST

/* We have it: nobody else may redirect it. */
START_TEST(another_comes_later)
{
	struct party idle;
	struct target t;
	int dev;

	target_make(&t, FULL);
	dev = st_session();
	party_start(&idle, op_fsync, &t);
	st_seal(dev, t.fd);
	ck_assert_int_eq(park_try(0, &idle, WRITE), EBUSY);
	check_refuses(&t);
	st_unseal(dev, t.fd);
	ck_assert(st_at_rest());
	ck_assert_int_eq(park_try(0, &idle, WRITE), 0);
	park_release(0);
	party_go(&idle);
	ck_assert_int_eq(party_join(&idle), 0);
	target_close(&t);
	close(dev);
}
END_TEST

static TCase *race_conflict(void)
{
	TCase *tc = tcase_create("conflict");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, another_was_first);
	tcase_add_test(tc, another_comes_later);
	return tc;
}

ST_CASE(conflict, race_conflict, ST_NOWHERE);
