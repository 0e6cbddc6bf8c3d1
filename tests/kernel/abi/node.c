// SPDX-License-Identifier: GPL-2.0-only
/* The device node itself: its mode, and what is not an ioctl. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(mode)
{
	struct stat st;

	ck_assert_int_eq(stat(ST_DEVICE, &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0007, 0);
	ck_assert_uint_eq(st.st_uid, 0);
}
END_TEST

START_TEST(not_a_stream)
{
	int dev = st_session();
	struct pollfd p = { .fd = dev, .events = POLLIN | POLLOUT };
	char buf[16] = { 0 };

	ck_assert_int_eq(read(dev, buf, sizeof(buf)), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(write(dev, buf, sizeof(buf)), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(pread(dev, buf, sizeof(buf), 4096), -1);
	ck_assert_int_eq(lseek(dev, 0, SEEK_END), -1);
	ck_assert_int_eq(errno, ESPIPE);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ, MAP_SHARED, dev, 0),
			 MAP_FAILED);
	ck_assert_int_eq(errno, ENODEV);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			      dev, 0), MAP_FAILED);
	ck_assert_int_ge(poll(&p, 1, 0), 0);
	ck_assert_int_ne(ftruncate(dev, 4096), 0);
	ck_assert_int_ne(fallocate(dev, 0, 0, 4096), 0);
	close(dev);
}
END_TEST

START_TEST(open_modes)
{
	struct seal_info info = { .size = sizeof(info) };
	int ro = open(ST_DEVICE, O_RDONLY);

	/* A read-only session may be refused; it must not misbehave. */
	if (ro >= 0) {
		ck_assert_int_eq(st_do_ioctl(ro, SEAL_IOC_INFO, &info), 0);
		close(ro);
	}
	for (unsigned int i = 0; i < 200; i++)
		close(st_session());
}
END_TEST

static TCase *abi_node(void)
{
	TCase *tc = tcase_create("node");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, mode);
	tcase_add_test(tc, not_a_stream);
	tcase_add_test(tc, open_modes);
	return tc;
}

ST_CASE(node, abi_node, ST_HERE);
