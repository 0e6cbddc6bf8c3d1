// SPDX-License-Identifier: GPL-2.0-only
/* Helpers of the test programs; sealtest.h describes them. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Not within a test: a failure here shows in the tests. The grant is left out where
 * the filesystem has none.
 */
void st_anchor(void)
{
	struct seal_grant_extent extents[SEAL_GRANT_MIN_EXTENTS];
	static char block[4096];
	struct seal_grant grant = {
		.size = sizeof(grant), .flags = SEAL_GRANT_WRITTEN,
		.nr_extents = SEAL_GRANT_MIN_EXTENTS,
		.extents = (uintptr_t)extents, .length = sizeof(block),
	};
	const char *dir = getenv("SEAL_DIR");
	int dev = open(ST_DEVICE, O_RDWR | O_CLOEXEC);
	char path[256];

	snprintf(path, sizeof(path), "%s/anchor", dir ? dir : ".");
	grant.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dev < 0 || grant.fd < 0 ||
	    pwrite(grant.fd, block, sizeof(block), 0) != sizeof(block) ||
	    fsync(grant.fd) || st_do_seal_one(dev, grant.fd))
		return;
	st_do_ioctl(dev, SEAL_IOC_GRANT, &grant);
}

const char *st_env(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value, "%s is not set: run the guest script", name);
	return value;
}

bool st_is_xfs(void)
{
	return !strcmp(st_env("SEAL_TYPE"), "xfs");
}

int st_session(void)
{
	int dev = open(ST_DEVICE, O_RDWR | O_CLOEXEC);

	ck_assert_msg(dev >= 0, "%s: %s", ST_DEVICE, strerror(errno));
	return dev;
}

int st_do_ioctl(int dev, unsigned long cmd, void *arg)
{
	return ioctl(dev, cmd, arg) < 0 ? -errno : 0;
}

int st_do_seal(int dev, const int *fds, unsigned int nr, uint32_t flags,
	       uint32_t require, uint64_t max_extents, struct seal_files *out)
{
	struct seal_files req = {
		.size = sizeof(req),
		.flags = flags,
		.nr_fds = nr,
		.require = require,
		.fds = (uintptr_t)fds,
		.max_extents = max_extents,
	};
	int ret = st_do_ioctl(dev, SEAL_IOC_SEAL, &req);

	if (out)
		*out = req;
	return ret;
}

int st_do_seal_one(int dev, int fd)
{
	return st_do_seal(dev, &fd, 1, 0, 0, 0, NULL);
}

int st_do_unseal(int dev, int fd, uint32_t flags)
{
	struct seal_unseal req = {
		.size = sizeof(req),
		.fd = fd,
		.flags = flags,
	};

	return st_do_ioctl(dev, SEAL_IOC_UNSEAL, &req);
}

/* One command works on a bounded part: go on until all is done. */
int st_do_range(int dev, unsigned long cmd, int fd, uint32_t flags,
		uint64_t offset, uint64_t length)
{
	struct stat st;
	int ret;

	if (!length) {
		if (fstat(fd, &st))
			return -errno;
		if (offset >= (uint64_t)st.st_size)
			return 0;
		length = st.st_size - offset;
	}
	while (length) {
		struct seal_range_op req = {
			.size = sizeof(req),
			.fd = fd,
			.flags = flags,
			.offset = offset,
			.length = length,
		};

		ret = st_do_ioctl(dev, cmd, &req);
		if (ret)
			return ret;
		ck_assert_msg(req.done, "no progress at %llu",
			      (unsigned long long)offset);
		if (req.done >= length)
			break;
		offset += req.done;
		length -= req.done;
	}
	return 0;
}

void st_seal(int dev, int fd)
{
	struct seal_files out;
	int ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);

	ck_assert_msg(!ret, "SEAL: %s (%.*s)", strerror(-ret),
		      SEAL_REASON_LEN, (const char *)out.reason);
}

void st_unseal(int dev, int fd)
{
	int ret = st_do_unseal(dev, fd, 0);

	ck_assert_msg(!ret, "UNSEAL: %s", strerror(-ret));
}

struct seal_status st_status(int fd)
{
	struct seal_status req = { .size = sizeof(req), .fd = fd };
	int dev = st_session();
	int ret = st_do_ioctl(dev, SEAL_IOC_STATUS, &req);

	close(dev);
	ck_assert_msg(!ret, "STATUS: %s", strerror(-ret));
	return req;
}

bool st_sealed(int fd)
{
	return st_status(fd).flags & SEAL_STATUS_SEALED;
}

bool st_becomes_unsealed(int fd)
{
	double end = st_now() + st_patience(10);

	while (st_sealed(fd)) {
		if (st_now() > end)
			return false;
		st_sleep_ms(20);
	}
	return true;
}

void st_path(char *buf, size_t size, const char *name)
{
	int len = snprintf(buf, size, "%s/%s", st_env("SEAL_DIR"), name);

	ck_assert(len > 0 && (size_t)len < size);
}

int st_open(const char *name, int flags)
{
	char path[256];
	int fd;

	st_path(path, sizeof(path), name);
	fd = open(path, flags | O_CLOEXEC, 0644);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

int st_create(const char *name)
{
	st_remove(name);
	return st_open(name, O_RDWR | O_CREAT | O_EXCL);
}

int st_create_written(const char *name, size_t length)
{
	int fd = st_create(name);

	st_fill(fd, 0, length, 'a');
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

int st_create_trimmed(const char *name, size_t length)
{
	int fd = st_create_written(name, length);

	ck_assert_int_eq(ftruncate(fd, length), 0);
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

void st_remove(const char *name)
{
	char path[256];

	st_path(path, sizeof(path), name);
	unlink(path);
}

void st_fill(int fd, off_t offset, size_t length, unsigned char byte)
{
	char buf[65536];
	ssize_t n;

	memset(buf, byte, sizeof(buf));
	while (length) {
		n = pwrite(fd, buf, length < sizeof(buf) ? length : sizeof(buf),
			   offset);
		ck_assert_msg(n > 0, "pwrite at %lld: %s", (long long)offset,
			      strerror(errno));
		offset += n;
		length -= n;
	}
}

/* FNV-1a over what read(2) returns, eight bytes at a time. */
uint64_t st_content(int fd)
{
	uint64_t hash = 0xcbf29ce484222325ULL, word;
	char buf[65536];
	off_t offset = 0;
	ssize_t n, i;

	while ((n = pread(fd, buf, sizeof(buf), offset)) > 0) {
		memset(buf + n, 0, sizeof(buf) - n);
		for (i = 0; i < n; i += 8) {
			memcpy(&word, buf + i, sizeof(word));
			hash = (hash ^ word) * 0x100000001b3ULL;
		}
		offset += n;
	}
	ck_assert_msg(!n, "pread: %s", strerror(errno));
	return hash ^ (uint64_t)offset;
}

uint32_t st_block(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_blksize;
}

static void map_count(int fd, struct fiemap *fm)
{
	memset(fm, 0, sizeof(*fm));
	fm->fm_length = ~0ULL;
	fm->fm_flags = FIEMAP_FLAG_SYNC;
	ck_assert_msg(!ioctl(fd, FS_IOC_FIEMAP, fm), "FIEMAP: %s",
		      strerror(errno));
}

struct st_map st_map(int fd)
{
	struct st_map map = { 0 };
	struct fiemap count, *fm;
	size_t room;

	map_count(fd, &count);
	/* Extents may be added between the two calls: leave room for some. */
	room = count.fm_mapped_extents + 64;
	fm = calloc(1, sizeof(*fm) + room * sizeof(fm->fm_extents[0]));
	ck_assert_ptr_nonnull(fm);
	fm->fm_length = ~0ULL;
	fm->fm_flags = FIEMAP_FLAG_SYNC;
	fm->fm_extent_count = room;
	ck_assert_msg(!ioctl(fd, FS_IOC_FIEMAP, fm), "FIEMAP: %s",
		      strerror(errno));
	map.nr = fm->fm_mapped_extents;
	map.e = calloc(map.nr + 1, sizeof(*map.e));
	ck_assert_ptr_nonnull(map.e);
	memcpy(map.e, fm->fm_extents, map.nr * sizeof(*map.e));
	free(fm);
	return map;
}

bool st_map_same(const struct st_map *a, const struct st_map *b)
{
	return a->nr == b->nr && !memcmp(a->e, b->e, a->nr * sizeof(*a->e));
}

void st_map_free(struct st_map *map)
{
	free(map->e);
	map->e = NULL;
	map->nr = 0;
}

uint64_t st_address(int fd, uint64_t offset)
{
	struct st_map map = st_map(fd);
	uint64_t address = 0;
	unsigned int i;

	for (i = 0; i < map.nr; i++) {
		const struct fiemap_extent *e = &map.e[i];

		if (offset >= e->fe_logical &&
		    offset < e->fe_logical + e->fe_length)
			address = e->fe_physical + (offset - e->fe_logical);
	}
	st_map_free(&map);
	return address;
}

int st_do_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

char *st_read_file(const char *path)
{
	size_t size = 0, room = 1 << 20;
	char *text = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_ptr_nonnull(text);
	while (size + 1 < room && (n = read(fd, text + size, room - 1 - size)) > 0)
		size += n;
	text[size] = 0;
	close(fd);
	return text;
}

#define FUNCTIONS	"/sys/kernel/tracing/enabled_functions"
#define KPROBES		"/sys/kernel/debug/kprobes/list"
/* long enough for a kernel that checks itself under emulation */
#define REST_SECONDS	30

bool st_at_rest(void)
{
	char *functions = NULL, *list = NULL;
	bool rest = false;

	for (int i = 0; i < REST_SECONDS * 5 && !rest; i++) {
		if (i)
			st_sleep_ms(200);
		free(functions);
		free(list);
		functions = st_read_file(FUNCTIONS);
		list = st_read_file(KPROBES);
		rest = !strstr(functions, "[seal]") && !*list;
	}
	if (!rest)
		printf("attached:\n%sprobes:\n%s", functions, list);
	free(functions);
	free(list);
	return rest;
}

void st_mount(void)
{
	const char *options = st_env("SEAL_OPTIONS");

	if (!strcmp(options, "defaults"))
		options = NULL;
	ck_assert_msg(!mount(st_env("SEAL_DEV"), st_env("SEAL_DIR"),
			     st_env("SEAL_TYPE"), 0, options),
		      "mount: %s", strerror(errno));
}

int st_do_unmount(void)
{
	return umount2(st_env("SEAL_DIR"), 0) ? -errno : 0;
}

double st_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

bool st_long(void)
{
	return getenv("SEAL_LONG");
}

bool st_goes_on(int done, int rounds, double start, unsigned int seconds)
{
	if (st_long())
		return done < ST_LONG_ROUNDS;
	return done < rounds && st_now() < start + seconds;
}

double st_limit(unsigned int seconds)
{
	return st_long() ? 120.0 * seconds : seconds;
}

double st_patience(unsigned int seconds)
{
	const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");

	return seconds * (factor ? atof(factor) : 1.0);
}

void st_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

int st_wait_child(pid_t pid, unsigned int seconds)
{
	double end = st_now() + st_patience(seconds);
	int status;
	pid_t got;

	while (!(got = waitpid(pid, &status, WNOHANG))) {
		if (st_now() > end)
			return -1;
		st_sleep_ms(10);
	}
	ck_assert_int_eq(got, pid);
	return status;
}

#define PARTS	1024

pid_t st_reader_start(unsigned int pause)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		static char buf[1 << 20];
		static struct iovec iov[PARTS];
		int fd = open("/dev/urandom", O_RDONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < PARTS; i++)
			iov[i] = (struct iovec){ buf, sizeof(buf) };
		while (readv(fd, iov, PARTS) >= 0)
			if (pause)
				sleep(pause);
		_exit(1);
	}
	return pid;
}
