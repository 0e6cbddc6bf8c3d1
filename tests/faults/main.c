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

/*
 * Seal a file and have its block granted, which keeps the gates and the probe that
 * reads maps in place until this process ends. NULL, or what failed.
 */
static const char *anchor(void)
{
	struct seal_grant_extent extents[SEAL_GRANT_MIN_EXTENTS];
	static char block[4096];
	struct seal_grant grant = {
		.size = sizeof(grant), .flags = SEAL_GRANT_WRITTEN,
		.nr_extents = SEAL_GRANT_MIN_EXTENTS,
		.extents = (uintptr_t)extents, .length = sizeof(block),
	};
	int dev = open(ST_DEVICE, O_RDWR | O_CLOEXEC);
	const char *dir = getenv("SEAL_DIR");
	char path[256];

	/* outside of tests nothing can be asserted */
	snprintf(path, sizeof(path), "%s/anchor", dir ? dir : ".");
	grant.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dev < 0 || grant.fd < 0 ||
	    pwrite(grant.fd, block, sizeof(block), 0) != sizeof(block) ||
	    fsync(grant.fd))
		return "no file to keep sealed";
	if (st_do_seal_one(dev, grant.fd) ||
	    st_do_ioctl(dev, SEAL_IOC_GRANT, &grant))
		return "no seal and grant to keep";
	return NULL;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 3;
}

/*
 * usage: faults attached|rest [OP...]
 * attached: another file is sealed all the time, all probes are in place.
 * rest: each operation begins and ends without any.
 */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("faults");
	TCase *tc = tcase_create("walk");
	const char *problem;

	at_rest = argc > 1 && !strcmp(argv[1], "rest");
	if (!at_rest && (argc < 2 || strcmp(argv[1], "attached"))) {
		fprintf(stderr, "usage: faults attached|rest [OP...]\n");
		return 2;
	}
	problem = inject_setup();
	if (problem) {
		fprintf(stderr, "%s\n", problem);
		return 2;
	}
	tcase_set_timeout(tc, 3600);
	for (unsigned int i = 0; i < nr_ops; i++)
		if (wanted(ops[i].name, argc, argv))
			tcase_add_loop_test(tc, walk, i, i + 1);
	suite_add_tcase(suite, tc);
	problem = at_rest ? NULL : anchor();
	if (problem) {
		fprintf(stderr, "%s\n", problem);
		return 2;
	}
	return st_main(suite);
}
