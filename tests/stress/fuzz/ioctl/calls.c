// SPDX-License-Identifier: GPL-2.0-only
/* Runs programs, and knows what no program may achieve. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <seal.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE		(64 << 10)
#define LIMIT		(4 << 20)	/* of any file */
#define AREA		(16 << 10)
#define MAX_REQUEST	(AREA / 2)
#define HANG		120		/* seconds a program may take */

/* Descriptors have fixed places, out of the way of what the process needs. */
#define FILE_FD		200
#define DEV_FD		300
#define NR_DEVS		4
#define NETLINK_FD	310
#define NR_NETLINK	2

enum file {
	FILE_WRITTEN, FILE_HOLES, FILE_UNWRITTEN, FILE_CLONED, FILE_ANCHOR,
	FILE_EMPTY,
	NR_REAL,
	FILE_RDONLY = NR_REAL, FILE_PATH, FILE_WRONLY, FILE_DIR, FILE_NULL,
	FILE_PIPE, FILE_EVENT, FILE_MEMFD, FILE_TMPFS, FILE_DEVICE, FILE_PROC,
	NR_FILES,
	/* anything else stands for a number no descriptor has */
};

static const char *const real_names[NR_REAL] = {
	"written", "holes", "unwritten", "cloned", "anchor", "empty",
};

static const char *directory;
static int world_dev = -1, anchor_fd = -1;
static struct seal_status anchor_status;
static ino_t anchor_inode;

static unsigned long results[OP_NR][256];

/* Memory a request is put into: read-write, and the same read-only. */
static struct area {
	char *rw;
	char *ro;
	int32_t *fds;		/* ends with the mapping, as the request */
} areas[FUZZ_THREADS];

static char *map_guarded(int fd, int prot)
{
	char *at = mmap(NULL, AREA + 4096, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED ||
	    mmap(at, AREA, prot, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		abort();
	return at;
}

static void area_make(struct area *area)
{
	int fd = memfd_create("request", MFD_CLOEXEC);
	int fds = memfd_create("fds", MFD_CLOEXEC);

	if (ftruncate(fd, AREA) || ftruncate(fds, AREA))
		abort();
	area->rw = map_guarded(fd, PROT_READ | PROT_WRITE);
	area->ro = map_guarded(fd, PROT_READ);
	area->fds = (int32_t *)map_guarded(fds, PROT_READ | PROT_WRITE);
	close(fd);
	close(fds);
}

/* --- files --- */

static int real_open(enum file file, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, real_names[file]);
	return open(path, flags | O_CLOEXEC, 0644);
}

static void fill(int fd, off_t offset, size_t length)
{
	char buf[8192];

	memset(buf, 'f', sizeof(buf));
	for (; length; length -= sizeof(buf), offset += sizeof(buf))
		if (pwrite(fd, buf, sizeof(buf), offset) != sizeof(buf))
			abort();
}

static void place(int fd, int at)
{
	if (fd < 0 || dup3(fd, at, O_CLOEXEC) < 0)
		abort();
	close(fd);
}

static void file_make(enum file file)
{
	int fd = real_open(file, O_RDWR | O_CREAT | O_TRUNC);

	if (fd < 0)
		abort();
	switch (file) {
	case FILE_WRITTEN:
		fill(fd, 0, SIZE);
		break;
	case FILE_HOLES:
		if (ftruncate(fd, SIZE))
			abort();
		fill(fd, 8192, 8192);
		fill(fd, 40960, 8192);
		break;
	case FILE_UNWRITTEN:
		if (fallocate(fd, 0, 0, SIZE))
			abort();
		fill(fd, 8192, 8192);
		break;
	case FILE_CLONED:
		/* where there is no reflink it is another empty file */
		ioctl(fd, FICLONE, FILE_FD + FILE_WRITTEN);
		break;
	default:
		break;
	}
	place(fd, FILE_FD + file);
}

static void files_make(void)
{
	char path[512];
	int pair[2];

	for (int i = 0; i < NR_REAL; i++) {
		if (i == FILE_ANCHOR)
			place(real_open(i, O_RDWR), FILE_FD + i);
		else
			file_make(i);
	}
	place(real_open(FILE_WRITTEN, O_RDONLY), FILE_FD + FILE_RDONLY);
	place(real_open(FILE_WRITTEN, O_PATH), FILE_FD + FILE_PATH);
	place(real_open(FILE_WRITTEN, O_WRONLY), FILE_FD + FILE_WRONLY);
	place(open(directory, O_RDONLY | O_DIRECTORY), FILE_FD + FILE_DIR);
	place(open("/dev/null", O_RDWR), FILE_FD + FILE_NULL);
	if (pipe2(pair, O_NONBLOCK))
		abort();
	close(pair[1]);
	place(pair[0], FILE_FD + FILE_PIPE);
	place(eventfd(0, EFD_NONBLOCK), FILE_FD + FILE_EVENT);
	place(memfd_create("fuzz", 0), FILE_FD + FILE_MEMFD);
	snprintf(path, sizeof(path), "/tmp/fuzz-file");
	place(open(path, O_RDWR | O_CREAT, 0600), FILE_FD + FILE_TMPFS);
	place(open("/dev/" SEAL_DEVICE_NAME, O_RDWR), FILE_FD + FILE_DEVICE);
	place(open("/proc/self/status", O_RDONLY), FILE_FD + FILE_PROC);
	for (int i = 0; i < NR_DEVS; i++)
		place(open("/dev/" SEAL_DEVICE_NAME, O_RDWR), DEV_FD + i);
	for (int i = 0; i < NR_NETLINK; i++)
		place(netlink_socket(), NETLINK_FD + i);
}

static void files_close(void)
{
	for (int i = 0; i < NR_FILES; i++)
		close(FILE_FD + i);
	for (int i = 0; i < NR_DEVS; i++)
		close(DEV_FD + i);
	for (int i = 0; i < NR_NETLINK; i++)
		close(NETLINK_FD + i);
}

/* Mostly files that can be sealed; some that cannot; some that are none. */
static int file_fd(unsigned int number)
{
	number %= 32;
	if (number < NR_FILES)
		return FILE_FD + number;
	if (number == 31)
		return -1;
	if (number == 30)
		return INT32_MAX;
	return FILE_FD + number % NR_REAL;
}

/* --- requests --- */

static void *request_place(const struct area *area, enum where where,
			   const void *request, size_t size)
{
	char *at = area->rw + AREA - size;

	switch (where % WHERE_NR) {
	case WHERE_SHORT:
		at = area->rw + AREA - size / 2;
		memcpy(at, request, size / 2);
		return at;
	case WHERE_ODD:
		at = area->rw + 1;
		break;
	case WHERE_READONLY:
		memcpy(area->rw, request, size);
		return area->ro;
	case WHERE_UNMAPPED:
		return area->rw + AREA;
	case WHERE_NULL:
		return NULL;
	case WHERE_KERNEL:
		return (void *)0xffff888000001000ULL;
	default:
		break;
	}
	memcpy(at, request, size);
	return at;
}

/* An array at the end of the mapping, or half behind it, or nowhere. */
static uint64_t array_place(const struct area *area, const struct call *c,
			    size_t size)
{
	char *end = (char *)area->fds + AREA;

	switch (c->b % 16) {
	case 13:
		return (uintptr_t)end - size / 2;
	case 14:
		return (uintptr_t)end;
	case 15:
		return c->b;
	default:
		return (uintptr_t)end - size;
	}
}

static uint32_t count_of(const struct call *c)
{
	switch (c->nr) {
	case 253:
		return UINT32_MAX;
	case 254:
		return SEAL_MAX_FILES;
	case 255:
		return SEAL_MAX_FILES + 1;
	default:
		return c->nr;
	}
}

static uint64_t fds_array(const struct area *area, const struct call *c)
{
	uint32_t nr = count_of(c);
	int32_t *fds;

	if (nr > AREA / sizeof(*fds))
		nr = AREA / sizeof(*fds);
	fds = (int32_t *)((char *)area->fds + AREA) - nr;
	for (uint32_t i = 0; i < nr; i++)
		fds[i] = file_fd(c->file + i * (1 + c->a % 7));
	return array_place(area, c, nr * sizeof(*fds));
}

/* Whole blocks mostly, in order or not. */
static uint64_t ranges_array(const struct area *area, const struct call *c)
{
	struct seal_commit_range *ranges;
	uint32_t nr = count_of(c);

	if (nr > AREA / sizeof(*ranges))
		nr = AREA / sizeof(*ranges);
	ranges = (void *)((char *)area->fds + AREA - nr * sizeof(*ranges));
	for (uint32_t i = 0; i < nr; i++) {
		ranges[i].offset = c->a + i * 8192;
		ranges[i].length = 4096 * (1 + c->more % 3);
	}
	return array_place(area, c, nr * sizeof(*ranges));
}

static unsigned int command_number(uint8_t op)
{
	switch (op) {
	case OP_INFO:
		return SEAL_IOC_INFO;
	case OP_PREALLOC:
		return SEAL_IOC_PREALLOC;
	case OP_UNSHARE:
		return SEAL_IOC_UNSHARE;
	case OP_SEAL:
		return SEAL_IOC_SEAL;
	case OP_UNSEAL:
		return SEAL_IOC_UNSEAL;
	case OP_REVOKE:
		return SEAL_IOC_REVOKE;
	case OP_GRANT:
		return SEAL_IOC_GRANT;
	case OP_COMMIT:
		return SEAL_IOC_COMMIT;
	case OP_RELEASE:
		return SEAL_IOC_RELEASE;
	case OP_PLACES:
		return SEAL_IOC_PLACES;
	default:
		return SEAL_IOC_STATUS;
	}
}

/* Fills in what the command knows; returns the size it has in this header. */
static size_t request_fill(const struct area *area, const struct call *c,
			   int revoke_fd, void *request)
{
	switch (c->op) {
	case OP_INFO: {
		struct seal_info *info = request;

		info->nr_fs = count_of(c);
		info->fs = array_place(area, c, info->nr_fs < 16 ?
				       info->nr_fs * sizeof(struct seal_fs_info) :
				       AREA);
		return sizeof(*info);
	}
	case OP_PREALLOC:
	case OP_UNSHARE: {
		struct seal_range_op *range = request;

		range->fd = file_fd(c->file);
		range->flags = c->flags;
		range->reserved = c->more > 15 ? c->more : 0;
		range->offset = c->a;
		range->length = c->b;
		return sizeof(*range);
	}
	case OP_SEAL: {
		struct seal_files *files = request;

		files->flags = c->flags;
		files->nr_fds = count_of(c);
		files->require = c->more;
		files->fds = fds_array(area, c);
		files->max_extents = c->more & SEAL_REQ_EXTENTS ? c->a : 0;
		files->recall_ms = c->flags & SEAL_SEAL_RECALL ? c->a : 0;
		return sizeof(*files);
	}
	case OP_UNSEAL: {
		struct seal_unseal *unseal = request;

		unseal->fd = file_fd(c->file);
		unseal->flags = c->flags;
		unseal->reserved = c->more > 15 ? c->more : 0;
		/* numbers are given out from 1 on */
		if (c->flags & SEAL_UNSEAL_CLAIM) {
			unseal->fd = c->more & 1 ? unseal->fd : -1;
			unseal->claim = c->a % 256;
		}
		return sizeof(*unseal);
	}
	case OP_REVOKE: {
		struct seal_revoke *revoke = request;

		revoke->fd = revoke_fd;
		revoke->flags = c->flags;
		return sizeof(*revoke);
	}
	case OP_GRANT: {
		struct seal_grant *grant = request;

		grant->fd = file_fd(c->file);
		grant->flags = c->flags;
		grant->nr_extents = count_of(c);
		/* room for the usual number even if less is said */
		grant->extents = array_place(area, c, grant->nr_extents < 256 ?
					     grant->nr_extents *
					     sizeof(struct seal_grant_extent) :
					     AREA);
		grant->offset = c->a;
		grant->length = c->b;
		grant->reserved = c->more > 15 ? c->more : 0;
		return sizeof(*grant);
	}
	case OP_COMMIT: {
		struct seal_commit *commit = request;

		commit->fd = file_fd(c->file);
		commit->flags = c->flags;
		commit->nr_ranges = count_of(c);
		commit->ranges = ranges_array(area, c);
		commit->new_size = c->more & 8 ? c->b : 0;
		commit->reserved = c->more > 15 ? c->more : 0;
		return sizeof(*commit);
	}
	case OP_RELEASE: {
		struct seal_release *release = request;

		release->fd = file_fd(c->file);
		release->flags = c->flags;
		release->offset = c->a;
		release->length = c->b;
		release->reserved = c->more > 15 ? c->more : 0;
		return sizeof(*release);
	}
	case OP_PLACES: {
		struct seal_places *places = request;

		places->fd = file_fd(c->file);
		places->flags = c->flags;
		places->nr_extents = count_of(c);
		places->extents = array_place(area, c, places->nr_extents < 256 ?
					      places->nr_extents *
					      sizeof(struct seal_place) : AREA);
		places->offset = c->a;
		return sizeof(*places);
	}
	default: {
		struct seal_status *status = request;

		status->fd = file_fd(c->file);
		status->reserved = c->more > 15 ? c->more : 0;
		status->ask = c->flags & SEAL_ASK_ALL;
		return sizeof(*status);
	}
	}
}

/*
 * REVOKE takes a file from whoever holds it: not the anchor. A copy, because
 * other threads change what a descriptor is.
 */
static int fd_to_revoke(const struct call *c)
{
	int fd = fcntl(file_fd(c->file), F_DUPFD_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && st.st_ino == anchor_inode) {
		close(fd);
		return -1;
	}
	return fd;
}

static int run_command(const struct area *area, const struct call *c)
{
	union {
		uint32_t size;
		char bytes[MAX_REQUEST];
	} request = { .size = 0 };
	unsigned int cmd = command_number(c->op);
	int revoke_fd = c->op == OP_REVOKE ? fd_to_revoke(c) : -1;
	int ret, error;
	size_t size;

	size = request_fill(area, c, revoke_fd, &request) + (int16_t)c->size;
	if (size > MAX_REQUEST)
		size = c->size % 64;
	request.size = size;
	if (size < sizeof(request.size))
		size = sizeof(request.size);
	/* what a later version would put behind */
	if (c->flags & 0x80000000 && size > 1)
		request.bytes[size - 1] = 1;
	/* the size in the number is not what counts */
	if (c->flags & 0x40000000)
		cmd ^= 8 << _IOC_SIZESHIFT;
	if (c->op == OP_UNKNOWN)
		cmd = (cmd & ~0xffU) |
		      (c->flags & 1 ? 7 : 11 + (c->flags & 0x7f));
	ret = ioctl(DEV_FD + c->dev % NR_DEVS, cmd,
		    request_place(area, c->where, &request, size));
	error = errno;
	if (revoke_fd >= 0)
		close(revoke_fd);
	errno = error;
	return ret;
}

/* The kernel stores where a program would, and says EFAULT instead of SIGBUS. */
static int run_store(const struct call *c)
{
	off_t page = c->a % LIMIT & ~4095ULL;
	int ret, error;
	char *at;

	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		  file_fd(c->file), page);
	if (at == MAP_FAILED)
		return -1;
	ret = syscall(SYS_getrandom, at, 8, 0) < 0 ? -1 : 0;
	error = errno;
	munmap(at, 4096);
	errno = error;
	return ret;
}

static int run_other(const struct call *c)
{
	int fd = file_fd(c->file), ret;

	switch (c->op) {
	case OP_OPEN:
		ret = open("/dev/" SEAL_DEVICE_NAME, O_RDWR | O_CLOEXEC);
		if (ret < 0)
			return ret;
		/* what was there before is closed by it */
		dup3(ret, DEV_FD + c->dev % NR_DEVS, O_CLOEXEC);
		return close(ret);
	case OP_CLOSE:
		return close(c->flags & 1 ? DEV_FD + c->dev % NR_DEVS : fd);
	case OP_DUP:
		return dup3(file_fd(c->nr), fd, O_CLOEXEC) < 0 ? -1 : 0;
	case OP_WRITE:
		return pwrite(fd, directory, c->b % 4096, c->a % LIMIT) < 0 ?
		       -1 : 0;
	case OP_TRUNCATE:
		return ftruncate(fd, c->a % LIMIT);
	case OP_PUNCH:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 c->a % LIMIT, 1 + c->b % LIMIT);
	case OP_FSYNC:
		return fsync(fd);
	case OP_STORE:
		return run_store(c);
	case OP_NETLINK:
		return netlink_run(NETLINK_FD + c->dev % NR_NETLINK, c,
				   c->file & 16 ? fd : DEV_FD + c->dev % NR_DEVS);
	default:
		return ioctl(fd, FICLONE, file_fd(c->nr));
	}
}

/*
 * What uapi/seal.h does not name, no command returns. ESTALE is missing here:
 * it says that a seal was broken, which no program may achieve.
 */
static bool documented(int error)
{
	static const int errors[] = {
		0, EBADF, EPERM, EOPNOTSUPP, EFAULT, EINVAL, E2BIG, ENOTTY,
		EFBIG, ETXTBSY, ENOSPC, EDQUOT, EIO, EINTR, EBADFD, EBUSY,
		ENOMEM, EACCES, ENXIO, EOWNERDEAD,
	};

	for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == error)
			return true;
	return false;
}

struct share {
	const struct program *program;
	unsigned int thread;
	int undocumented;
};

static void *run_share(void *arg)
{
	struct share *share = arg;
	const struct area *area = &areas[share->thread];

	kcov_begin(share->thread);
	for (unsigned int i = 0; i < share->program->nr; i++) {
		const struct call *c = &share->program->call[i];
		int ret;

		if (c->thread % FUZZ_THREADS != share->thread)
			continue;
		errno = 0;
		ret = c->op <= OP_UNKNOWN ? run_command(area, c) : run_other(c);
		if (ret >= 0)
			errno = 0;
		__atomic_fetch_add(&results[c->op][errno & 255], 1,
				   __ATOMIC_RELAXED);
		if ((c->op <= OP_UNKNOWN && !documented(errno)) ||
		    (c->op == OP_NETLINK && !netlink_documented(errno)))
			share->undocumented = errno;
	}
	kcov_end(share->thread);
	return NULL;
}

/* --- what must hold --- */

static int world_status(int fd, struct seal_status *status)
{
	*status = (struct seal_status){ .size = sizeof(*status), .fd = fd };
	return ioctl(world_dev, SEAL_IOC_STATUS, status);
}

/* Nobody but its holder ends a seal, and nothing changes what it holds. */
static const char *check_anchor(void)
{
	struct seal_status status;

	if (world_status(anchor_fd, &status))
		return "STATUS of the anchor failed";
	if (!(status.flags & SEAL_STATUS_HELD))
		return "the claim on the anchor is gone";
	if (status.flags & (SEAL_STATUS_DISARMED | SEAL_STATUS_MISSED |
			    SEAL_STATUS_REPAIRED | SEAL_STATUS_BROKEN))
		return "the anchor's gates were off, or its seal is broken";
	if (status.holders != 1)
		return "a session that is gone still holds the anchor";
	if (status.digest != anchor_status.digest)
		return "the map of the anchor changed";
	if (!ftruncate(anchor_fd, 0))
		return "the anchor was truncated";
	return NULL;
}

static const char *check_left(void)
{
	for (int i = 0; i < NR_REAL; i++) {
		struct seal_unseal unseal = {
			.size = sizeof(unseal),
			.flags = SEAL_UNSEAL_STICKY,
			.fd = real_open(i, O_RDWR),
		};
		int ret;

		if (unseal.fd < 0)
			return "a file is gone";
		ret = ioctl(world_dev, SEAL_IOC_UNSEAL, &unseal);
		/* STATUS would tell as well, but reads the map: that is slow */
		if (!ret && i != FILE_ANCHOR)
			ret = ftruncate(unseal.fd, 0) ?: ftruncate(unseal.fd, 1);
		close(unseal.fd);
		if (ret)
			return "a seal is left although no session is";
	}
	return check_anchor();
}

static void hang(int sig)
{
	static const char text[] = "a program does not end\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(4);
	_exit(3);
}

const char *program_run(const struct program *p)
{
	struct share shares[FUZZ_THREADS] = {
		{ .program = p, .thread = 0 }, { .program = p, .thread = 1 },
	};
	static char text[64];
	pthread_t thread;

	alarm(HANG);
	files_make();
	if (pthread_create(&thread, NULL, run_share, &shares[1]))
		abort();
	run_share(&shares[0]);
	pthread_join(thread, NULL);
	files_close();
	alarm(0);
	for (int i = 0; i < FUZZ_THREADS; i++) {
		if (!shares[i].undocumented)
			continue;
		snprintf(text, sizeof(text), "undocumented error %d",
			 shares[i].undocumented);
		return text;
	}
	return check_left();
}

void world_begin(const char *dir)
{
	struct rlimit limit = { LIMIT, LIMIT };
	struct seal_files seal = { .size = sizeof(seal), .nr_fds = 1 };
	struct stat st;

	directory = dir;
	signal(SIGALRM, hang);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int i = 0; i < FUZZ_THREADS; i++)
		area_make(&areas[i]);
	world_dev = open("/dev/" SEAL_DEVICE_NAME, O_RDWR | O_CLOEXEC);
	anchor_fd = real_open(FILE_ANCHOR, O_RDWR | O_CREAT | O_TRUNC);
	if (world_dev < 0 || anchor_fd < 0 || fstat(anchor_fd, &st))
		abort();
	anchor_inode = st.st_ino;
	netlink_begin();
	fill(anchor_fd, 0, 8192);
	fill(anchor_fd, 32768, 8192);
	seal.fds = (uintptr_t)&anchor_fd;
	if (ioctl(world_dev, SEAL_IOC_SEAL, &seal) ||
	    world_status(anchor_fd, &anchor_status)) {
		perror("sealing the anchor");
		exit(2);
	}
}

void world_end(void)
{
	close(world_dev);
	close(anchor_fd);
}

void world_report(void)
{
	for (int op = 0; op < OP_NR; op++) {
		printf("  %-9s", op_names[op]);
		for (int e = 0; e < 256; e++)
			if (results[op][e])
				printf(" %s:%lu", e ? strerrorname_np(e) : "ok",
				       results[op][e]);
		putchar('\n');
	}
}
