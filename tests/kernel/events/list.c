// SPDX-License-Identifier: GPL-2.0-only
/* The list of claims. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct seal_list *open_list(void)
{
	struct seal_list *list;
	int ret = seal_list_open(&list);

	ck_assert_msg(!ret, "seal_list_open: %s", strerror(-ret));
	return list;
}

/* The claims on a file, oldest first, up to @max. The paths are lost. */
static unsigned int claims_on(int fd, struct seal_claim *claims,
			      unsigned int max)
{
	struct seal_list *list = open_list();
	const struct seal_claim *claim;
	unsigned int nr = 0;
	struct stat st;
	int ret;

	ck_assert_int_eq(fstat(fd, &st), 0);
	while ((ret = seal_list_next(list, &claim)) > 0) {
		if (claim->inode != st.st_ino ||
		    makedev(claim->dev_major, claim->dev_minor) != st.st_dev)
			continue;
		ck_assert_uint_lt(nr, max);
		claims[nr] = *claim;
		claims[nr].path = claim->path ? strdup(claim->path) : NULL;
		claims[nr].comm = strdup(claim->comm);
		nr++;
	}
	ck_assert_msg(!ret, "seal_list_next: %s", strerror(-ret));
	seal_list_close(list);
	return nr;
}

START_TEST(what_is_listed)
{
	int fd = st_create_written("listed", 65536);
	int a = st_session(), b = st_session();
	struct seal_claim claims[4], *c = claims;
	struct seal_status status;
	struct seal_files out;
	char path[256], other[256];

	ck_assert_uint_eq(claims_on(fd, claims, 4), 0);
	ck_assert_int_eq(st_do_seal(a, &fd, 1, 0, SEAL_REQ_ALLOCATED |
				    SEAL_REQ_EXTENTS, 7, &out), 0);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	status = st_status(fd);
	ck_assert_uint_eq(claims_on(fd, claims, 4), 1);
	st_path(path, sizeof(path), "listed");
	ck_assert_msg(c->path, "no path");
	ck_assert_str_eq(c->path, path);
	ck_assert(!c->deleted);
	ck_assert_uint_eq(c->pid, getpid());
	ck_assert_uint_eq(c->uid, 0);
	ck_assert_str_eq(c->comm, program_invocation_short_name);
	ck_assert_uint_lt(c->since / 1000000000 - time(NULL) + 600, 1200);
	ck_assert_uint_eq(c->require, SEAL_REQ_ALLOCATED | SEAL_REQ_EXTENTS);
	ck_assert_uint_eq(c->max_extents, 7);
	ck_assert_uint_eq(c->flags, SEAL_STATUS_SEALED);
	ck_assert_uint_eq(c->holders, 1);
	ck_assert_uint_eq(c->file_size, 65536);
	ck_assert_uint_eq(c->extents, status.extents);
	ck_assert_uint_eq(c->in_place, status.in_place);
	ck_assert_uint_eq(c->refused, 1);
	ck_assert_uint_eq(c->broken, 0);

	/* Every holder has a line, in the order in which they came. */
	ck_assert_int_eq(st_do_seal(b, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out), 0);
	st_seal(b, fd);
	st_path(other, sizeof(other), "renamed");
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert_uint_eq(claims_on(fd, claims, 4), 3);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_uint_eq(claims[i].holders, 3);
		ck_assert_str_eq(claims[i].path, other);
		ck_assert_uint_eq(!!(claims[i].flags & SEAL_STATUS_STICKY), i == 1);
		ck_assert(!i || claims[i].claim > claims[i - 1].claim);
	}

	close(a);
	st_remove("renamed");
	ck_assert_uint_eq(claims_on(fd, claims, 4), 2);
	ck_assert_str_eq(claims[0].path, other);
	ck_assert(claims[0].deleted);
	ck_assert_int_eq(st_do_unseal(b, fd, SEAL_UNSEAL_STICKY), 0);
	ck_assert_uint_eq(claims_on(fd, claims, 4), 1);
	ck_assert(!(claims[0].flags & SEAL_STATUS_STICKY));
	st_unseal(b, fd);
	ck_assert_uint_eq(claims_on(fd, claims, 4), 0);
	close(b);
	close(fd);
}
END_TEST

#define JAIL	"/run/seal-jail"

/* Where the caller cannot go, the path is not told. */
START_TEST(out_of_reach)
{
	int fd = st_create_written("reach", 4096), dev = st_session(), status;
	struct seal_claim claim;
	pid_t pid;

	st_seal(dev, fd);
	mkdir(JAIL, 0755);
	mkdir(JAIL "/dev", 0755);
	ck_assert_int_eq(mount("/dev", JAIL "/dev", NULL, MS_BIND, NULL), 0);
	pid = fork();
	if (!pid) {
		if (chroot(JAIL) || claims_on(fd, &claim, 1) != 1)
			_exit(2);
		_exit(claim.path ? 3 : 0);
	}
	status = st_wait_child(pid, 20);
	ck_assert_int_eq(umount(JAIL "/dev"), 0);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	close(dev);
	close(fd);
}
END_TEST

/*
 * Many claims: each of SESSIONS holds each of FILES, while others come and go.
 */
#define FILES		100
#define STABLE_SESSIONS	(st_long() ? 1000U : 100U)

static pid_t churn(const int *fds)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	for (;;) {
		int dev = st_session();

		if (st_do_seal(dev, fds, FILES, 0, 0, 0, NULL))
			_exit(1);
		close(dev);
	}
}

/* One listing: how many of the claims of this process are in it, each once. */
static unsigned int count_mine(unsigned int *others)
{
	struct seal_list *list = open_list();
	const struct seal_claim *claim;
	unsigned int nr = 0;
	uint64_t last = 0;
	int ret;

	*others = 0;
	while ((ret = seal_list_next(list, &claim)) > 0) {
		ck_assert_uint_gt(claim->claim, last);
		last = claim->claim;
		if (claim->pid == (uint32_t)getpid())
			nr++;
		else
			(*others)++;
	}
	ck_assert_msg(!ret, "seal_list_next: %s", strerror(-ret));
	seal_list_close(list);
	return nr;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 +
	       usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

START_TEST(many_while_others_come_and_go)
{
	unsigned int sessions = STABLE_SESSIONS, others, seen = 0;
	unsigned int rounds = st_long() ? 5 : 2;
	struct rlimit limit = { 4096, 4096 };
	int fds[FILES], *devs = calloc(sessions, sizeof(*devs));
	double start, spent;
	char name[32];
	pid_t pid;

	ck_assert_ptr_nonnull(devs);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		fds[i] = st_create_written(name, 4096);
	}
	for (unsigned int i = 0; i < sessions; i++) {
		devs[i] = st_session();
		ck_assert_int_eq(st_do_seal(devs[i], fds, FILES, 0, 0, 0, NULL),
				 0);
	}
	pid = churn(fds);
	start = cpu_seconds();
	for (unsigned int i = 0; i < rounds; i++) {
		ck_assert_uint_eq(count_mine(&others), sessions * FILES);
		seen += others;
	}
	spent = (cpu_seconds() - start) / rounds;
	kill(pid, SIGKILL);
	ck_assert(WIFSIGNALED(st_wait_child(pid, 60)));
	printf("many_while_others_come_and_go: %u claims in %.2f s of CPU, and %u of others\n",
	       sessions * FILES, spent, seen);
	ck_assert_uint_gt(seen, 0);
	/*
	 * Half a second per 10 000 on a processor of its own. Time of an emulated
	 * one counts what others do on the host: this only sees another order.
	 */
	ck_assert_msg(spent < st_patience(10) * sessions * FILES / 10000,
		      "%.2f s for %u claims", spent, sessions * FILES);

	/* A listing that nobody reads to its end is no burden. */
	for (int i = 0; i < 20; i++) {
		struct seal_list *list = open_list();
		const struct seal_claim *claim;

		ck_assert_int_eq(seal_list_next(list, &claim), 1);
		seal_list_close(list);
	}
	for (unsigned int i = 0; i < sessions; i++)
		close(devs[i]);
	for (int i = 0; i < FILES; i++) {
		close(fds[i]);
		snprintf(name, sizeof(name), "many%d", i);
		st_remove(name);
	}
	free(devs);
}
END_TEST

static TCase *events_list(void)
{
	TCase *tc = tcase_create("list");

	tcase_set_timeout(tc, st_limit(200));
	tcase_add_test(tc, what_is_listed);
	tcase_add_test(tc, out_of_reach);
	tcase_add_test(tc, many_while_others_come_and_go);
	return tc;
}

ST_CASE(list, events_list, ST_HERE);
