// SPDX-License-Identifier: GPL-2.0-only
/* What the cases of tests/kernel/grant share; tests.h describes it. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int gr_create_unwritten(const char *name, uint64_t size)
{
	int fd = st_create(name);

	ck_assert_msg(!fallocate(fd, 0, 0, size), "fallocate: %s",
		      strerror(errno));
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

struct seal_session *gr_session(void)
{
	struct seal_session *session = NULL;
	int ret = seal_open(&session);

	ck_assert_msg(!ret, "seal_open: %s", strerror(-ret));
	return session;
}

void gr_seal(struct seal_session *session, int fd)
{
	struct seal_files report = { 0 };
	int ret = seal_files(session, &fd, 1, 0, 0, 0, &report);

	ck_assert_msg(!ret, "seal: %s (%.*s)", strerror(-ret), SEAL_REASON_LEN,
		      (char *)report.reason);
}

int gr_device(void)
{
	int fd = open(st_env("SEAL_DEV"), O_RDWR | O_DIRECT | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "device: %s", strerror(errno));
	return fd;
}

int gr_do_grant(struct seal_session *session, int fd, uint32_t flags,
		uint64_t offset, uint64_t length, struct seal_grant *result)
{
	struct seal_grant_extent extents[MAX];
	struct seal_grant grant;
	int ret = seal_grant(session, fd, flags, offset, length, extents, MAX,
			     &grant);

	if (result)
		*result = grant;
	return ret < 0 ? ret : 0;
}

int gr_grant(struct seal_session *session, int fd, uint32_t flags,
	     uint64_t offset, uint64_t length, struct seal_grant_extent *extents)
{
	uint64_t end = offset + length, logical = offset;
	struct seal_grant grant;
	int nr = 0, ret;

	while (offset < end) {
		ck_assert_int_lt(nr, MAX);
		ret = seal_grant(session, fd, flags, offset, end - offset,
				 extents + nr, MAX - nr > 8 ? MAX - nr : 8,
				 &grant);
		ck_assert_msg(ret > 0, "grant at %llu: %s (%.*s)",
			      (unsigned long long)offset, strerror(-ret),
			      SEAL_REASON_LEN, (char *)grant.reason);
		ck_assert_uint_gt(grant.done, 0);
		offset += grant.done;
		nr += ret;
	}
	/* whole, in order, and where FIEMAP says */
	for (int i = 0; i < nr; i++) {
		ck_assert_uint_eq(extents[i].logical, logical);
		ck_assert_uint_eq(extents[i].physical, st_address(fd, logical));
		logical += extents[i].length;
	}
	ck_assert_uint_eq(logical, end);
	return nr;
}

int gr_do_commit(struct seal_session *session, int fd, uint64_t offset,
		 uint64_t length)
{
	struct seal_commit_range range = { offset, length };

	return seal_commit(session, fd, &range, 1, 0, NULL);
}

void gr_commit(struct seal_session *session, int fd, uint64_t offset,
	       uint64_t length)
{
	struct seal_commit_range range = { offset, length };
	struct seal_commit result;
	int ret = seal_commit(session, fd, &range, 1, 0, &result);

	ck_assert_msg(!ret, "commit at %llu+%llu: %s (%.*s)",
		      (unsigned long long)offset, (unsigned long long)length,
		      strerror(-ret), SEAL_REASON_LEN, (char *)result.reason);
}

void gr_client_write(int device, const struct seal_grant_extent *extents, int nr,
		     uint64_t offset, uint64_t length, unsigned char byte)
{
	uint64_t end = offset + length, start, stop;
	char *buf;

	ck_assert_int_eq(posix_memalign((void **)&buf, UNIT, length), 0);
	memset(buf, byte, length);
	for (int i = 0; i < nr; i++) {
		const struct seal_grant_extent *e = &extents[i];

		start = e->logical > offset ? e->logical : offset;
		stop = e->logical + e->length < end ? e->logical + e->length : end;
		if (start >= stop)
			continue;
		ck_assert_msg(pwrite(device, buf, stop - start,
				     e->physical + (start - e->logical)) ==
			      (ssize_t)(stop - start), "device: %s",
			      strerror(errno));
	}
	free(buf);
}

bool gr_reads(int fd, uint64_t offset, uint64_t length, unsigned char byte)
{
	unsigned char *buf = malloc(length);
	uint64_t i;

	ck_assert_ptr_nonnull(buf);
	ck_assert_int_eq(pread(fd, buf, length, offset), length);
	for (i = 0; i < length && buf[i] == byte; i++)
		;
	if (i < length)
		printf("byte at %llu is 0x%02x, not 0x%02x\n",
		       (unsigned long long)(offset + i), buf[i], byte);
	free(buf);
	return i == length;
}

void gr_consistent(int fd)
{
	struct seal_status status = st_status(fd);
	struct seal_extent extent;
	struct seal_map *map;
	uint64_t digest, written = 0, unwritten = 0;

	ck_assert_uint_eq(status.broken, 0);
	ck_assert(status.flags & SEAL_STATUS_SEALED);
	ck_assert(!(status.flags & (SEAL_STATUS_MISSED | SEAL_STATUS_DISARMED)));
	ck_assert_int_eq(seal_map_open(fd, &map), 0);
	while (seal_map_next(map, &extent) > 0) {
		if (extent.state == SEAL_RANGE_WRITTEN)
			written += extent.length;
		if (extent.state == SEAL_RANGE_UNWRITTEN)
			unwritten += extent.length;
	}
	ck_assert_int_eq(seal_map_digest(map, &digest), 0);
	seal_map_close(map);
	ck_assert_uint_eq(status.digest, digest);
	ck_assert_uint_eq(status.written, written);
	ck_assert_uint_eq(status.unwritten, unwritten);
	ck_assert_uint_eq(status.in_place, written);
}
