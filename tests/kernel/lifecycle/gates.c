// SPDX-License-Identifier: GPL-2.0-only
/* The probes: gone when unused, noticed when switched off, seen in traces. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEBUG	"/sys/kernel/debug/kprobes/"
#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/seal"
#define TRACE	TRACING "trace"
/* what every write passes */
#define WRITE	"generic_write_checks"
#define FTRACE	"/proc/sys/kernel/ftrace_enabled"

static bool hooked(void)
{
	char *functions = st_read_file(TRACING "enabled_functions");
	bool hooked = strstr(functions, WRITE);

	free(functions);
	return hooked;
}

static bool some_probes(void)
{
	char *list = st_read_file(DEBUG "list");
	bool some = *list && hooked();

	free(list);
	return some;
}

static unsigned int attached(const char *name)
{
	struct seal_fs_info fs[32];
	struct seal_info info = {
		.size = sizeof(info),
		.nr_fs = 32,
		.fs = (uintptr_t)fs,
	};
	unsigned int found = 99;
	int dev = st_session();

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	for (uint32_t i = 0; i < info.nr_fs; i++)
		if (!strcmp((char *)fs[i].name, name))
			found = fs[i].attached ? 1 + fs[i].sealed : 0;
	close(dev);
	return found;
}

START_TEST(at_rest_nothing_is_hooked)
{
	const char *type = st_env("SEAL_TYPE");
	int a = st_create_written("a", 65536), b = st_create_written("b", 65536);
	int dev = st_session();

	ck_assert(st_at_rest());
	ck_assert_uint_eq(attached(type), 0);
	st_seal(dev, a);
	ck_assert(some_probes());
	ck_assert_uint_eq(attached(type), 2);
	st_seal(dev, b);
	ck_assert_uint_eq(attached(type), 3);
	st_unseal(dev, a);
	ck_assert(some_probes());
	ck_assert_uint_eq(attached(type), 2);
	st_unseal(dev, b);
	ck_assert(st_at_rest());
	ck_assert_uint_eq(attached(type), 0);

	/* A refused SEAL leaves nothing behind either. */
	ck_assert_int_eq(ftruncate(a, 1 << 20), 0);
	ck_assert_int_eq(st_do_seal(dev, &a, 1, 0, SEAL_REQ_ALLOCATED, 0, NULL),
			 -EBADFD);
	ck_assert(st_at_rest());
	st_seal(dev, b);
	close(dev);
	ck_assert(st_at_rest());
	close(a);
	close(b);
}
END_TEST

/* While a gate is attached ftrace cannot be switched off. */
START_TEST(ftrace_stays_on)
{
	int fd = st_create_written("hooked", 65536), dev = st_session();

	ck_assert(st_at_rest());
	st_seal(dev, fd);
	ck_assert(hooked());
	ck_assert_int_ne(st_do_write_file(FTRACE, "0"), 0);
	ck_assert(!(st_status(fd).flags & SEAL_STATUS_DISARMED));
	close(dev);
	close(fd);
	ck_assert(st_at_rest());
}
END_TEST

START_TEST(ftrace_off_before)
{
	int fd = st_create_written("off", 65536), dev = st_session(), ret;
	struct seal_files out;

	ck_assert(st_at_rest());
	ck_assert_int_eq(st_do_write_file(FTRACE, "0"), 0);
	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	ck_assert_int_eq(st_do_write_file(FTRACE, "1"), 0);
	ck_assert_int_eq(ret, -EBUSY);
	ck_assert_ptr_nonnull(strstr((char *)out.reason, "ftrace"));
	ck_assert(!st_sealed(fd));
	st_seal(dev, fd);
	close(dev);
	close(fd);
}
END_TEST

static void refuses_append(int fd)
{
	ck_assert_int_eq(pwrite(fd, "x", 1, 65536), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	ck_assert_int_eq(pwrite(fd, "x", 1, 65535), 1);
	ck_assert(!(st_status(fd).flags & SEAL_STATUS_DISARMED));
}

/* Somebody else traces the function: ftrace calls each of them in turn. */
START_TEST(traced_by_others)
{
	int fd = st_create_written("traced", 65536), dev = st_session();
	char *trace;

	ck_assert_int_eq(st_do_write_file(TRACING "set_ftrace_filter", WRITE), 0);
	for (int before = 0; before < 2; before++) {
		if (!before)
			st_seal(dev, fd);
		ck_assert_int_eq(st_do_write_file(TRACING "current_tracer",
						  "function"), 0);
		if (before)
			st_seal(dev, fd);
		refuses_append(fd);
		trace = st_read_file(TRACE);
		ck_assert_ptr_nonnull(strstr(trace, WRITE));
		free(trace);
		ck_assert_int_eq(st_do_write_file(TRACING "current_tracer",
						  "nop"), 0);
		refuses_append(fd);
		st_unseal(dev, fd);
		ck_assert(st_at_rest());
		ck_assert_int_eq(pwrite(fd, "x", 1, 65536), 1);
		ck_assert_int_eq(ftruncate(fd, 65536), 0);
	}
	ck_assert_int_eq(st_do_write_file(TRACING "set_ftrace_filter", "\n"), 0);
	close(dev);
	close(fd);
}
END_TEST

/*
 * With kprobes switched off the gates go on refusing. The last line does not work:
 * STATUS tells, also when it is long on again; SEAL refuses as long as it is off.
 */
START_TEST(kprobes_switched_off)
{
	int held = st_create_written("held", 65536);
	int other = st_create_written("other", 65536);
	struct seal_status before, during, after;
	int dev = st_session(), ret, cut, error;
	struct seal_files out;

	st_seal(dev, held);
	before = st_status(held);
	ck_assert_int_eq(st_do_write_file(DEBUG "enabled", "0"), 0);
	during = st_status(held);
	cut = ftruncate(held, 4096);
	error = errno;
	ret = st_do_seal(dev, &other, 1, 0, 0, 0, &out);
	ck_assert_int_eq(st_do_write_file(DEBUG "enabled", "1"), 0);
	after = st_status(held);

	ck_assert(!(before.flags & SEAL_STATUS_LAPSED));
	ck_assert(during.flags & SEAL_STATUS_LAPSED);
	ck_assert(during.flags & SEAL_STATUS_SEALED);
	ck_assert(!(during.flags & SEAL_STATUS_DISARMED));
	ck_assert_int_eq(cut, -1);
	ck_assert_int_eq(error, ETXTBSY);
	ck_assert_int_eq(ret, -EOPNOTSUPP);
	ck_assert_ptr_nonnull(strstr((char *)out.reason, "kprobes"));
	ck_assert(!st_sealed(other));

	ck_assert(after.flags & SEAL_STATUS_LAPSED);
	ck_assert_uint_eq(after.refused, 1);
	ck_assert_uint_eq(after.broken, 0);
	ck_assert_int_eq(ftruncate(held, 0), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	/* a seal that is made now has not been without the last line */
	st_seal(dev, other);
	ck_assert(!(st_status(other).flags & SEAL_STATUS_LAPSED));
	ck_assert_int_eq(ftruncate(other, 0), -1);
	st_unseal(dev, other);
	st_unseal(dev, held);
	ck_assert(st_at_rest());
	close(held);
	close(other);
	close(dev);
}
END_TEST

START_TEST(kprobes_switched_off_before)
{
	int fd = st_create_written("before", 65536), dev = st_session(), ret;
	struct seal_files out;

	/* Nothing is attached yet: the first SEAL must notice as well. */
	ck_assert_int_eq(st_do_write_file(DEBUG "enabled", "0"), 0);
	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	ck_assert_int_eq(st_do_write_file(DEBUG "enabled", "1"), 0);
	ck_assert_int_eq(ret, -EOPNOTSUPP);
	ck_assert_uint_ne(out.reason[0], 0);
	ck_assert(!st_sealed(fd));
	ck_assert(st_at_rest());
	st_seal(dev, fd);
	close(dev);
	close(fd);
}
END_TEST

static void trace_has(const char *trace, const char *event)
{
	ck_assert_msg(strstr(trace, event), "no %s in the trace:\n%s", event,
		      trace);
}

START_TEST(trace_events)
{
	int fd = st_create_written("trace", 65536), dev;
	char *trace, inode[32];
	struct stat st;

	ck_assert_msg(!access(EVENTS "/enable", W_OK), "no " EVENTS);
	ck_assert_int_eq(st_do_write_file(EVENTS "/enable", "1"), 0);
	close(open(TRACE, O_WRONLY | O_TRUNC));
	dev = st_session();
	st_seal(dev, fd);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(fallocate(fd, 0, 0, 1 << 20), -1);
	st_unseal(dev, fd);
	ck_assert_int_eq(st_do_write_file(EVENTS "/enable", "0"), 0);
	trace = st_read_file(TRACE);
	trace_has(trace, "seal_sealed:");
	trace_has(trace, "seal_refused:");
	trace_has(trace, "seal_unsealed:");
	/* Who: the line must lead to the file. */
	ck_assert_int_eq(fstat(fd, &st), 0);
	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)st.st_ino);
	trace_has(trace, inode);
	free(trace);
	close(dev);
	close(fd);
}
END_TEST

static TCase *life_gates(void)
{
	TCase *tc = tcase_create("gates");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, at_rest_nothing_is_hooked);
	tcase_add_test(tc, ftrace_stays_on);
	tcase_add_test(tc, ftrace_off_before);
	tcase_add_test(tc, traced_by_others);
	tcase_add_test(tc, kprobes_switched_off);
	tcase_add_test(tc, kprobes_switched_off_before);
	tcase_add_test(tc, trace_events);
	return tc;
}

ST_CASE(gates, life_gates, ST_NOWHERE);
