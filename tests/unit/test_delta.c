// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving deltas that are made up here: good ones, and each good one cut at
 * every length and with every byte changed.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delta/delta.h"
#include "unit.h"

#define SIZE 8192

static char directory[] = "delta.XXXXXX";
static char delta[16384];
static size_t length;
static uint64_t check, records, data;
static char old[SIZE], new[SIZE + 128];

static void put(const void *bytes, size_t n)
{
	memcpy(delta + length, bytes, n);
	length += n;
}

static void put_header(bool base, uint8_t base_id, uint8_t new_id)
{
	struct delta_header header = {
		.magic = DELTA_MAGIC,
		.version = SEAL_DELTA_VERSION,
		.flags = base ? HEADER_HAS_BASE : 0,
		.old_size = base ? SIZE : 0,
		.new_size = SIZE,
		.data = base ? 100 : SIZE,
		.mtime_sec = 1000000000,
	};

	length = 0;
	records = 0;
	data = 0;
	memset(header.base_id, base_id, sizeof(header.base_id));
	memset(header.new_id, new_id, sizeof(header.new_id));
	delta_swap_header(&header);
	check = delta_header_check(&header);
	header.check = htole64(check);
	put(&header, sizeof(header));
}

static void put_record(uint32_t type, uint64_t offset, uint64_t n)
{
	struct delta_record record = {
		.type = type,
		.offset = offset,
		.length = n,
		.stored = type == RECORD_DATA ? n : 0,
	};

	if (type == RECORD_DATA) {
		delta_hash(new + offset, n, record.hash);
		data += n;
	}
	delta_swap_record(&record);
	check = delta_record_check(&record, check);
	record.check = htole64(check);
	put(&record, sizeof(record));
	if (type == RECORD_DATA)
		put(new + offset, n);
	records++;
}

static void put_end(void)
{
	put_record(RECORD_END, records, data);
}

static void make_full(void)
{
	memcpy(new, old, SIZE);
	put_header(false, 0, 1);
	put_record(RECORD_DATA, 0, SIZE);
	put_end();
}

static void make_change(void)
{
	memcpy(new, old, SIZE);
	memset(new + 1000, 'n', 100);
	memset(new + 4096, 0, 4096);
	put_header(true, 1, 2);
	put_record(RECORD_DATA, 1000, 100);
	put_record(RECORD_ZERO, 4096, 4096);
	put_end();
}

static int receive(const char *bytes, size_t n, uint32_t flags)
{
	struct seal_delta transfer = { .flags = flags };
	FILE *file = tmpfile();
	int ret;

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
	rewind(file);
	ret = seal_delta_receive(&transfer, fileno(file), "file");
	fclose(file);
	ck_assert(ret != 0 || !transfer.message[0]);
	ck_assert(ret == 0 || transfer.message[0]);
	return ret;
}

static void expect_contents(const char *want)
{
	char have[SIZE + 1];
	int fd = open("file", O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, have, sizeof(have)), SIZE);
	ck_assert(!memcmp(have, want, SIZE));
	close(fd);
}

static void setup(void)
{
	size_t i;

	ck_assert_ptr_nonnull(mkdtemp(strcpy(directory, "delta.XXXXXX")));
	ck_assert_int_eq(chdir(directory), 0);
	for (i = 0; i < SIZE; i++)
		old[i] = (char)(i * 7 + i / 256);
	make_full();
	ck_assert_int_eq(receive(delta, length, 0), 0);
	expect_contents(old);
}

static void teardown(void)
{
	unlink("file");
	unlink(".file.seal-receive");
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

static const uint32_t ways[] = { 0, SEAL_DELTA_IN_PLACE };

START_TEST(received)
{
	make_change();
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
	expect_contents(new);
	ck_assert_int_eq(receive(delta, length, ways[_i]), -EALREADY);
	expect_contents(new);
}
END_TEST

START_TEST(cut_anywhere)
{
	size_t n;

	make_change();
	for (n = 0; n < length; n++) {
		ck_assert_int_eq(receive(delta, n, ways[_i]), -EBADMSG);
		unlink(".file.seal-receive");
	}
	expect_contents(old);
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
}
END_TEST

START_TEST(changed_anywhere)
{
	size_t n;
	int ret;

	make_change();
	for (n = 0; n < length; n++) {
		delta[n] ^= 0x10;
		ret = receive(delta, length, ways[_i]);
		/* a version that is not known is told before the check */
		ck_assert(ret == -EBADMSG || ret == -EPROTONOSUPPORT);
		delta[n] ^= 0x10;
		unlink(".file.seal-receive");
	}
	expect_contents(old);
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
}
END_TEST

/* Records with right checks that no sender makes. */
START_TEST(nonsense)
{
	static const struct {
		uint32_t type;
		uint64_t offset, length;
	} bad[] = {
		{ RECORD_DATA, SIZE - 50, 100 },	/* beyond the end */
		{ RECORD_ZERO, 0, UINT64_MAX },
		{ RECORD_ZERO, UINT64_MAX - 10, 100 },
		{ RECORD_ZERO, 100, 0 },
		{ RECORD_DATA, 500, 100 },		/* goes back */
		{ 17, 2000, 100 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(new, old, SIZE);
		put_header(true, 1, 2);
		put_record(RECORD_ZERO, 600, 100);
		put_record(bad[i].type, bad[i].offset, bad[i].length);
		put_end();
		ck_assert_int_eq(receive(delta, length, ways[_i]), -EBADMSG);
		unlink(".file.seal-receive");
	}
	expect_contents(old);
}
END_TEST

START_TEST(another_base)
{
	make_change();
	put_header(true, 7, 8);
	put_end();
	ck_assert_int_eq(receive(delta, length, ways[_i]), -ESTALE);
	expect_contents(old);
}
END_TEST

/* Left by somebody else under the name of the temporary file. */
START_TEST(planted)
{
	struct stat st;
	int fd;

	make_change();
	fd = open(".file.seal-receive", O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, "evil", 4), 4);
	close(fd);
	ck_assert_int_eq(receive(delta, length, 0), 0);
	expect_contents(new);
	ck_assert_int_eq(symlink("/dev/null", ".file.seal-receive"), 0);
	make_full();
	ck_assert_int_lt(receive(delta, length, 0), 0);
	ck_assert_int_eq(lstat(".file.seal-receive", &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	expect_contents((make_change(), new));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("delta");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, received, 0, 2);
	tcase_add_loop_test(tests, cut_anywhere, 0, 2);
	tcase_add_loop_test(tests, changed_anywhere, 0, 2);
	tcase_add_loop_test(tests, nonsense, 0, 2);
	tcase_add_loop_test(tests, another_base, 0, 2);
	tcase_add_test(tests, planted);
	return run_tests(tests, "delta");
}
