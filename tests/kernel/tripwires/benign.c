// SPDX-License-Identifier: GPL-2.0-only
/*
 * What looks like a change of the map from far below and is none: each test
 * shows that the function was called, and that no seal counts as broken.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "xfs_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PROFILE	"/sys/kernel/tracing/"

static void not_broken(int fd)
{
	struct seal_status status = st_status(fd);

	ck_assert(status.flags & SEAL_STATUS_SEALED);
	ck_assert_msg(!(status.flags & SEAL_STATUS_BROKEN) && !status.broken,
		      "broken %llu", (unsigned long long)status.broken);
}

/* Trace calls of functions, "-" switches it off again. */
static void trace_functions(const char *functions)
{
	if (!strcmp(functions, "-")) {
		st_do_write_file(PROFILE "current_tracer", "nop");
		return;
	}
	ck_assert_int_eq(st_do_write_file(PROFILE "set_ftrace_filter",
					  functions), 0);
	ck_assert_int_eq(st_do_write_file(PROFILE "current_tracer",
					  "function"), 0);
	close(open(PROFILE "trace", O_WRONLY | O_TRUNC));
}

static bool traced(const char *function)
{
	char *trace = st_read_file(PROFILE "trace");
	char call[64];
	bool found;

	snprintf(call, sizeof(call), ": %s ", function);
	found = strstr(trace, call);
	if (!found) {
		snprintf(call, sizeof(call), ": %s <-", function);
		found = strstr(trace, call);
	}
	free(trace);
	return found;
}

/* An extent per block, so that the map fills blocks of its own. */
static int make_fragmented(const char *name)
{
	int fd = st_create(name);

	for (unsigned int i = 0; i < 300; i++)
		st_fill(fd, i * 16384, 4096, 'f');
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

/* A file that is not in memory yet: its extents are read while it is sealed. */
START_TEST(extents_read_from_disk)
{
	const char *function = st_is_xfs() ? "xfs_iext_insert" :
		!strcmp(st_env("SEAL_TARGET"), "ext4-ind") ?
		"ext4_ind_map_blocks" : "ext4_ext_map_blocks";
	int fd = make_fragmented("cold"), dev;
	struct st_map before, after;

	close(fd);
	ck_assert_int_eq(st_do_unmount(), 0);
	st_mount();
	trace_functions(function);
	fd = st_open("cold", O_RDWR);
	dev = st_session();
	st_seal(dev, fd);
	not_broken(fd);
	before = st_map(fd);
	ck_assert_int_eq(st_do_write_file("/proc/sys/vm/drop_caches", "3"), 0);
	after = st_map(fd);
	ck_assert(st_map_same(&before, &after));
	ck_assert(traced(function));
	trace_functions("-");
	not_broken(fd);
	st_map_free(&before);
	st_map_free(&after);
	close(dev);
	close(fd);
}
END_TEST

/* Preallocation for copy-on-write goes away under a seal: not the map. */
START_TEST(copy_on_write_fork)
{
	struct xfs_eofblocks eof = {
		.version = XFS_EOF_VERSION, .flags = XFS_EOF_SYNC,
	};
	int fd, clone, dev;

	if (strcmp(st_env("SEAL_TARGET"), "xfs"))
		ST_SKIP("only XFS with reflink has a fork for it");
	fd = st_create_written("cow", 1 << 20);
	clone = st_create("cow.clone");
	ck_assert_int_eq(ioctl(clone, FICLONE, fd), 0);
	/* one block is copied, its neighbours get room for the same */
	st_fill(fd, 512 << 10, 4096, 'c');
	ck_assert_int_eq(fsync(fd), 0);
	/* it is kept while the inode counts as dirty, which fsync() leaves it */
	sync();
	dev = st_session();
	st_seal(dev, fd);
	trace_functions("xfs_iext_remove");
	ck_assert_int_eq(ioctl(fd, XFS_FREE_EOFBLOCKS, &eof), 0);
	ck_assert(traced("xfs_iext_remove"));
	trace_functions("-");
	not_broken(fd);
	close(dev);
	close(clone);
	close(fd);
}
END_TEST

/* Extended attributes have blocks of their own. */
START_TEST(extended_attributes)
{
	int fd = st_create_written("attr", 1 << 20), dev = st_session();
	const char *function = st_is_xfs() ? "xfs_iext_insert" :
					     "ext4_mb_new_blocks";
	char value[3000], name[32];

	memset(value, 'v', sizeof(value));
	st_seal(dev, fd);
	trace_functions(function);
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "user.a%u", i);
		/* ext4 has one block for all of them */
		if (fsetxattr(fd, name, value, sizeof(value), 0))
			ck_assert_int_eq(errno, ENOSPC);
	}
	ck_assert(traced(function));
	trace_functions("-");
	ck_assert_int_eq(fsync(fd), 0);
	not_broken(fd);
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "user.a%u", i);
		fremovexattr(fd, name);
	}
	ck_assert_int_eq(fsync(fd), 0);
	not_broken(fd);
	close(dev);
	close(fd);
}
END_TEST

/* Another file of the same filesystem may do what it likes. */
START_TEST(other_files)
{
	int fd = st_create_written("still", 65536), dev = st_session(), other;

	st_seal(dev, fd);
	other = make_fragmented("busy");
	ck_assert_int_eq(fallocate(other, FALLOC_FL_PUNCH_HOLE |
				   FALLOC_FL_KEEP_SIZE, 0, 1 << 20), 0);
	ck_assert_int_eq(ftruncate(other, 0), 0);
	st_fill(fd, 0, 65536, 'i');
	ck_assert_int_eq(fsync(fd), 0);
	not_broken(fd);
	close(other);
	close(dev);
	close(fd);
}
END_TEST

static TCase *trip_benign(void)
{
	TCase *tc = tcase_create("benign");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, copy_on_write_fork);
	tcase_add_test(tc, extended_attributes);
	tcase_add_test(tc, other_files);
	return tc;
}

ST_CASE(benign, trip_benign, ST_HERE);

static TCase *trip_cold(void)
{
	TCase *tc = tcase_create("cold");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, extents_read_from_disk);
	return tc;
}

ST_CASE(cold, trip_cold, ST_NOWHERE);
