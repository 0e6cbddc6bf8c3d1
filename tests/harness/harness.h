/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes tests a program. A file of tests ends with the function that puts them
 * together and a line that makes it known:
 *
 *	ST_CASE(rights, abi_rights, ST_HERE);
 *
 * and needs no other edit: main() is in program.c, and the Makefile takes every file
 * of the folder. Where that has folders in it, their names are part of the cases'. The
 * program's arguments are the cases to run, none means all, which must have the same
 * anchor.
 *
 *   --case GLOB       only the tests whose CASE/TEST matches
 *   --list            print them as CASE/TEST, run nothing
 *   --first-failure   skip what comes after a test that failed
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <check.h>

/*
 * Where a file is sealed while the tests run, so that not each of them attaches the
 * gates and detaches them. On the same filesystem: then nobody waits for calls that
 * are older, either. On another one, $RACE_ANCHOR: only the gates are there, and
 * repair is not refused. Nowhere: nothing is attached.
 */
enum st_anchor { ST_HERE, ST_AWAY, ST_NOWHERE };

struct st_case {
	const char *name, *file;
	TCase *(*make)(void);
	enum st_anchor anchor;
	struct st_case *next;
};

void st_register(struct st_case *c);

#define ST_CASE(NAME, MAKE, ANCHOR)					\
	static struct st_case MAKE ## _case = {				\
		.name = #NAME, .file = __FILE__, .make = MAKE,		\
		.anchor = ANCHOR,					\
	};								\
	__attribute__((constructor)) static void MAKE ## _register(void)	\
	{								\
		st_register(&MAKE ## _case);				\
	}								\
	extern int st_no_semicolon

/* The tests of a case pass through here, so that they can be chosen and listed. */
void st_add_test(TCase *tc, const TTest *test, int start, int end);

#undef tcase_add_test
#undef tcase_add_loop_test
#define tcase_add_test(tc, test)	st_add_test(tc, test, 0, 1)
#define tcase_add_loop_test(tc, test, start, end)	\
	st_add_test(tc, test, start, end)

/* A test body that cannot run says why and returns. */
#define ST_SKIP(...)				\
	do {					\
		st_skip(__func__, __VA_ARGS__);	\
		return;				\
	} while (0)

void st_skip(const char *test, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Run a suite, print a line per test and the closing line. */
int st_main(Suite *suite);

/*
 * Keep one file sealed from now on, and its block granted: the gates and the probe
 * that reads maps stay in place. Under emulation attaching them takes most of the
 * time.
 */
void st_anchor(void);

#endif /* HARNESS_H */
