// SPDX-License-Identifier: GPL-2.0-only
/* Errors name the cause and the remedy. */
#include <errno.h>
#include <string.h>

#include "base/errors.h"
#include "base/sealctl.h"
#include "unit.h"

/* Freed by the next begin(), the last one by the end of the process. */
static char *text;
static size_t length;

static FILE *begin(void)
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	ck_assert_ptr_nonnull(out);
	return out;
}

static void has(const char *part)
{
	ck_assert_msg(strstr(text, part), "\"%s\" lacks \"%s\"", text, part);
}

static void lacks(const char *part)
{
	ck_assert_msg(!strstr(text, part), "\"%s\" has \"%s\"", text, part);
}

static void end(FILE *out)
{
	fclose(out);
	ck_assert_msg(*text && !strchr(text, '\n'), "\"%s\"", text);
}

static void session(int error, int abi, const char *group)
{
	FILE *out = begin();

	explain_session(out, error, abi, group);
	end(out);
}

START_TEST(test_session)
{
	session(ENOENT, -ENOENT, NULL);
	has("not loaded");
	has("modprobe seal");
	session(ENXIO, -ENXIO, NULL);
	has("modprobe seal");
	session(EACCES, -EACCES, "disk");
	has("group \"disk\"");
	session(EACCES, -EACCES, "root");
	has("seal(4)");
	session(EACCES, -EACCES, NULL);
	has("be root");
	session(EMFILE, -EMFILE, NULL);
	has(strerror(EMFILE));
}
END_TEST

START_TEST(test_abi)
{
	session(EPROTO, SEAL_ABI_VERSION + 1, NULL);
	has("update sealctl");
	session(EPROTO, SEAL_ABI_VERSION - 1, NULL);
	has("update the module");
	session(EPROTO, -EPROTO, NULL);
	has("reload the module");
}
END_TEST

static void range(int error)
{
	FILE *out = begin();

	explain_range(out, error, "/x");
	end(out);
}

START_TEST(test_range)
{
	range(ETXTBSY);
	has("sealctl unseal /x");
	range(ENOSPC);
	has("make room");
	range(ECANCELED);
	has("the same command continues");
	range(EINTR);
	has("the same command continues");
	range(EIO);
	has(strerror(EIO));
}
END_TEST

static bool sealed_before;

static void sealing(int error, const struct seal_files *report)
{
	FILE *out = begin();

	explain_seal(out, error, report, "/x", sealed_before);
	end(out);
}

START_TEST(test_requirement)
{
	struct seal_files report = {
		.bad_require = SEAL_REQ_ALLOCATED,
		.bad_state = SEAL_RANGE_HOLE,
		.bad_offset = 4096,
		.bad_length = 8192,
	};

	sealing(EBADFD, &report);
	has("requirement \"allocated\"");
	has("8192 bytes at offset 4096");
	has("state hole");
	has("sealctl prealloc --written /x");

	report.bad_require = SEAL_REQ_UNSHARED;
	report.bad_state = SEAL_RANGE_COW;
	sealing(EBADFD, &report);
	has("copy-on-write");
	has("sealctl unshare /x");

	report.bad_require = SEAL_REQ_EXTENTS;
	report.bad_state = SEAL_RANGE_WRITTEN;
	report.max_extents = 7;
	sealing(EBADFD, &report);
	has("more than the 7 extents");
	has("at most");
	has("defragment");
	lacks("state");
	strcpy((char *)report.reason, "9 extents, at most 7 are asked for");
	sealing(EBADFD, &report);
	has("it has 9 extents, at most 7 are asked for");
	lacks("state");
	report.bad_require = SEAL_REQ_UNSHARED;
	report.bad_state = SEAL_RANGE_SHARED;
	strcpy((char *)report.reason, "shared extent");
	sealing(EBADFD, &report);
	has("state shared");
	lacks("shared extent");
}
END_TEST

/* What is refused for a sealed file is no advice, and leads in a circle. */
START_TEST(test_sealed_before)
{
	struct seal_files report = {
		.bad_require = SEAL_REQ_ALLOCATED,
		.bad_state = SEAL_RANGE_HOLE,
		.bad_length = 8192,
		.max_extents = 7,
	};
	FILE *out;

	sealed_before = true;
	sealing(EBADFD, &report);
	has("sealed already");
	has("sealctl unseal /x");
	has("sealctl seal --prepare /x");
	lacks("prealloc");
	report.bad_require = SEAL_REQ_UNSHARED;
	sealing(EBADFD, &report);
	has("sealctl unseal /x");
	lacks("unshare /x");
	report.bad_require = SEAL_REQ_EXTENTS;
	sealing(EBADFD, &report);
	has("sealctl unseal /x");
	has("defragment");
	lacks("--prepare");
	sealed_before = false;
	out = begin();
	explain_unmet(out, SEAL_REQ_WRITTEN, "/x", true);
	end(out);
	has("sealctl unseal /x");
	lacks("prealloc");
}
END_TEST

START_TEST(test_reason)
{
	struct seal_files report = { .reason = "because" };

	sealing(EOPNOTSUPP, &report);
	has("because");
	has("sealctl info");
	sealing(EBUSY, &report);
	has("because");
	sealing(EIO, &report);
	has("because");
	has(strerror(EIO));
	sealing(EPERM, &report);
	has("because");
	has("CAP_LINUX_IMMUTABLE");
}
END_TEST

/* Whatever comes, something sensible is said. */
START_TEST(test_any)
{
	const struct seal_files report = { 0 };

	range(_i);
	sealing(_i, &report);
	session(_i, -_i, NULL);
	free(text);
	text = NULL;
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("errors");

	tcase_add_test(tests, test_session);
	tcase_add_test(tests, test_abi);
	tcase_add_test(tests, test_range);
	tcase_add_test(tests, test_requirement);
	tcase_add_test(tests, test_sealed_before);
	tcase_add_test(tests, test_reason);
	tcase_add_loop_test(tests, test_any, 1, 134);
	return run_tests(tests, "errors");
}
