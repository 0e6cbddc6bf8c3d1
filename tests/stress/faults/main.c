// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation is repeated with its first, second, ... chance to fail taken,
 * later in larger steps, until it has no more. Whatever fails: the error says
 * what happened, what was sealed still is, nothing else is, and the next attempt
 * works.
 */
#include "faults.h"
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than any operation has; a walk that gets there does not end. */
#define MAX_POINTS	5000
/* So many chances are taken one by one; of later ones, one in nth / STRIDE. */
#define DENSE	16
#define STRIDE	8

static bool at_rest;

/* The kernel that injects failures is slow; with SEAL_LONG=1 all are taken. */
static unsigned int next(unsigned int nth)
{
	return nth < DENSE || st_long() ? nth + 1 : nth + 1 + nth / STRIDE;
}

static bool sensible(const struct op *op, int ret)
{
	/* XFS lacked memory where it wrote back */
	if (ret == -EIO)
		return !strcmp(op->name, "prealloc-written");
	return !ret || ret == -ENOMEM || ret == -EFAULT;
}

static void probes_are_gone(const char *name, unsigned int nth)
{
	ck_assert_msg(st_at_rest(), "%s, failure %u: gates are left", name, nth);
}

/* One attempt: was a failure injected? */
static bool attempt(const struct op *op, unsigned int nth, int *ret)
{
	struct state s = { .dev = -1, .fd = { -1, -1 } };
	bool hit;

	op->before(&s);
	inject_arm(nth);
	*ret = op->call(&s);
	hit = inject_disarm();
	if (hit)
		ck_assert_msg(*ret == op->result || sensible(op, *ret),
			      "%s, failure %u: %s", op->name, nth,
			      strerror(-*ret));
	else
		ck_assert_msg(*ret == op->result, "%s, no failure: %s",
			      op->name, strerror(-*ret));
	op->after(&s, *ret);
	op->end(&s);
	if (at_rest)
		probes_are_gone(op->name, nth);
	return hit;
}

START_TEST(walk)
{
	const struct op *op = &ops[_i];
	unsigned int nth, taken = 0, refused = 0;
	double start = st_now();
	int ret;

	if (op->xfs && !st_is_xfs())
		return;
	/* Without any, to have everything in memory that will be needed. */
	attempt(op, MAX_POINTS, &ret);
	for (nth = 1; attempt(op, nth, &ret); nth = next(nth), taken++) {
		ck_assert_msg(nth < MAX_POINTS, "%s: no end", op->name);
		refused += ret != op->result;
	}
	printf("%s: %u failures, of fewer than %u; %u of them refused the call (%.0f s)\n",
	       op->name, taken, nth, refused, st_now() - start);
	ck_assert_msg(nth > 1, "%s: nothing can fail", op->name);
}
END_TEST

static void setup(void)
{
	const char *problem = inject_setup();

	ck_assert_msg(!problem, "%s", problem);
}

/* $OPS chooses operations. */
static bool chosen(const char *name)
{
	const char *some = getenv("OPS"), *at;
	size_t length = strlen(name);

	if (!some || !*some)
		return true;
	for (at = some; (at = strstr(at, name)); at++)
		if ((at == some || at[-1] == ' ') &&
		    (!at[length] || at[length] == ' '))
			return true;
	return false;
}

static TCase *add_walks(const char *name, bool rest)
{
	TCase *tc = tcase_create(name);

	at_rest = rest;
	tcase_set_timeout(tc, 3600);
	tcase_add_unchecked_fixture(tc, setup, NULL);
	for (unsigned int i = 0; i < nr_ops; i++)
		if (chosen(ops[i].name))
			tcase_add_loop_test(tc, walk, i, i + 1);
	return tc;
}

/* Another file is sealed all the time, all probes are in place. */
static TCase *faults_attached(void)
{
	return add_walks("attached", false);
}

ST_CASE(attached, faults_attached, ST_HERE);

/* Each operation begins and ends without any. */
static TCase *faults_rest(void)
{
	return add_walks("rest", true);
}

ST_CASE(rest, faults_rest, ST_NOWHERE);
