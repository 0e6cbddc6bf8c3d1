// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filesystem is on a device-mapper device, so that writes to some blocks
 * can be made to wait (dm-delay) while all others, log and flushes pass.
 */
#define _GNU_SOURCE
#include "hold.h"
#include "sealtest.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than anybody waits; a test that failed is over then. */
#define HELD_MS		120000
#define SECTOR		512

/* Replace the table; what was held up is let go. */
static void table_set(uint64_t first, uint64_t nr)
{
	const char *name = st_env("RACE_DM"), *disk = st_env("RACE_DISK");
	uint64_t end = strtoull(st_env("RACE_SECTORS"), NULL, 10);
	char command[256];
	FILE *table;
	int status;

	snprintf(command, sizeof(command), "dmsetup load %s", name);
	table = popen(command, "we");
	ck_assert_ptr_nonnull(table);
	if (first)
		fprintf(table, "0 %llu linear %s 0\n",
			(unsigned long long)first, disk);
	/* reads at once, writes never, flushes at once */
	if (nr)
		fprintf(table, "%llu %llu delay %s %llu 0 %s %llu %d %s %llu 0\n",
			(unsigned long long)first, (unsigned long long)nr,
			disk, (unsigned long long)first,
			disk, (unsigned long long)first, HELD_MS,
			disk, (unsigned long long)first);
	fprintf(table, "%llu %llu linear %s %llu\n",
		(unsigned long long)(first + nr),
		(unsigned long long)(end - first - nr), disk,
		(unsigned long long)(first + nr));
	status = pclose(table);
	ck_assert_msg(!status, "%s: %x", command, status);
	/* Not frozen: that would wait for whoever we are about to hold up. */
	snprintf(command, sizeof(command),
		 "dmsetup suspend --nolockfs %s && dmsetup resume --nolockfs %s",
		 name, name);
	status = system(command);
	ck_assert_msg(!status, "%s: %x", command, status);
}

void hold_writes(uint64_t address, uint64_t length)
{
	ck_assert_uint_ne(address, 0);
	table_set(address / SECTOR, length / SECTOR);
}

void hold_end(void)
{
	table_set(0, 0);
}

void flight_start(struct flight *f, int fd, void *buf, uint64_t length,
		  uint64_t offset)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = length,
		.aio_offset = offset,
	}, *cbs[] = { &cb };

	f->context = 0;
	ck_assert_int_eq(syscall(SYS_io_setup, 1, &f->context), 0);
	ck_assert_msg(syscall(SYS_io_submit, f->context, 1, cbs) == 1,
		      "io_submit: %s", strerror(errno));
}

long flight_end(struct flight *f)
{
	struct timespec limit = { .tv_sec = 30 };
	struct io_event event;
	long n = syscall(SYS_io_getevents, f->context, 1, 1, &event, &limit);

	ck_assert_msg(n == 1, "the write does not end");
	syscall(SYS_io_destroy, f->context);
	return event.res;
}
