// SPDX-License-Identifier: GPL-2.0-only
/* User memory that cannot be read, cannot be written, or ends too early. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *page;
static int dev, fd;
static int fds[1];

static void setup(void)
{
	dev = st_session();
	fd = st_create_written("memory", 65536);
	fds[0] = fd;
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_int_eq(mprotect(page + 4096, 4096, PROT_NONE), 0);
}

static void teardown(void)
{
	close(fd);
	close(dev);
	st_remove("memory");
}

static void *at_end(const void *request, size_t size)
{
	return memcpy(page + 4096 - size, request, size);
}

static struct seal_files files_request(void)
{
	return (struct seal_files){
		.size = sizeof(struct seal_files),
		.nr_fds = 1,
		.fds = (uintptr_t)fds,
	};
}

static struct seal_range_op range_request(void)
{
	return (struct seal_range_op){
		.size = sizeof(struct seal_range_op),
		.fd = fd,
		.length = 4096,
	};
}

static struct seal_status status_request(void)
{
	return (struct seal_status){
		.size = sizeof(struct seal_status),
		.fd = fd,
	};
}

static struct seal_info info_request(void *fs, uint32_t nr)
{
	return (struct seal_info){
		.size = sizeof(struct seal_info),
		.nr_fs = nr,
		.fs = (uintptr_t)fs,
	};
}

START_TEST(ends_at_page_end)
{
	struct seal_info info = { .size = sizeof(info) };
	struct seal_unseal unseal = { .size = sizeof(unseal), .fd = fd };
	struct seal_files files = files_request();
	struct seal_range_op range = range_request();
	struct seal_status status = status_request();

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO,
				     at_end(&info, sizeof(info))), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_PREALLOC,
				     at_end(&range, sizeof(range))), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_UNSHARE,
				     at_end(&range, sizeof(range))), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL,
				     at_end(&files, sizeof(files))), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS,
				     at_end(&status, sizeof(status))), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_UNSEAL,
				     at_end(&unseal, sizeof(unseal))), 0);
}
END_TEST

START_TEST(cut_by_page_end)
{
	struct seal_files files = files_request();
	struct seal_status status = status_request();
	struct seal_info info = { .size = sizeof(info) };

	/* The size is readable, the rest is not. */
	memcpy(page + 4096 - 64, &files, 64);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, page + 4096 - 64),
			 -EFAULT);
	memcpy(page + 4096 - 8, &status, 8);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, page + 4096 - 8),
			 -EFAULT);
	memcpy(page + 4096 - 4, &info, 4);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, page + 4096 - 4),
			 -EFAULT);
	/* Not even the size. */
	memcpy(page + 4096 - 2, &info, 2);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, page + 4096 - 2),
			 -EFAULT);
	/* A tail that is claimed, and is not there. */
	info.size = sizeof(info) + 64;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO,
				     at_end(&info, sizeof(info))), -EFAULT);
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(no_memory_at_all)
{
	static const unsigned long commands[] = {
		SEAL_IOC_INFO, SEAL_IOC_PREALLOC, SEAL_IOC_UNSHARE,
		SEAL_IOC_SEAL, SEAL_IOC_UNSEAL, SEAL_IOC_STATUS,
	};
	static const uintptr_t wild[] = {
		0, 1, 4095, (uintptr_t)-1, (uintptr_t)-4096,
		0xffff888000000000UL, 0x8000000000000000UL,
	};

	for (unsigned int c = 0; c < 6; c++) {
		for (unsigned int i = 0; i < sizeof(wild) / sizeof(*wild); i++)
			ck_assert_int_eq(st_do_ioctl(dev, commands[c],
						     (void *)wild[i]),
					 -EFAULT);
		ck_assert_int_eq(st_do_ioctl(dev, commands[c], page + 4096),
				 -EFAULT);
	}
}
END_TEST

START_TEST(read_only_results)
{
	struct seal_files files = files_request();
	struct seal_status status = status_request();
	struct seal_info info = { .size = sizeof(info) };
	struct seal_range_op range = range_request();

	memcpy(page, &files, sizeof(files));
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, page), -EFAULT);
	/* The caller was told of a failure: it must not own a claim. */
	ck_assert(!st_sealed(fd));

	ck_assert_int_eq(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	memcpy(page, &status, sizeof(status));
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, page), -EFAULT);

	ck_assert_int_eq(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	memcpy(page, &info, sizeof(info));
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, page), -EFAULT);

	ck_assert_int_eq(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	memcpy(page, &range, sizeof(range));
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_PREALLOC, page), -EFAULT);
}
END_TEST

START_TEST(read_only_results_keep_other_claims)
{
	struct seal_files files = files_request();

	/* A claim that was there before must survive the failed call. */
	st_seal(dev, fd);
	memcpy(page, &files, sizeof(files));
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, page), -EFAULT);
	ck_assert(st_sealed(fd));
	ck_assert_uint_eq(st_status(fd).holders, 1);
	st_unseal(dev, fd);
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(descriptor_array)
{
	struct seal_files files = files_request();
	int two[2] = { fd, fd };

	files.fds = 0;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), -EFAULT);
	files.fds = (uintptr_t)(page + 4096);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), -EFAULT);
	files.fds = UINT64_MAX - 3;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), -EFAULT);
	/* The first is readable, the second is not. */
	memcpy(page + 4096 - sizeof(int), two, sizeof(int));
	files.fds = (uintptr_t)(page + 4096 - sizeof(int));
	files.nr_fds = 2;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), -EFAULT);
	ck_assert(!st_sealed(fd));
	/* Exactly at the end of readable memory, and read-only, is fine. */
	memcpy(page + 4096 - sizeof(two), two, sizeof(two));
	files.fds = (uintptr_t)(page + 4096 - sizeof(two));
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), 0);
	ck_assert(st_sealed(fd));
}
END_TEST

START_TEST(info_array)
{
	struct seal_fs_info fs[32];
	struct seal_info info = { .size = sizeof(info) };
	uint32_t all;

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	all = info.nr_fs;
	ck_assert_uint_ge(all, 2);
	ck_assert_uint_le(all, 32);
	ck_assert_uint_eq(info.abi, SEAL_ABI_VERSION);
	ck_assert_uint_ne(info.version[0], 0);
	ck_assert_uint_eq(info.version[SEAL_VERSION_LEN - 1], 0);

	/* Room for one: one is filled in, all are counted. */
	memset(fs, 0x5a, sizeof(fs));
	info = info_request(fs, 1);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.nr_fs, all);
	ck_assert_uint_ne(fs[0].name[0], 0x5a);
	ck_assert_uint_eq(fs[1].name[0], 0x5a);

	/* More room than needed, even an absurd amount. */
	memset(fs, 0x5a, sizeof(fs));
	info = info_request(fs, 32);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	for (uint32_t i = 0; i < all; i++) {
		ck_assert_uint_eq(fs[i].name[SEAL_NAME_LEN - 1], 0);
		ck_assert_uint_eq(fs[i].reason[SEAL_REASON_LEN - 1], 0);
		ck_assert_uint_eq(fs[i].reserved, 0);
		if (fs[i].state == SEAL_FS_UNSUPPORTED)
			ck_assert_uint_ne(fs[i].reason[0], 0);
		if (!strcmp((char *)fs[i].name, st_env("SEAL_TYPE"))) {
			ck_assert_msg(fs[i].state == SEAL_FS_SUPPORTED,
				      "state %u: %s", fs[i].state,
				      (char *)fs[i].reason);
			ck_assert_uint_gt(fs[i].gates, 0);
		}
	}
	ck_assert_uint_eq(fs[all].name[0], 0x5a);
	info = info_request(fs, 0xffffffff);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	ck_assert_uint_eq(info.nr_fs, all);

	/* Room that is not there. */
	info = info_request(page + 4096, 2);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), -EFAULT);
	ck_assert_int_eq(mprotect(page, 4096, PROT_READ), 0);
	info = info_request(page, 2);
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), -EFAULT);
}
END_TEST

/*
 * Only flags and reserved members have to be zero; a request that comes back
 * with its results can be sent again, as a loop over STATUS or PREALLOC does.
 */
START_TEST(request_used_again)
{
	struct seal_files files = files_request();
	struct seal_status status = status_request();
	struct seal_info info = info_request(NULL, 0);
	struct seal_range_op range = range_request();

	for (int i = 0; i < 2; i++) {
		info.nr_fs = 0;
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_PREALLOC, &range), 0);
		ck_assert_uint_eq(range.done, 4096);
	}
	for (int i = 0; i < 2; i++) {
		files.require = SEAL_REQ_EXTENTS;
		ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files),
				 -EBADFD);
	}
	files.require = 0;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), 0);
}
END_TEST

START_TEST(results_hold_no_kernel_memory)
{
	struct seal_files files = files_request();
	unsigned int i;

	/* The reason is filled up with zeros. */
	files.require = SEAL_REQ_EXTENTS;
	files.max_extents = 0;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_SEAL, &files), -EBADFD);
	ck_assert_uint_ne(files.reason[0], 0);
	for (i = 0; i < SEAL_REASON_LEN && files.reason[i]; i++)
		ck_assert_uint_lt(files.reason[i], 0x7f);
	ck_assert_uint_lt(i, SEAL_REASON_LEN);
	for (; i < SEAL_REASON_LEN; i++)
		ck_assert_uint_eq(files.reason[i], 0);
}
END_TEST

static TCase *abi_memory(void)
{
	TCase *tc = tcase_create("memory");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ends_at_page_end);
	tcase_add_test(tc, cut_by_page_end);
	tcase_add_test(tc, no_memory_at_all);
	tcase_add_test(tc, read_only_results);
	tcase_add_test(tc, read_only_results_keep_other_claims);
	tcase_add_test(tc, descriptor_array);
	tcase_add_test(tc, info_array);
	tcase_add_test(tc, request_used_again);
	tcase_add_test(tc, results_hold_no_kernel_memory);
	return tc;
}

ST_CASE(memory, abi_memory, ST_HERE);
