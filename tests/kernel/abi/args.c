// SPDX-License-Identifier: GPL-2.0-only
/* Sizes, flags, reserved members, ranges and command numbers. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Each command with a structure that would be accepted. */
enum command {
	INFO, PREALLOC, UNSHARE, SEAL, UNSEAL, STATUS, REVOKE, COMMANDS
};

/* One that has not grown since. */
#define SIZES(nr, type)	{ nr, sizeof(type), sizeof(type) }

static const struct {
	unsigned long nr;
	uint32_t size;
	uint32_t first;		/* as it was published first */
} commands[COMMANDS] = {
	[INFO] = SIZES(SEAL_IOC_INFO, struct seal_info),
	[PREALLOC] = SIZES(SEAL_IOC_PREALLOC, struct seal_range_op),
	[UNSHARE] = SIZES(SEAL_IOC_UNSHARE, struct seal_range_op),
	[SEAL] = SIZES(SEAL_IOC_SEAL, struct seal_files),
	[UNSEAL] = { SEAL_IOC_UNSEAL, sizeof(struct seal_unseal),
		     offsetof(struct seal_unseal, claim) },
	[STATUS] = { SEAL_IOC_STATUS, sizeof(struct seal_status),
		     offsetof(struct seal_status, generation) },
	[REVOKE] = SIZES(SEAL_IOC_REVOKE, struct seal_revoke),
};

union request {
	uint32_t size;
	struct seal_info info;
	struct seal_range_op range;
	struct seal_files files;
	struct seal_unseal unseal;
	struct seal_status status;
	struct seal_revoke revoke;
	unsigned char bytes[3 * 4096];
};

static union request req;
static int dev, fd;
static int fds[1];

static void setup(void)
{
	dev = st_session();
	fd = st_create_written("args", 65536);
	fds[0] = fd;
}

static void teardown(void)
{
	close(fd);
	close(dev);
	st_remove("args");
}

static void fill(enum command c)
{
	memset(&req, 0, sizeof(req));
	req.size = commands[c].size;
	switch (c) {
	case PREALLOC:
	case UNSHARE:
		req.range.fd = fd;
		req.range.length = 4096;
		break;
	case SEAL:
		req.files.nr_fds = 1;
		req.files.fds = (uintptr_t)fds;
		break;
	case UNSEAL:
		req.unseal.fd = fd;
		break;
	case STATUS:
		req.status.fd = fd;
		break;
	case REVOKE:
		req.revoke.fd = fd;
		break;
	default:
		break;
	}
}

static int call(enum command c)
{
	return st_do_ioctl(dev, commands[c].nr, &req);
}

START_TEST(plain_request)
{
	fill(_i);
	ck_assert_int_eq(call(_i), 0);
}
END_TEST

START_TEST(size_too_small)
{
	fill(_i);
	req.size = commands[_i].first - 1;
	ck_assert_int_eq(call(_i), -EINVAL);
	req.size = 4;
	ck_assert_int_eq(call(_i), -EINVAL);
	req.size = 0;
	ck_assert_int_eq(call(_i), -EINVAL);
	ck_assert(!st_sealed(fd));
}
END_TEST

/* Callers that know less than the module get what they know, and no more. */
START_TEST(shorter)
{
	unsigned int old = offsetof(struct seal_status, generation);

	fill(STATUS);
	req.size = old;
	memset(req.bytes + old, 0xa5, sizeof(struct seal_status) - old);
	ck_assert_int_eq(call(STATUS), 0);
	ck_assert_uint_eq(req.status.file_size, 65536);
	for (unsigned int i = old; i < sizeof(struct seal_status); i++)
		ck_assert_uint_eq(req.bytes[i], 0xa5);
}
END_TEST

START_TEST(longer_zero_tail)
{
	fill(_i);
	req.size = commands[_i].size + 24;
	ck_assert_int_eq(call(_i), 0);
	fill(_i);
	req.size = 4096;
	ck_assert_int_eq(call(_i), 0);
}
END_TEST

START_TEST(longer_nonzero_tail)
{
	fill(_i);
	req.size = commands[_i].size + 24;
	req.bytes[commands[_i].size + 23] = 1;
	ck_assert_int_eq(call(_i), -E2BIG);
	fill(_i);
	req.size = commands[_i].size + 1;
	req.bytes[commands[_i].size] = 1;
	ck_assert_int_eq(call(_i), -E2BIG);
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(longer_than_a_page)
{
	fill(_i);
	req.size = 4097;
	ck_assert_int_eq(call(_i), -E2BIG);
	req.size = 0xffffffff;
	ck_assert_int_eq(call(_i), -E2BIG);
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(results_end_at_size)
{
	/* What lies behind the size the caller gave is the caller's. */
	fill(_i);
	memset(req.bytes + commands[_i].size, 0x5a, 64);
	ck_assert_int_eq(call(_i), 0);
	for (unsigned int i = 0; i < 64; i++)
		ck_assert_uint_eq(req.bytes[commands[_i].size + i], 0x5a);
	ck_assert_uint_eq(req.size, commands[_i].size);
}
END_TEST

START_TEST(misaligned)
{
	static unsigned char room[sizeof(req) + 8];

	/* One byte off: x86 may do it; what counts is a clean result. */
	fill(_i);
	memcpy(room + 1, &req, commands[_i].size);
	ck_assert_int_eq(st_do_ioctl(dev, commands[_i].nr, room + 1), 0);
}
END_TEST

START_TEST(unknown_flags)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		uint32_t flag = 1U << bit;

		if (!(flag & SEAL_PREALLOC_ALL)) {
			fill(PREALLOC);
			req.range.flags = flag;
			ck_assert_int_eq(call(PREALLOC), -EINVAL);
		}
		fill(UNSHARE);
		req.range.flags = flag;
		ck_assert_int_eq(call(UNSHARE), -EINVAL);
		if (!(flag & SEAL_SEAL_ALL)) {
			fill(SEAL);
			req.files.flags = flag;
			ck_assert_int_eq(call(SEAL), -EINVAL);
		}
		if (!(flag & SEAL_REQ_ALL)) {
			fill(SEAL);
			req.files.require = flag;
			ck_assert_int_eq(call(SEAL), -EINVAL);
		}
		if (!(flag & SEAL_ASK_ALL)) {
			fill(STATUS);
			req.status.ask = flag;
			ck_assert_int_eq(call(STATUS), -EINVAL);
		}
		if (!(flag & SEAL_UNSEAL_ALL)) {
			fill(UNSEAL);
			req.unseal.flags = flag;
			ck_assert_int_eq(call(UNSEAL), -EINVAL);
		}
	}
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(reserved_members)
{
	fill(PREALLOC);
	req.range.reserved = 1;
	ck_assert_int_eq(call(PREALLOC), -EINVAL);
	fill(UNSHARE);
	req.range.reserved = 1U << 31;
	ck_assert_int_eq(call(UNSHARE), -EINVAL);
	fill(SEAL);
	req.files.recall_ms = 1;
	ck_assert_int_eq(call(SEAL), -EINVAL);
	fill(UNSEAL);
	req.unseal.reserved = 1;
	ck_assert_int_eq(call(UNSEAL), -EINVAL);
	fill(STATUS);
	req.status.reserved = 1;
	ck_assert_int_eq(call(STATUS), -EINVAL);
	fill(STATUS);
	req.status.reserved2 = 1;
	ck_assert_int_eq(call(STATUS), -EINVAL);
	ck_assert(!st_sealed(fd));
}
END_TEST

/* A claim is named by its number, and by nothing else. */
START_TEST(unseal_by_number)
{
	struct seal_unseal good = {
		.size = sizeof(good),
		.fd = -1,
		.flags = SEAL_UNSEAL_CLAIM,
		.claim = UINT64_MAX,
	};

	fill(UNSEAL);
	req.unseal.claim = 1;
	ck_assert_int_eq(call(UNSEAL), -EINVAL);
	req.unseal = good;
	ck_assert_int_eq(call(UNSEAL), -ENOENT);
	req.unseal.claim = 0;
	ck_assert_int_eq(call(UNSEAL), -ENOENT);
	req.unseal = good;
	req.unseal.fd = fd;
	ck_assert_int_eq(call(UNSEAL), -EINVAL);
	req.unseal = good;
	req.unseal.flags |= SEAL_UNSEAL_STICKY;
	ck_assert_int_eq(call(UNSEAL), -EINVAL);
	req.unseal = good;
	req.unseal.reserved = 1;
	ck_assert_int_eq(call(UNSEAL), -EINVAL);
}
END_TEST

START_TEST(recall_has_a_time)
{
	static const struct {
		uint32_t flags, ms;
	} bad[] = {
		{ 0, 1000 },
		{ SEAL_SEAL_RECALL, 0 },
		{ SEAL_SEAL_RECALL, SEAL_RECALL_MAX_MS + 1 },
		{ SEAL_SEAL_RECALL | SEAL_SEAL_STICKY, 1000 },
		{ SEAL_SEAL_STICKY, 1000 },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fill(SEAL);
		req.files.flags = bad[i].flags;
		req.files.recall_ms = bad[i].ms;
		ck_assert_int_eq(call(SEAL), -EINVAL);
	}
	ck_assert(!st_sealed(fd));
	fill(SEAL);
	req.files.flags = SEAL_SEAL_RECALL;
	req.files.recall_ms = SEAL_RECALL_MAX_MS;
	ck_assert_int_eq(call(SEAL), 0);
	ck_assert(st_sealed(fd));
}
END_TEST

START_TEST(max_extents_needs_its_bit)
{
	fill(SEAL);
	req.files.max_extents = 10;
	ck_assert_int_eq(call(SEAL), -EINVAL);
	req.files.require = SEAL_REQ_ALL & ~SEAL_REQ_EXTENTS;
	ck_assert_int_eq(call(SEAL), -EINVAL);
	fill(SEAL);
	req.files.max_extents = 1000;
	req.files.require = SEAL_REQ_EXTENTS;
	ck_assert_int_eq(call(SEAL), 0);
}
END_TEST

START_TEST(number_of_files)
{
	fill(SEAL);
	req.files.nr_fds = 0;
	ck_assert_int_eq(call(SEAL), -EINVAL);
	fill(SEAL);
	req.files.nr_fds = SEAL_MAX_FILES + 1;
	ck_assert_int_eq(call(SEAL), -EINVAL);
	fill(SEAL);
	req.files.nr_fds = 0xffffffff;
	ck_assert_int_eq(call(SEAL), -EINVAL);
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(same_file_many_times)
{
	int many[SEAL_MAX_FILES];
	struct seal_files out;

	for (unsigned int i = 0; i < SEAL_MAX_FILES; i++)
		many[i] = fd;
	ck_assert_int_eq(st_do_seal(dev, many, SEAL_MAX_FILES, 0, 0, 0, &out),
			 0);
	ck_assert_uint_eq(st_status(fd).holders, 1);
	st_unseal(dev, fd);
	ck_assert(!st_sealed(fd));
}
END_TEST

static const struct {
	uint64_t offset, length;
} bad_ranges[] = {
	{ 0, 1ULL << 63 },
	{ 1ULL << 63, 4096 },
	{ INT64_MAX, 1 },
	{ INT64_MAX - 4095, 8192 },
	{ UINT64_MAX - 4095, 4096 },
	{ UINT64_MAX, 2 },
	{ 4096, UINT64_MAX },
	{ UINT64_MAX, UINT64_MAX },
};

START_TEST(range_beyond_limits)
{
	static const enum command both[] = { PREALLOC, UNSHARE };
	int ret;

	for (unsigned int i = 0; i < 2; i++) {
		fill(both[i]);
		req.range.offset = bad_ranges[_i].offset;
		req.range.length = bad_ranges[_i].length;
		ret = call(both[i]);
		ck_assert_msg(ret == -EINVAL || ret == -EFBIG,
			      "offset %llx length %llx: %d",
			      (unsigned long long)bad_ranges[_i].offset,
			      (unsigned long long)bad_ranges[_i].length, ret);
	}
	ck_assert_uint_eq(st_status(fd).file_size, 65536);
}
END_TEST

START_TEST(range_beyond_maximal_file)
{
	int ret;

	/* A valid off_t that the filesystem cannot hold, or has no room for. */
	fill(PREALLOC);
	req.range.offset = 1ULL << 62;
	req.range.length = 4096;
	ret = call(PREALLOC);
	ck_assert_msg(ret == -EFBIG || ret == -EINVAL || (st_is_xfs() && !ret),
		      "%d", ret);
}
END_TEST

START_TEST(written_keep_size_beyond_eof)
{
	fill(PREALLOC);
	req.range.flags = SEAL_PREALLOC_WRITTEN | SEAL_PREALLOC_KEEP_SIZE;
	req.range.offset = 65536;
	req.range.length = 65536;
	ck_assert_int_eq(call(PREALLOC), -EINVAL);
}
END_TEST

static bool is_command(unsigned int nr)
{
	return nr <= _IOC_NR(SEAL_IOC_REVOKE) ||
	       (nr >= _IOC_NR(SEAL_IOC_GRANT) && nr <= _IOC_NR(SEAL_IOC_PLACES));
}

START_TEST(unknown_commands)
{
	char buf[256] = { 0 };

	for (unsigned int nr = 0; nr < 256; nr++)
		if (!is_command(nr))
			ck_assert_int_eq(st_do_ioctl(dev,
				_IOC(_IOC_READ | _IOC_WRITE, SEAL_IOC_MAGIC, nr,
				     sizeof(struct seal_files)), buf), -ENOTTY);
	ck_assert_int_eq(st_do_ioctl(dev, _IOWR(SEAL_IOC_MAGIC + 1, 0,
						struct seal_info), buf),
			 -ENOTTY);
	ck_assert_int_eq(st_do_ioctl(dev, _IO(SEAL_IOC_MAGIC, 0), buf),
			 -ENOTTY);
	ck_assert_int_eq(st_do_ioctl(dev, 0, buf), -ENOTTY);
	ck_assert_int_eq(st_do_ioctl(dev, 0xffffffff, buf), -ENOTTY);
	ck_assert_int_eq(st_do_ioctl(dev, FS_IOC_GETFLAGS, buf), -ENOTTY);
}
END_TEST

static TCase *abi_args(void)
{
	TCase *tc = tcase_create("args");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, plain_request, 0, COMMANDS);
	tcase_add_loop_test(tc, size_too_small, 0, COMMANDS);
	tcase_add_test(tc, shorter);
	tcase_add_loop_test(tc, longer_zero_tail, 0, COMMANDS);
	tcase_add_loop_test(tc, longer_nonzero_tail, 0, COMMANDS);
	tcase_add_loop_test(tc, longer_than_a_page, 0, COMMANDS);
	tcase_add_loop_test(tc, results_end_at_size, 0, COMMANDS);
	tcase_add_loop_test(tc, misaligned, 0, COMMANDS);
	tcase_add_test(tc, unknown_flags);
	tcase_add_test(tc, reserved_members);
	tcase_add_test(tc, unseal_by_number);
	tcase_add_test(tc, recall_has_a_time);
	tcase_add_test(tc, max_extents_needs_its_bit);
	tcase_add_test(tc, number_of_files);
	tcase_add_test(tc, same_file_many_times);
	tcase_add_loop_test(tc, range_beyond_limits, 0,
			    sizeof(bad_ranges) / sizeof(bad_ranges[0]));
	tcase_add_test(tc, range_beyond_maximal_file);
	tcase_add_test(tc, written_keep_size_beyond_eof);
	tcase_add_test(tc, unknown_commands);
	return tc;
}

ST_CASE(args, abi_args, ST_HERE);
