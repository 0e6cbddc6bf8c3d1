// SPDX-License-Identifier: GPL-2.0-only
/* Who may do what. Each test is a process of its own and ends unprivileged. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void become_nobody(void)
{
	ck_assert_int_eq(setresgid(ST_NOBODY, ST_NOBODY, ST_NOBODY), 0);
	ck_assert_int_eq(setresuid(ST_NOBODY, ST_NOBODY, ST_NOBODY), 0);
}

START_TEST(not_the_owner)
{
	int dev = st_session(), fd = st_create_written("root", 65536);
	struct seal_status status = { .size = sizeof(status), .fd = fd };
	struct seal_files out;

	become_nobody();
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, 0, 0, 0, &out), -EPERM);
	ck_assert_uint_eq(out.bad_index, 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), -EPERM);
	ck_assert_int_eq(st_do_unseal(dev, fd, 0), -EPERM);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, fd, 0, 0, 65536),
			 -EPERM);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 65536),
			 -EPERM);
}
END_TEST

START_TEST(mixed_owners)
{
	int dev = st_session();
	int mine = st_create_written("mine", 65536);
	int roots = st_create_written("root", 65536);
	int fds[2] = { mine, roots };
	const struct seal_status ask = { .size = sizeof(ask), .fd = mine };
	struct seal_status status = ask;
	struct seal_files out;

	ck_assert_int_eq(fchown(mine, ST_NOBODY, ST_NOBODY), 0);
	become_nobody();
	ck_assert_int_eq(st_do_seal(dev, fds, 2, 0, 0, 0, &out), -EPERM);
	ck_assert_uint_eq(out.bad_index, 1);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
	ck_assert(!(status.flags & SEAL_STATUS_SEALED));
	ck_assert_int_eq(st_do_seal(dev, fds, 1, 0, 0, 0, &out), 0);
	status = ask;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
	ck_assert(status.flags & SEAL_STATUS_SEALED);
	ck_assert(status.flags & SEAL_STATUS_HELD);
	ck_assert_int_eq(st_do_unseal(dev, mine, 0), 0);
}
END_TEST

START_TEST(sticky_without_capability)
{
	int dev = st_session(), fd = st_create_written("mine", 65536);
	struct seal_status status = { .size = sizeof(status), .fd = fd };
	struct seal_files out;

	ck_assert_int_eq(fchown(fd, ST_NOBODY, ST_NOBODY), 0);
	become_nobody();
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out),
			 -EPERM);
	ck_assert_int_eq(st_do_unseal(dev, fd, SEAL_UNSEAL_STICKY), -EPERM);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
	ck_assert(!(status.flags & SEAL_STATUS_SEALED));
}
END_TEST

START_TEST(sticky_in_a_user_namespace)
{
	int dev = st_session(), fd = st_create_written("mine", 65536);
	struct seal_files out;

	/* All capabilities in a namespace of one's own are worth nothing. */
	ck_assert_int_eq(fchown(fd, ST_NOBODY, ST_NOBODY), 0);
	become_nobody();
	if (unshare(CLONE_NEWUSER))
		ST_SKIP("unshare: %s", strerror(errno));
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out),
			 -EPERM);
}
END_TEST

START_TEST(node_is_closed_to_others)
{
	become_nobody();
	ck_assert_int_eq(open(ST_DEVICE, O_RDWR), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(open(ST_DEVICE, O_RDONLY), -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

static TCase *abi_rights(void)
{
	TCase *tc = tcase_create("rights");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, not_the_owner);
	tcase_add_test(tc, mixed_owners);
	tcase_add_test(tc, sticky_without_capability);
	tcase_add_test(tc, sticky_in_a_user_namespace);
	tcase_add_test(tc, node_is_closed_to_others);
	return tc;
}

ST_CASE(rights, abi_rights, ST_HERE);
