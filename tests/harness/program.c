// SPDX-License-Identifier: GPL-2.0-only
/* The main program of tests; harness.h describes it. */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct st_case *cases, **last = &cases;

/* What is being put together, and which of it is wanted */
static char current[64];
static const char *pattern;
static bool list, first_failure;
static TCase *with_fixture;

/* Every test is a process of its own: what they count is in shared memory. */
static struct shared {
	unsigned int skipped, begun, ended;
} *shared;

void st_register(struct st_case *c)
{
	*last = c;
	last = &c->next;
}

void st_skip(const char *test, const char *fmt, ...)
{
	va_list args;

	if (shared)
		__atomic_fetch_add(&shared->skipped, 1, __ATOMIC_RELAXED);
	printf("skipped: %s: ", test);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* A test that fails does not come to its end. */
static void begin(void)
{
	if (shared->begun != shared->ended)
		exit(0);
	shared->begun++;
}

static void end(void)
{
	shared->ended++;
}

void st_add_test(TCase *tc, const TTest *test, int start, int end_)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/%s", current, test->name);
	if (pattern && fnmatch(pattern, name, 0))
		return;
	for (int i = start; list && i < end_; i++)
		end_ - start > 1 ? printf("%s %d\n", name, i) : puts(name);
	if (list)
		return;
	if (first_failure && with_fixture != tc)
		tcase_add_checked_fixture(tc, begin, end);
	with_fixture = tc;
	(_tcase_add_test)(tc, test, 0, 0, start, end_);
}

int st_main(Suite *suite)
{
	SRunner *runner;
	int ran, failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return EXIT_FAILURE;
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_NORMAL);
	ran = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	printf("%d passed, %d failed, %u skipped\n",
	       ran - failed - (int)shared->skipped, failed, shared->skipped);
	if (!ran)
		fprintf(stderr, "no test %s, see --list\n",
			pattern ? "matches the pattern" : "has run");
	return failed || !ran ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void anchor_away(void)
{
	const char *dir = getenv("SEAL_DIR"), *away = getenv("RACE_ANCHOR");
	char *back = dir ? strdup(dir) : NULL;

	if (back && away) {
		setenv("SEAL_DIR", away, 1);
		st_anchor();
		setenv("SEAL_DIR", back, 1);
	}
	free(back);
}

/* FOLDER/NAME where the program has several folders, else NAME */
static const char *full_name(const struct st_case *c)
{
	const char *slash = strrchr(c->file, '/');

	snprintf(current, sizeof(current), "%.*s%s",
		 slash ? (int)(slash + 1 - c->file) : 0, c->file, c->name);
	return current;
}

static bool wanted(const struct st_case *c, int argc, char **argv)
{
	for (int i = optind; i < argc; i++)
		if (!strcmp(argv[i], full_name(c)))
			return true;
	return optind == argc;
}

static int usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--case GLOB] [--list] [--first-failure] [CASE...]\n"
		"cases, those of a line may run together:\n", program);
	for (int anchor = ST_HERE; anchor <= ST_NOWHERE; anchor++) {
		for (struct st_case *c = cases; c; c = c->next)
			if ((int)c->anchor == anchor)
				fprintf(stderr, "  %s", full_name(c));
		fputc('\n', stderr);
	}
	return 2;
}

static bool options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "case", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ "first-failure", no_argument, NULL, 'f' },
		{ 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (o) {
		case 'c':
			pattern = optarg;
			break;
		case 'l':
			list = true;
			break;
		case 'f':
			first_failure = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create(program_invocation_short_name);
	unsigned int chosen = 0, anchors = 0;

	if (!options(argc, argv))
		return usage(argv[0]);
	for (struct st_case *c = cases; c; c = c->next) {
		if (!wanted(c, argc, argv))
			continue;
		full_name(c);
		suite_add_tcase(suite, c->make());
		anchors |= 1U << c->anchor;
		chosen++;
	}
	if (list)
		return EXIT_SUCCESS;
	if ((argc > optind && chosen < (unsigned int)(argc - optind)) ||
	    !chosen || anchors & (anchors - 1))
		return usage(argv[0]);
	if (anchors == 1U << ST_HERE)
		st_anchor();
	if (anchors == 1U << ST_AWAY)
		anchor_away();
	return st_main(suite);
}
