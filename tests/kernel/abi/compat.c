// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 32-bit entry: int $0x80 with memory below 4 GiB is what a 32-bit
 * program does, and needs no 32-bit C library here.
 */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NR_IOCTL_32	54

/* Everything the 32-bit side is shown lies here. */
struct low {
	struct seal_info info;
	struct seal_files files;
	struct seal_status status;
	struct seal_range_op range;
	struct seal_unseal unseal;
	struct seal_fs_info fs[8];
	int32_t fds[2];
};

static struct low *low;
static int dev, fd;
static sigjmp_buf no_entry;

static int ioctl_32(unsigned long cmd, void *arg)
{
	long ret = NR_IOCTL_32;

	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "b"((long)dev), "c"(cmd), "d"(arg)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(no_entry, 1);
}

/* A kernel without the entry, or with it switched off, answers with SIGSEGV. */
static bool have_entry(void)
{
	struct sigaction sa = { .sa_handler = on_fault }, old;
	volatile bool have = false;

	sigaction(SIGSEGV, &sa, &old);
	if (!sigsetjmp(no_entry, 1)) {
		low->info.size = sizeof(low->info);
		have = ioctl_32(SEAL_IOC_INFO, &low->info) != -ENOSYS;
	}
	sigaction(SIGSEGV, &old, NULL);
	return have;
}

static void setup(void)
{
	dev = st_session();
	fd = st_create_written("compat", 65536);
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ck_assert_ptr_ne(low, MAP_FAILED);
	ck_assert_uint_lt((uintptr_t)low, UINT32_MAX);
}

static void teardown(void)
{
	close(fd);
	close(dev);
	st_remove("compat");
}

START_TEST(every_command)
{
	if (!have_entry())
		ST_SKIP("this kernel has no 32-bit entry");

	low->info = (struct seal_info){
		.size = sizeof(low->info),
		.nr_fs = 8,
		.fs = (uintptr_t)low->fs,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_INFO, &low->info), 0);
	ck_assert_uint_eq(low->info.abi, SEAL_ABI_VERSION);
	ck_assert_uint_ne(low->fs[0].name[0], 0);

	low->range = (struct seal_range_op){
		.size = sizeof(low->range),
		.fd = fd,
		.length = 65536,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_PREALLOC, &low->range), 0);
	ck_assert_uint_eq(low->range.done, 65536);
	low->range.done = 0;
	ck_assert_int_eq(ioctl_32(SEAL_IOC_UNSHARE, &low->range), 0);

	low->fds[0] = fd;
	low->files = (struct seal_files){
		.size = sizeof(low->files),
		.nr_fds = 1,
		.require = SEAL_REQ_ALLOCATED,
		.fds = (uintptr_t)low->fds,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_SEAL, &low->files), 0);
	low->status = (struct seal_status){
		.size = sizeof(low->status),
		.fd = fd,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_STATUS, &low->status), 0);
	ck_assert(low->status.flags & SEAL_STATUS_SEALED);
	ck_assert(low->status.flags & SEAL_STATUS_HELD);
	ck_assert_uint_eq(low->status.file_size, 65536);
	ck_assert_uint_eq(low->status.digest, st_status(fd).digest);
	low->unseal = (struct seal_unseal){
		.size = sizeof(low->unseal),
		.fd = fd,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_UNSEAL, &low->unseal), 0);
	ck_assert(!st_sealed(fd));
}
END_TEST

START_TEST(bad_input)
{
	if (!have_entry())
		ST_SKIP("this kernel has no 32-bit entry");

	ck_assert_int_eq(ioctl_32(_IOWR(SEAL_IOC_MAGIC, 99, struct seal_files),
				  &low->files), -ENOTTY);
	ck_assert_int_eq(ioctl_32(SEAL_IOC_SEAL, NULL), -EFAULT);
	low->files = (struct seal_files){
		.size = sizeof(low->files),
		.nr_fds = 1,
		.fds = 0xfffff000,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_SEAL, &low->files), -EFAULT);
	low->files.size = sizeof(low->files) - 8;
	ck_assert_int_eq(ioctl_32(SEAL_IOC_SEAL, &low->files), -EINVAL);
	low->unseal = (struct seal_unseal){
		.size = sizeof(low->unseal),
		.fd = -1,
	};
	ck_assert_int_eq(ioctl_32(SEAL_IOC_UNSEAL, &low->unseal), -EBADF);
	ck_assert(!st_sealed(fd));
}
END_TEST

static TCase *abi_compat(void)
{
	TCase *tc = tcase_create("compat");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_command);
	tcase_add_test(tc, bad_input);
	return tc;
}

ST_CASE(compat, abi_compat, ST_HERE);
