// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time one operation on one file. In a guest whose clock counts instructions
 * (QEMU -icount shift=0) a nanosecond is an instruction.
 *
 *   bench OPERATION FILE [COUNT]    prints: nanoseconds per operation; with
 *                                   READ_ONLY set the file is opened so
 *   bench seal FILE                 prints: nanoseconds of SEAL, of UNSEAL, of
 *                                   walking its map with FIEMAP
 *   bench hold FILE                 opens it, or all in a directory, and says so;
 *                                   seals what it opened when it gets a line,
 *                                   says so; waits for end of input
 *   bench many DIRECTORY N          makes N files of a block: 0, 1, ...
 *   bench checker FILE RANGES BLOCK a file of RANGES blocks with holes between
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/fiemap.h>
#include <linux/fs.h>

#include "libseal.h"

#define BLOCK	4096
#define ROUNDS	21
#define SYNC_RANGES	20000	/* ranges that are made before they are written */
#define MAX_OPEN	(1 << 20)	/* what a process may have at most */

__attribute__((noreturn))
static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

#define LARGE	(1 << 20)
#define DEVICE_BYTES	(16 << 20)

static char buf[LARGE] __attribute__((aligned(BLOCK)));
static struct io_uring ring;
static char *map;
static int fd;
static off_t blocks;

/* Every other block: a checkered file has its blocks there. */
static off_t place(int i)
{
	return (off_t)i * 2 % blocks * BLOCK;
}

static void op_write(int i)
{
	if (pwrite(fd, buf, BLOCK, place(i)) != BLOCK)
		die("pwrite");
}

static void op_write_large(int i)
{
	if (pwrite(fd, buf, LARGE, (off_t)i % (blocks * BLOCK / LARGE) * LARGE) !=
	    LARGE)
		die("pwrite");
}

static void op_uring_write(int i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe = NULL;

	io_uring_prep_write(sqe, fd, buf, BLOCK, place(i));
	if (io_uring_submit_and_wait(&ring, 1) < 0 ||
	    io_uring_peek_cqe(&ring, &cqe) || cqe->res != BLOCK)
		die("io_uring");
	io_uring_cqe_seen(&ring, cqe);
}

static void op_read(int i)
{
	if (pread(fd, buf, BLOCK, place(i)) != BLOCK)
		die("pread");
}

/* One fault each: msync makes the page clean, and so read-only, again. */
static void op_fault(int i)
{
	((volatile char *)map)[place(i)] = 1;
}

/* Paths that have a gate. An even number of calls gives the size back. */
static void op_truncate(int i)
{
	if (ftruncate(fd, blocks * BLOCK - !(i & 1)))
		die("ftruncate");
}

/* The first block again and again: shared before, nothing moves. */
static void op_clone(int i)
{
	struct file_clone_range range = {
		.src_fd = fd, .src_length = BLOCK,
		.dest_offset = (off_t)(1 + i % 8) * BLOCK,
	};

	if (ioctl(fd, FICLONERANGE, &range))
		die("FICLONERANGE");
}

/* Into a hole of a checkered file that is sealed. */
static void op_refused(int i)
{
	if (pwrite(fd, buf, BLOCK, place(i) + BLOCK) >= 0 || errno != ETXTBSY)
		die("a write into a hole was not refused");
}

static void op_fallocate(int i)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, place(i), BLOCK))
		die("fallocate");
}

/* What of the file the page cache has to begin with */
enum cached { AS_IT_IS, NOTHING, PAGES };

static const struct operation {
	const char *name;
	int flags;
	enum cached cached;
	void (*once)(int i);
} operations[] = {
	{ "write", O_RDWR, PAGES, op_write },
	{ "direct-write", O_RDWR | O_DIRECT, NOTHING, op_write },
	{ "uring-write", O_RDWR, PAGES, op_uring_write },
	{ "write-1m", O_RDWR, PAGES, op_write_large },
	/* or it compares times of the file, which takes longer in some seconds */
	{ "read", O_RDWR | O_NOATIME, PAGES, op_read },
	{ "direct-read", O_RDWR | O_DIRECT | O_NOATIME, NOTHING, op_read },
	{ "fault", O_RDWR, PAGES, op_fault },
	{ "truncate", O_RDWR, PAGES, op_truncate },
	{ "fallocate", O_RDWR, AS_IT_IS, op_fallocate },
	{ "clone", O_RDWR, AS_IT_IS, op_clone },
	{ "refused", O_RDWR, AS_IT_IS, op_refused },
};

static void drop_cached(size_t size)
{
	unsigned char *cached = malloc(size / BLOCK);
	bool left = true;

	if (!cached)
		die("malloc");
	for (int try = 0; left; try++) {
		if (try == 100) {
			fprintf(stderr, "bench: pages stay in the cache\n");
			exit(1);
		}
		if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
		    mincore(map, size, cached))
			die("posix_fadvise");
		left = false;
		for (size_t i = 0; i < size / BLOCK; i++)
			left |= cached[i] & 1;
		if (left)
			usleep(10000);
	}
	free(cached);
}

/*
 * What an operation costs depends on what is cached: a direct one looks for it, and
 * the others find folios of the size they were read or written with, of which a fault
 * may map a whole one. Sealing drops some. So each measurement begins with the same:
 * nothing, or what it needs in folios of a page.
 */
static void prepare_cache(enum cached want, size_t size, int count)
{
	bool holes = lseek(fd, 0, SEEK_HOLE) < (off_t)size;

	if (want == AS_IT_IS)
		return;
	drop_cached(size);
	if (want == NOTHING)
		return;
	for (off_t i = 0; i < (holes ? count : blocks); i++) {
		off_t at = holes ? place(i) : i * BLOCK;

		if (pwrite(fd, buf, BLOCK, at) != BLOCK)
			die("pwrite");
	}
}

/*
 * The least of several rounds: timer ticks and write-back are in the others. For
 * that a round is shorter than a tick.
 */
static int run(const char *name, const char *path, int count)
{
	bool read_only = getenv("READ_ONLY");
	const struct operation *op = NULL;
	long long least = LLONG_MAX;
	struct stat st;
	__u64 size;

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(operations[i].name, name))
			op = &operations[i];
	if (!op) {
		fprintf(stderr, "bench: no operation %s\n", name);
		return 2;
	}
	fd = open(path, read_only ? O_RDONLY | O_NOATIME : op->flags);
	if (fd < 0 || fstat(fd, &st))
		die(path);
	size = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &size))
		die("BLKGETSIZE64");
	/* of a device no more than the file of the other measurements has */
	if (size > DEVICE_BYTES && S_ISBLK(st.st_mode))
		size = DEVICE_BYTES;
	blocks = size / BLOCK;
	map = mmap(NULL, size, PROT_READ | (read_only ? 0 : PROT_WRITE),
		   MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	if (op->once == op_uring_write && io_uring_queue_init(4, &ring, 0))
		die("io_uring");

	if (!read_only)
		prepare_cache(op->cached, size, count);
	for (int r = -1; r < ROUNDS; r++) {
		long long start, taken;

		if (msync(map, size, MS_SYNC))
			die("msync");
		start = now();
		for (int i = 0; i < count; i++)
			op->once(i);
		taken = now() - start;
		if (r >= 0 && taken < least)
			least = taken;
	}
	printf("%lld\n", least / count);
	return 0;
}

static struct seal_session *open_session(void)
{
	struct seal_session *session;
	int ret = seal_open(&session);

	if (ret) {
		errno = -ret;
		die("/dev/seal");
	}
	return session;
}

/* Open a file, or every file in a directory; how many. */
static int open_files(const char *path, int **fds)
{
	const struct rlimit limit = { MAX_OPEN, MAX_OPEN };
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	*fds = calloc(MAX_OPEN, sizeof(**fds));
	if (!*fds || setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE");
	dir = opendir(path);
	if (!dir) {
		(*fds)[0] = open(path, O_RDONLY);
		if ((*fds)[0] < 0)
			die(path);
		return 1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(*fds)[nr] = openat(dirfd(dir), entry->d_name, O_RDONLY);
		if ((*fds)[nr++] < 0)
			die(entry->d_name);
	}
	closedir(dir);
	return nr;
}

static void seal_all(struct seal_session *session, const int *fds, int nr)
{
	for (int i = 0; i < nr; i += SEAL_MAX_FILES) {
		int part = nr - i < SEAL_MAX_FILES ? nr - i : SEAL_MAX_FILES;
		struct seal_files report;
		int ret = seal_files(session, fds + i, part, 0, 0, 0, &report);

		if (ret) {
			fprintf(stderr, "bench: seal: %s: %s\n", strerror(-ret),
				(char *)report.reason);
			exit(1);
		}
	}
}

/* What FIEMAP alone costs, read in the way sealing reads it. */
static long long walk(int file)
{
	long long start = now();
	struct seal_extent extent;
	struct seal_map *extents;
	int ret;

	ret = seal_map_open(file, &extents);
	while (!ret) {
		ret = seal_map_next(extents, &extent);
		ret = ret > 0 ? 0 : ret ? ret : 1;
	}
	if (ret < 0) {
		errno = -ret;
		die("FIEMAP");
	}
	seal_map_close(extents);
	return now() - start;
}

static int time_seal(const char *path)
{
	struct seal_session *session = open_session();
	long long start, sealed, unsealed, walked;
	int file = open(path, O_RDONLY);

	/* what is cached of a file with holes, sealing drops by the page */
	if (file < 0 || fsync(file) ||
	    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED))
		die(path);
	/* the first may have to read extents */
	walk(file);
	walked = walk(file);
	start = now();
	seal_all(session, &file, 1);
	sealed = now();
	seal_unseal(session, file, 0);
	unsealed = now();
	printf("%lld %lld %lld\n", sealed - start, unsealed - sealed, walked);
	seal_close(session);
	close(file);
	return 0;
}

static int hold(const char *path)
{
	struct seal_session *session = open_session();
	int *fds, nr = open_files(path, &fds);

	puts("open");
	fflush(stdout);
	while (getchar() != '\n')
		;
	seal_all(session, fds, nr);
	puts("sealed");
	fflush(stdout);
	while (getchar() != EOF)
		;
	seal_close(session);
	free(fds);
	return 0;
}

/* A hole after every block: as many ranges as blocks. */
static int checker(const char *path, long ranges, int block)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (file < 0)
		die(path);
	/* first, or XFS preallocates behind each of them, and fills the holes */
	if (ftruncate(file, ranges * 2 * block))
		die(path);
	for (long i = 0; i < ranges; i++) {
		if (pwrite(file, buf, block, i * 2 * block) != block)
			die("pwrite");
		/* XFS keeps room for the worst case of what is not written yet */
		if (i % SYNC_RANGES == SYNC_RANGES - 1 && fdatasync(file))
			die("fdatasync");
	}
	if (fsync(file))
		die(path);
	return 0;
}

static int many(const char *dir, int nr)
{
	if (chdir(dir))
		die(dir);
	for (int i = 0; i < nr; i++) {
		char name[16];
		int file;

		snprintf(name, sizeof(name), "%d", i);
		file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (file < 0 || write(file, buf, BLOCK) != BLOCK)
			die(name);
		close(file);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "seal"))
		return time_seal(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "many"))
		return many(argv[2], atoi(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "checker"))
		return checker(argv[2], atol(argv[3]), atoi(argv[4]));
	if (argc == 3 || argc == 4)
		return run(argv[1], argv[2], argc == 4 ? atoi(argv[3]) : 1000);
	fprintf(stderr, "usage: bench OPERATION|seal|hold|many|checker FILE...\n");
	return 2;
}
