// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deltas that are received, whole and in place, and looked at. The checks in them
 * are made right, so that what is behind them is reached; a byte of the input says
 * for each whether it is left wrong.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delta/delta.h"
#include "parsers.h"

#define MAX_SIZE	(1 << 20)

static char directory[64], file[80], beside[96];
static uint64_t check;

static void put(int fd, const void *bytes, size_t n)
{
	must(write(fd, bytes, n) == (ssize_t)n);
}

/* Mostly what can be, sometimes anything. */
static uint64_t number(struct input *in, uint64_t limit)
{
	return input_byte(in) & 7 ? input_byte(in) * (limit / 200) :
				    input_number(in);
}

static void put_header(int fd, struct input *in)
{
	struct delta_header header = {
		.magic = DELTA_MAGIC,
		.version = input_byte(in) & 15 ? SEAL_DELTA_VERSION :
						 input_byte(in),
		.flags = input_byte(in) & 7,
		.old_size = number(in, 4096),
		.new_size = number(in, MAX_SIZE),
		.data = number(in, 4096),
		.start = input_byte(in) & 3 ? 0 : number(in, 4096),
		.mtime_sec = (int64_t)input_number(in),
		.mtime_nsec = (uint32_t)number(in, 1000000000),
	};

	memset(header.base_id, input_byte(in) & 3, sizeof(header.base_id));
	memset(header.new_id, input_byte(in) & 3, sizeof(header.new_id));
	/* Without a base these are refused at once; seldom try that. */
	if (!(header.flags & HEADER_HAS_BASE) && (input_byte(in) & 15)) {
		memset(header.base_id, 0, sizeof(header.base_id));
		header.old_size = 0;
	}
	delta_swap_header(&header);
	check = delta_header_check(&header);
	header.check = htole64(check ^ !(input_byte(in) & 15));
	put(fd, &header, sizeof(header));
}

static void put_record(int fd, struct input *in)
{
	struct delta_record record = {
		.type = input_byte(in) & 3,
		.flags = input_byte(in) & 3,
		.offset = number(in, MAX_SIZE),
		.length = number(in, 4096),
	};
	static uint8_t bytes[4096];
	size_t i, stored = 0;

	if (record.type == RECORD_DATA) {
		stored = record.length < sizeof(bytes) ? record.length :
							 sizeof(bytes);
		for (i = 0; i < stored; i++)
			bytes[i] = input_byte(in);
		delta_hash(bytes, stored, record.hash);
	}
	record.stored = input_byte(in) & 15 ? stored : input_number(in);
	delta_swap_record(&record);
	check = delta_record_check(&record, check);
	record.check = htole64(check ^ !(input_byte(in) & 15));
	put(fd, &record, sizeof(record));
	put(fd, bytes, stored);
}

static void remove_all(void)
{
	unlink(file);
	unlink(beside);
	if (rmdir(directory))
		_exit(1);
}

static int stop(uint64_t done, uint64_t total, void *arg)
{
	unsigned int *left = arg;

	(void)done;
	(void)total;
	return !--*left;
}

static void receive(int fd, uint32_t flags)
{
	unsigned int left = 100000;
	struct seal_delta delta = {
		.flags = flags,
		.max_size = MAX_SIZE,
		.progress = stop,
		.progress_arg = &left,
	};
	struct stat st;
	int ret;

	lseek(fd, 0, SEEK_SET);
	ret = seal_delta_receive(&delta, fd, file);
	must(left);
	must(!ret || delta.message[0]);
	must(strnlen(delta.message, sizeof(delta.message)) <
	     sizeof(delta.message));
	if (!stat(file, &st))
		must(st.st_size <= MAX_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct seal_delta_header header;
	struct seal_delta delta = { 0 };
	int fd = memfd_create("delta", 0);

	must(fd >= 0);
	if (!*directory) {
		snprintf(directory, sizeof(directory), "/dev/shm/fuzz-delta.%d",
			 (int)getpid());
		snprintf(file, sizeof(file), "%s/file", directory);
		snprintf(beside, sizeof(beside), "%s/.file.seal-receive",
			 directory);
		must(!mkdir(directory, 0700));
		atexit(remove_all);
	}
	put_header(fd, &in);
	while (in.size)
		put_record(fd, &in);
	lseek(fd, 0, SEEK_SET);
	seal_delta_dump(&delta, fd, &header, NULL, NULL);
	receive(fd, 0);
	receive(fd, SEAL_DELTA_IN_PLACE);
	close(fd);
	return 0;
}
