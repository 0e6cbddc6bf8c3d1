// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving deltas that are made up here: good ones, and each good one cut at
 * every length and with every byte changed.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
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

/* A header of its own, and an end that goes with it. */
static void make_huge(uint64_t size)
{
	struct delta_header header = {
		.magic = DELTA_MAGIC,
		.version = SEAL_DELTA_VERSION,
		.flags = HEADER_CHECKED,
		.new_size = size,
		.data = 100,
	};
	struct delta_record end = {
		.type = RECORD_END,
		.offset = 1,
		.length = 100,
	};
	struct seal_delta none = { 0 };
	FILE *file = tmpfile();

	memcpy(new, old, SIZE);
	memset(header.new_id, 9, sizeof(header.new_id));
	length = 0;
	records = 0;
	data = 0;
	delta_swap_header(&header);
	check = delta_header_check(&header);
	header.check = htole64(check);
	put(&header, sizeof(header));
	put_record(RECORD_DATA, 0, 100);
	ck_assert_uint_eq(fwrite(new, 1, 100, file), 100);
	fflush(file);
	ck_assert_int_eq(ftruncate(fileno(file), (off_t)size), 0);
	ck_assert_int_eq(delta_hash_file(&none, fileno(file), 0, size, end.hash),
			 0);
	fclose(file);
	delta_swap_record(&end);
	check = delta_record_check(&end, check);
	end.check = htole64(check);
	put(&end, sizeof(end));
}

static int stop(uint64_t done, uint64_t total, void *arg)
{
	int *calls = arg;

	(void)done;
	(void)total;
	return ++*calls >= 3;
}

static int receive_as(struct seal_delta *transfer)
{
	FILE *file = tmpfile();
	int ret;

	ck_assert_uint_eq(fwrite(delta, 1, length, file), length);
	rewind(file);
	ret = seal_delta_receive(transfer, fileno(file), "file");
	fclose(file);
	return ret;
}

/* 1 TiB of hole (ext4 with blocks of 1 KiB takes no 4): whoever hashes them byte by byte runs into the time limit. */
START_TEST(hashed_by_length)
{
	struct seal_delta transfer = {
		.flags = ways[_i],
		.max_size = 1ULL << 40,
	};
	struct stat st;

	make_huge(1ULL << 40);
	ck_assert_int_eq(receive_as(&transfer), 0);
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_int_eq(st.st_size, 1LL << 40);
}
END_TEST

/* What is zero counts the same whether it is stored or a hole. */
START_TEST(hashed_alike)
{
	uint8_t stored[DELTA_HASH_LEN], hole[DELTA_HASH_LEN];
	static const char zeros[65536];
	struct seal_delta none = { 0 };
	FILE *a = tmpfile(), *b = tmpfile();
	unsigned int i;

	for (i = 0; i < 48; i++)
		fwrite(zeros, 1, sizeof(zeros), a);
	fputc('x', a);
	fseek(b, 48 * sizeof(zeros), SEEK_SET);
	fputc('x', b);
	fflush(a);
	fflush(b);
	ck_assert_int_eq(delta_hash_file(&none, fileno(a), 100, 4000000, stored), 0);
	ck_assert_int_eq(delta_hash_file(&none, fileno(b), 100, 4000000, hole), 0);
	ck_assert(!memcmp(stored, hole, sizeof(hole)));
	ck_assert_int_eq(delta_hash_file(&none, fileno(b), 101, 4000000, hole), 0);
	ck_assert(memcmp(stored, hole, sizeof(hole)));
	fclose(a);
	fclose(b);
}
END_TEST

START_TEST(bounded)
{
	struct seal_delta transfer = { .flags = ways[_i] };

	make_huge(1ULL << 43);
	ck_assert_int_eq(receive_as(&transfer), -EFBIG);
	transfer.max_size = (1ULL << 43) - 1;
	ck_assert_int_eq(receive_as(&transfer), -EFBIG);
	ck_assert_int_ne(access(".file.seal-receive", F_OK), 0);
	expect_contents(old);
}
END_TEST

/* Every loop asks whether to go on, that of the hashes as well. */
START_TEST(cancelled)
{
	int calls = 0;
	struct seal_delta transfer = {
		.flags = ways[_i],
		.max_size = 1ULL << 40,
		.progress = stop,
		.progress_arg = &calls,
	};

	make_huge(1ULL << 40);
	ck_assert_int_eq(receive_as(&transfer), -ECANCELED);
	ck_assert_int_eq(calls, 3);
	calls = -1000;
	ck_assert_int_eq(receive_as(&transfer), 0);
}
END_TEST

/* An attribute that anybody may have written must not be the end of it. */
START_TEST(garbage)
{
	static const char *const values[] = { "", "1 zz zz 7", "x", "1 00 00 0" };
	unsigned int i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ck_assert_int_eq(setxattr("file", "user.seal.receiving",
					  values[i], strlen(values[i]), 0), 0);
		make_change();
		ck_assert_int_eq(receive(delta, length, ways[_i]), -ESTALE);
		make_full();
		ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
		expect_contents(old);
		ck_assert_int_lt(getxattr("file", "user.seal.receiving", NULL,
					  0), 0);
	}
}
END_TEST

static void *make_files(void *arg)
{
	int *bad = arg;
	struct stat st;
	int fd, i;

	for (i = 0; i < 3000; i++) {
		fd = open("secret", O_CREAT | O_EXCL | O_WRONLY, 0666);
		ck_assert_int_eq(fstat(fd, &st), 0);
		*bad += (st.st_mode & 077) != 0;
		close(fd);
		unlink("secret");
	}
	return NULL;
}

/* The mask for new files belongs to all threads of the process. */
START_TEST(mask_is_left_alone)
{
	mode_t before = umask(027);
	int bad = 0, i;
	pthread_t other;
	struct stat st;

	umask(077);
	ck_assert_int_eq(pthread_create(&other, NULL, make_files, &bad), 0);
	for (i = 0; i < 200; i++) {
		unlink("file");
		ck_assert_int_eq(receive(delta, length, 0), 0);
	}
	pthread_join(other, NULL);
	ck_assert_int_eq(bad, 0);
	umask(027);
	unlink("file");
	ck_assert_int_eq(receive(delta, length, 0), 0);
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	umask(before);
}
END_TEST

/* A caller that was compiled with a structure of another size. */
START_TEST(other_sizes)
{
	struct {
		struct seal_delta delta;
		uint8_t behind[32];
	} larger = { .behind = { 0 } };
	FILE *file = tmpfile();
	size_t i;

	fwrite(delta, 1, length, file);
	rewind(file);
	memset(larger.behind, 0, sizeof(larger.behind));
	ck_assert_int_eq(seal_delta_receive_sized(&larger.delta, sizeof(larger),
						  fileno(file), "file"),
			 -EALREADY);
	larger.behind[3] = 1;
	ck_assert_int_eq(seal_delta_receive_sized(&larger.delta, sizeof(larger),
						  fileno(file), "file"),
			 -E2BIG);
	memset(&larger.delta, 0, sizeof(larger.delta));
	memset(larger.delta.message, 0x55, SEAL_DELTA_MESSAGE_LEN);
	rewind(file);
	ck_assert_int_eq(seal_delta_receive_sized(&larger.delta,
						  offsetof(struct seal_delta,
							   message),
						  fileno(file), "file"),
			 -EALREADY);
	for (i = 0; i < SEAL_DELTA_MESSAGE_LEN; i++)
		ck_assert_int_eq(larger.delta.message[i], 0x55);
	ck_assert_int_eq(seal_delta_receive_sized(&larger.delta, 8, fileno(file),
						  "file"), -EINVAL);
	fclose(file);
}
END_TEST

/* What the receiver has of an interrupted transfer, and what goes on there. */
START_TEST(resumed)
{
	struct delta_header header = {
		.magic = DELTA_MAGIC,
		.version = SEAL_DELTA_VERSION,
		.new_size = SIZE,
		.start = 4096,
		.data = SIZE - 4096,
	};
	char token[SEAL_DELTA_TOKEN_LEN];
	struct delta_journal journal;

	memset(header.new_id, 5, sizeof(header.new_id));
	unlink("file");
	memcpy(new, old, SIZE);
	put_header(false, 0, 5);
	put_record(RECORD_DATA, 0, 4096);
	ck_assert_int_eq(receive(delta, length, 0), -EBADMSG);
	ck_assert_int_eq(seal_delta_where("file", 0, token), 0);
	ck_assert_int_eq(delta_token_parse(token, &journal), 0);
	ck_assert_uint_eq(journal.done, 4096);
	ck_assert(!memcmp(journal.new_id, header.new_id, DELTA_ID_LEN));

	length = 0;
	records = 0;
	data = 0;
	delta_swap_header(&header);
	check = delta_header_check(&header);
	header.check = htole64(check);
	put(&header, sizeof(header));
	put_record(RECORD_DATA, 4096, SIZE - 4096);
	put_end();
	ck_assert_int_eq(receive(delta, length, 0), 0);
	expect_contents(old);
	ck_assert_int_eq(seal_delta_where("file", 0, token), -ENODATA);
	unlink("file");
	ck_assert_int_eq(receive(delta, length, 0), -ESTALE);
	ck_assert_int_ne(access(".file.seal-receive", F_OK), 0);
}
END_TEST

START_TEST(tokens)
{
	static const char *const bad[] = {
		"", ":", "00:00:1", "0123456789abcdef0123456789abcdef:0:1",
		"0123456789abcdef0123456789abcdef:0123456789abcdef0123456789abcdef:",
		"0123456789abcdef0123456789abcdef:0123456789abcdef0123456789abcdef:1x",
	};
	struct delta_journal journal;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(delta_token_parse(bad[i], &journal), -EINVAL);
}
END_TEST

/* What a dump says about the files is known before the first record. */
static int ids_are_known(const struct seal_delta_record *record, void *arg)
{
	const struct seal_delta *transfer = arg;
	struct delta_header header;

	memcpy(&header, delta, sizeof(header));
	ck_assert_uint_gt(record->length, 0);
	ck_assert_mem_eq(transfer->base_id, header.base_id,
			 SEAL_DELTA_ID_LEN);
	ck_assert_mem_eq(transfer->new_id, header.new_id, SEAL_DELTA_ID_LEN);
	return 0;
}

START_TEST(dumped)
{
	struct seal_delta_header header;
	struct seal_delta transfer = { 0 };
	FILE *file = tmpfile();

	make_change();
	fwrite(delta, 1, length, file);
	rewind(file);
	ck_assert_int_eq(seal_delta_dump(&transfer, fileno(file), &header,
					 ids_are_known, &transfer), 0);
	ck_assert_uint_eq(header.new_size, SIZE);
	ck_assert_uint_eq(transfer.data, 100);
	ck_assert_uint_eq(transfer.zero, 4096);
	ck_assert_uint_eq(transfer.stream, length);
	fclose(file);
}
END_TEST

START_TEST(no_directory)
{
	struct seal_delta transfer = { 0 };
	FILE *file = tmpfile();

	make_full();
	fwrite(delta, 1, length, file);
	rewind(file);
	ck_assert_int_eq(seal_delta_receive(&transfer, fileno(file),
					    "none/file"), -ENOENT);
	ck_assert_msg(strstr(transfer.message, "directory that it is to be in"),
		      "%s", transfer.message);
	rewind(file);
	ck_assert_int_eq(seal_delta_receive(&transfer, fileno(file),
					    "file/file"), -ENOTDIR);
	ck_assert_msg(strstr(transfer.message, "not a directory"), "%s",
		      transfer.message);
	fclose(file);
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

/* A link is followed, and neither a link nor what it leads to is replaced by mistake. */
START_TEST(links)
{
	char path[64];
	struct stat st;
	ssize_t n;

	ck_assert_int_eq(mkdir("other", 0700), 0);
	ck_assert_int_eq(rename("file", "other/real"), 0);
	ck_assert_int_eq(symlink("other/real", "file"), 0);
	make_change();
	ck_assert_int_eq(receive(delta, length, 0), 0);
	expect_contents(new);
	n = readlink("file", path, sizeof(path));
	ck_assert_int_eq(n, 10);
	ck_assert_int_eq(stat("other/real", &st), 0);
	ck_assert_int_eq(unlink("other/real"), 0);
	make_full();
	ck_assert_int_eq(receive(delta, length, 0), -ELOOP);
	ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE), -ELOOP);
	ck_assert_int_eq(lstat("file", &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(rmdir("other"), 0);
}
END_TEST

/* Somebody else puts a file there while the delta is received. */
static int put_another(uint64_t done, uint64_t total, void *arg)
{
	bool *there = arg;
	int fd;

	(void)done;
	/* it is known once the header was read; then the old file is open */
	if (*there || !total)
		return 0;
	*there = true;
	fd = open("another", O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "theirs", 6), 6);
	close(fd);
	ck_assert_int_eq(rename("another", "file"), 0);
	return 0;
}

START_TEST(another_file)
{
	bool there = false;
	struct seal_delta transfer = {
		.progress = put_another,
		.progress_arg = &there,
	};
	FILE *file = tmpfile();
	struct stat st;

	make_full();
	/* there is none when it begins, or there is an old one */
	if (_i)
		ck_assert_int_eq(removexattr("file", "user.seal.id"), 0);
	else
		ck_assert_int_eq(unlink("file"), 0);
	ck_assert_uint_eq(fwrite(delta, 1, length, file), length);
	rewind(file);
	ck_assert_int_eq(seal_delta_receive(&transfer, fileno(file), "file"),
			 -EBUSY);
	fclose(file);
	ck_assert(there);
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_int_eq(st.st_size, 6);
	ck_assert_int_ne(access(".file.seal-receive", F_OK), 0);
}
END_TEST

/* Another process gives an attribute a longer value at a bad moment. */
#define NOTE "user.note"
static bool grows;

#undef fgetxattr
ssize_t fgetxattr(int fd, const char *name, void *value, size_t size);

ssize_t changing_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	char text[3000];
	ssize_t n = fgetxattr(fd, name, value, size);

	if (grows && !strcmp(name, NOTE)) {
		grows = false;
		memset(text, 'x', sizeof(text));
		ck_assert_int_eq(fsetxattr(fd, NOTE, text, sizeof(text), 0), 0);
	}
	return n;
}

START_TEST(attribute_that_grows)
{
	char text[4000];
	int i;

	ck_assert_int_eq(setxattr("file", NOTE, "", 0, 0), 0);
	grows = true;
	make_change();
	ck_assert_int_eq(receive(delta, length, 0), 0);
	expect_contents(new);
	ck_assert(!grows);
	ck_assert_int_eq(getxattr("file", NOTE, text, sizeof(text)), 3000);
	for (i = 0; i < 3000; i++)
		ck_assert_int_eq(text[i], 'x');
}
END_TEST

/* A base without an identity: only its hash says what it is. */
static void make_hashed(bool whole)
{
	struct delta_header header = {
		.magic = DELTA_MAGIC,
		.version = SEAL_DELTA_VERSION,
		.flags = whole ? 0 : HEADER_HAS_BASE | HEADER_CHECKED,
		.old_size = whole ? 0 : SIZE,
		.new_size = SIZE,
		.data = 200,
	};
	struct seal_delta none = { 0 };
	int fd = open("file", O_RDONLY);

	memset(new, 0, SIZE);
	memset(new, 'a', 100);
	memset(new + 2000, 'b', 100);
	ck_assert_int_eq(delta_hash_file(&none, fd, 0, SIZE, header.base_hash), 0);
	if (whole)
		memset(header.base_hash, 0, sizeof(header.base_hash));
	close(fd);
	memset(header.new_id, 6, sizeof(header.new_id));
	length = 0;
	records = 0;
	data = 0;
	delta_swap_header(&header);
	check = delta_header_check(&header);
	header.check = htole64(check);
	put(&header, sizeof(header));
	put_record(RECORD_DATA, 0, 100);
	if (!whole)
		put_record(RECORD_ZERO, 100, 1900);
	put_record(RECORD_DATA, 2000, 100);
	if (!whole)
		put_record(RECORD_ZERO, 2100, SIZE - 2100);
	put_end();
}

static int stop_when_changed(uint64_t done, uint64_t total, void *arg)
{
	(void)total;
	(void)arg;
	return done >= 100;
}

/* A full delta does not go on where one with a base was interrupted. */
START_TEST(another_kind)
{
	struct seal_delta transfer = {
		.flags = ways[_i],
		.progress = stop_when_changed,
	};

	ck_assert_int_eq(removexattr("file", "user.seal.id"), 0);
	make_hashed(false);
	ck_assert_int_eq(receive_as(&transfer), -ECANCELED);
	make_hashed(true);
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
	expect_contents(new);
}
END_TEST

/* A power cut after the note that a full delta has begun. */
START_TEST(noted_only)
{
	static const char note[] =
		"1 00000000000000000000000000000000 06060606060606060606060606060606 0";

	ck_assert_int_eq(setxattr("file", "user.seal.receiving", note,
				  strlen(note), 0), 0);
	make_hashed(true);
	ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE), 0);
	expect_contents(new);
}
END_TEST

#define TEMPORARY ".file.seal-receive"

/* Another receiver has taken the name of the temporary file. */
static int take_the_name(uint64_t done, uint64_t total, void *arg)
{
	int *fd = arg;

	(void)total;
	if (*fd >= 0 || !done)
		return 0;
	ck_assert_int_eq(unlink(TEMPORARY), 0);
	*fd = open(TEMPORARY, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(*fd, 0);
	ck_assert_int_eq(write(*fd, "half", 4), 4);
	return 0;
}

START_TEST(name_is_taken)
{
	int fd = -1;
	struct seal_delta transfer = {
		.progress = take_the_name,
		.progress_arg = &fd,
	};
	struct stat st, named;

	make_change();
	ck_assert_int_eq(receive_as(&transfer), -EBUSY);
	ck_assert_int_ge(fd, 0);
	expect_contents(old);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(stat(TEMPORARY, &named), 0);
	ck_assert_uint_eq(st.st_ino, named.st_ino);
	close(fd);
}
END_TEST

/* A second receiver while the first one writes. */
static int receive_too(uint64_t done, uint64_t total, void *arg)
{
	struct seal_delta transfer = { .flags = SEAL_DELTA_IN_PLACE };
	int *ret = arg;

	(void)total;
	if (*ret != 1 || !done || access("file", F_OK))
		return 0;
	*ret = 0;
	*ret = receive_as(&transfer);
	return 0;
}

START_TEST(two_in_place)
{
	int second = 1;
	struct seal_delta transfer = {
		.flags = SEAL_DELTA_IN_PLACE,
		.progress = receive_too,
		.progress_arg = &second,
	};

	ck_assert_int_eq(unlink("file"), 0);
	make_full();
	ck_assert_int_eq(receive_as(&transfer), 0);
	ck_assert_int_eq(second, -EBUSY);
	expect_contents(new);
}
END_TEST

/* New contents do not get the rights that somebody gave to the old ones. */
START_TEST(no_privilege)
{
	struct stat st;

	ck_assert_int_eq(chmod("file", 06755), 0);
	make_change();
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
	ck_assert_int_eq(stat("file", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
}
END_TEST

/* user::rwx, user 1234: rw-, group::---, mask::rw-, other::--- */
static const uint8_t list[] = {
	2, 0, 0, 0,
	1, 0, 7, 0, 255, 255, 255, 255,
	2, 0, 6, 0, 210, 4, 0, 0,
	4, 0, 0, 0, 255, 255, 255, 255,
	16, 0, 6, 0, 255, 255, 255, 255,
	32, 0, 0, 0, 255, 255, 255, 255,
};

/* What the directory gives to new files is not for one that replaces an old. */
START_TEST(no_access_list)
{
	char have[200];

	ck_assert_int_eq(chmod("file", 0660), 0);
	ck_assert_int_eq(setxattr(".", "system.posix_acl_default", list,
				  sizeof(list), 0), 0);
	make_change();
	ck_assert_int_eq(receive(delta, length, 0), 0);
	ck_assert_int_lt(getxattr("file", "system.posix_acl_access", have,
				  sizeof(have)), 0);
}
END_TEST

/* The file may not grow: nothing was changed, so it is still the base. */
START_TEST(cannot_grow)
{
	const struct rlimit small = { SIZE, RLIM_INFINITY };
	const struct rlimit large = { RLIM_INFINITY, RLIM_INFINITY };
	struct delta_header header = {
		.magic = DELTA_MAGIC,
		.version = SEAL_DELTA_VERSION,
		.flags = HEADER_HAS_BASE,
		.old_size = SIZE,
		.new_size = 2 * SIZE,
	};

	memset(header.base_id, 1, sizeof(header.base_id));
	memset(header.new_id, 7, sizeof(header.new_id));
	length = 0;
	records = 0;
	data = 0;
	delta_swap_header(&header);
	check = delta_header_check(&header);
	header.check = htole64(check);
	put(&header, sizeof(header));
	put_end();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(receive(delta, length, ways[_i]), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
	expect_contents(old);
	make_change();
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
	expect_contents(new);
}
END_TEST

/* Each attempt is interrupted earlier: what the first one brought is kept. */
START_TEST(no_step_back)
{
	char token[SEAL_DELTA_TOKEN_LEN];
	struct delta_journal journal;
	size_t after_first;
	int i;

	ck_assert_int_eq(unlink("file"), 0);
	memcpy(new, old, SIZE);
	put_header(false, 0, 5);
	put_record(RECORD_DATA, 0, 100);
	after_first = length;
	put_record(RECORD_DATA, 100, 4000);
	ck_assert_int_eq(receive(delta, length, 0), -EBADMSG);
	/* after the first record, and before it */
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(receive(delta, after_first - 150 * i, 0),
				 -EBADMSG);
		ck_assert_int_eq(seal_delta_where("file", 0, token), 0);
		ck_assert_int_eq(delta_token_parse(token, &journal), 0);
		ck_assert_uint_eq(journal.done, 4100);
	}
}
END_TEST

/* Somebody else writes to the file; @time: and sets its time, if not NULL. */
static void write_evil(off_t offset, const struct timespec *time)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, time ? *time : (struct timespec){ 0 },
	};
	int fd = open("file", O_WRONLY);

	ck_assert_int_eq(pwrite(fd, "evil", 4, offset), 4);
	if (time)
		ck_assert_int_eq(futimens(fd, times), 0);
	close(fd);
}

/* Where nothing tells whether the result is right, it is not made. */
START_TEST(written_to_since)
{
	struct seal_delta transfer = {
		.flags = SEAL_DELTA_IN_PLACE,
		.progress = stop_when_changed,
	};
	char token[SEAL_DELTA_TOKEN_LEN];
	struct delta_journal journal;

	make_change();
	ck_assert_int_eq(receive_as(&transfer), -ECANCELED);
	/* beside what the delta has */
	write_evil(3000, NULL);
	ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE), -ESTALE);
	ck_assert_int_eq(seal_delta_where("file", SEAL_DELTA_IN_PLACE, token), 0);
	ck_assert_int_eq(delta_token_parse(token, &journal), 0);
	ck_assert_uint_eq(journal.done, 0);
	make_full();
	ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE), 0);
	expect_contents(new);
}
END_TEST

static int die_when_changed(uint64_t done, uint64_t total, void *arg)
{
	(void)total;
	(void)arg;
	return done >= 100 ? kill(getpid(), SIGKILL) : 0;
}

/* The same if it was killed, and could not note the time of its last write. */
START_TEST(written_to_since_killed)
{
	struct seal_delta transfer = {
		.flags = SEAL_DELTA_IN_PLACE,
		.progress = die_when_changed,
	};
	struct timespec later;
	int status;
	pid_t pid;

	make_change();
	pid = fork();
	if (!pid)
		_exit(receive_as(&transfer) != 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	if (_i) {
		clock_gettime(CLOCK_REALTIME, &later);
		later.tv_sec += 60;
		write_evil(3000, &later);
	}
	ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE),
			 _i ? -ESTALE : 0);
	if (!_i)
		expect_contents(new);
}
END_TEST

/* A full delta, of which the first half was received, begins again. */
START_TEST(full_again)
{
	struct seal_delta transfer = {
		.flags = ways[_i],
		.progress = stop_when_changed,
	};

	ck_assert_int_eq(unlink("file"), 0);
	memcpy(new, old, SIZE);
	put_header(false, 0, 5);
	put_record(RECORD_DATA, 0, 4096);
	put_record(RECORD_DATA, 4096, 4096);
	put_end();
	ck_assert_int_eq(receive_as(&transfer), -ECANCELED);
	if (!_i)
		ck_assert_int_eq(rename(TEMPORARY, "file"), 0);
	write_evil(10, NULL);
	if (!_i)
		ck_assert_int_eq(rename("file", TEMPORARY), 0);
	ck_assert_int_eq(receive(delta, length, ways[_i]), 0);
	expect_contents(new);
}
END_TEST

/* What receiving would not go on with is no place to go on from either. */
START_TEST(planted_token)
{
	static const char note[] =
		"1 00000000000000000000000000000000 05050505050505050505050505050505 4096";
	char token[SEAL_DELTA_TOKEN_LEN];
	struct delta_journal journal;
	int fd;

	fd = open(TEMPORARY, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(fsetxattr(fd, "user.seal.receiving", note,
				   strlen(note), 0), 0);
	ck_assert_int_eq(seal_delta_where("file", 0, token), 0);
	/* by an older version, which noted no time */
	ck_assert_int_eq(delta_token_parse(token, &journal), 0);
	ck_assert_uint_eq(journal.done, 4096);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert_int_eq(seal_delta_where("file", 0, token), -ENODATA);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(link(TEMPORARY, "second"), 0);
	ck_assert_int_eq(seal_delta_where("file", 0, token), -ENODATA);
	ck_assert_int_eq(unlink("second"), 0);
	if (!geteuid()) {
		ck_assert_int_eq(fchown(fd, 12345, 12345), 0);
		ck_assert_int_eq(seal_delta_where("file", 0, token), -ENODATA);
	}
	close(fd);
	ck_assert_int_eq(unlink(TEMPORARY), 0);
	ck_assert_int_eq(mkfifo(TEMPORARY, 0600), 0);
	ck_assert_int_eq(seal_delta_where("file", 0, token), -ENODATA);
	ck_assert_int_eq(unlink(TEMPORARY), 0);
}
END_TEST

/* The same delta mends a file that was disturbed between two attempts. */
START_TEST(disturbed)
{
	struct seal_delta transfer = {
		.flags = SEAL_DELTA_IN_PLACE,
		.progress = stop_when_changed,
	};
	struct delta_record end = { .type = RECORD_END, .offset = 4, .length = 200 };
	struct seal_delta none = { 0 };
	FILE *file = tmpfile();
	struct stat st;

	make_hashed(false);
	fwrite(new, 1, SIZE, file);
	fflush(file);
	ck_assert_int_eq(delta_hash_file(&none, fileno(file), 0, SIZE, end.hash), 0);
	fclose(file);
	/* a right end, in the place of the one without a hash */
	length -= sizeof(end);
	memcpy(&check, delta + length - sizeof(check), sizeof(check));
	check = le64toh(check);
	delta_swap_record(&end);
	check = delta_record_check(&end, check);
	end.check = htole64(check);
	put(&end, sizeof(end));
	ck_assert_int_eq(receive_as(&transfer), -ECANCELED);
	/* without a trace: only the hash tells */
	ck_assert_int_eq(stat("file", &st), 0);
	write_evil(10, _i ? NULL : &st.st_mtim);
	if (!_i)
		ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE), -EIO);
	ck_assert_int_eq(receive(delta, length, SEAL_DELTA_IN_PLACE), 0);
	expect_contents(new);
}
END_TEST

/* A header whose base is and is not there. */
START_TEST(no_base)
{
	make_change();
	put_header(true, 0, 2);
	put_end();
	ck_assert_int_eq(receive(delta, length, ways[_i]), -EBADMSG);
	put_header(false, 1, 2);
	put_end();
	ck_assert_int_eq(receive(delta, length, ways[_i]), -EBADMSG);
	put_header(false, 0, 0);
	put_end();
	ck_assert_int_eq(receive(delta, length, ways[_i]), -EBADMSG);
	expect_contents(old);
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
	tcase_add_loop_test(tests, hashed_by_length, 0, 2);
	tcase_add_test(tests, hashed_alike);
	tcase_add_loop_test(tests, bounded, 0, 2);
	tcase_add_loop_test(tests, cancelled, 0, 2);
	tcase_add_loop_test(tests, garbage, 0, 2);
	tcase_add_test(tests, mask_is_left_alone);
	tcase_add_test(tests, other_sizes);
	tcase_add_test(tests, resumed);
	tcase_add_test(tests, tokens);
	tcase_add_test(tests, dumped);
	tcase_add_test(tests, no_directory);
	tcase_add_test(tests, planted);
	tcase_add_test(tests, links);
	tcase_add_loop_test(tests, another_file, 0, 2);
	tcase_add_test(tests, attribute_that_grows);
	tcase_add_loop_test(tests, another_kind, 0, 2);
	tcase_add_test(tests, noted_only);
	tcase_add_test(tests, name_is_taken);
	tcase_add_test(tests, two_in_place);
	tcase_add_loop_test(tests, no_privilege, 0, 2);
	tcase_add_test(tests, no_access_list);
	tcase_add_loop_test(tests, cannot_grow, 0, 2);
	tcase_add_test(tests, no_step_back);
	tcase_add_loop_test(tests, disturbed, 0, 2);
	tcase_add_test(tests, written_to_since);
	tcase_add_loop_test(tests, written_to_since_killed, 0, 2);
	tcase_add_loop_test(tests, full_again, 0, 2);
	tcase_add_test(tests, planted_token);
	tcase_add_loop_test(tests, no_base, 0, 2);
	return run_tests(tests, "delta");
}
