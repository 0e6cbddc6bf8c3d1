// SPDX-License-Identifier: GPL-2.0-only
/* The file of a sequence, its mapping, and the model of its bytes. */
#include "exhaust.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

#define XFS_MAGIC	0x58465342

struct world world;

static sigjmp_buf bus_jump;
static volatile sig_atomic_t bus_expected;

static void bus(int signal)
{
	if (!bus_expected)
		_exit(128 + signal);
	siglongjmp(bus_jump, 1);
}

/* Never zero, so that it differs from holes and unwritten blocks. */
void pattern(uint8_t *buf, uint64_t offset, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++, offset++)
		buf[i] = (offset * 131 + (offset >> 9) * 14 + seed * 74) | 1;
}

uint8_t *data_new(uint64_t offset, size_t length)
{
	static unsigned int seed = 1;
	static uint8_t *buf;

	if (!buf && posix_memalign((void **)&buf, PAGE, 64 * PAGE))
		die("no memory");
	if (length > 64 * PAGE)
		die("too much data");
	pattern(buf, offset, length, seed++);
	return buf;
}

void world_open(const char *dir, bool seal)
{
	static uint8_t source_bytes[SOURCE_PAGES * PAGE];
	struct sigaction action = { .sa_handler = bus, .sa_flags = SA_NODEFER };
	struct statfs fs;
	int ret;

	world.dir = dir;
	world.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (world.dir_fd < 0 || fstatfs(world.dir_fd, &fs))
		die("%s: %s", dir, strerror(errno));
	world.block = fs.f_bsize;
	world.xfs = fs.f_type == XFS_MAGIC;
	sigaction(SIGBUS, &action, NULL);

	world.source = openat(world.dir_fd, "source",
			      O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pattern(source_bytes, 0, sizeof(source_bytes), 0);
	world.bytes = source_bytes;
	if (world.source < 0 ||
	    pwrite(world.source, source_bytes, sizeof(source_bytes), 0) !=
	    sizeof(source_bytes) || fsync(world.source))
		die("source: %s", strerror(errno));
	pin_init();

	if (!seal)
		return;
	ret = seal_open(&world.session);
	if (!ret) {
		/* with one file sealed all the time the gates stay attached */
		int fd = openat(world.dir_fd, "anchor",
				O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		ret = fd < 0 ? -errno :
			       seal_files(world.session, &fd, 1, 0, 0, 0, NULL);
	}
	if (ret)
		die("cannot seal: %s", strerror(-ret));
}

static void put(struct run *run, uint64_t offset, size_t length)
{
	uint8_t *data = data_new(offset, length);

	if (pwrite(run->fd, data, length, offset) != (ssize_t)length)
		die("%s: write: %s", run->name, strerror(errno));
	model_write(run, offset, data, length);
}

void base_make(struct run *run)
{
	static unsigned int number;
	uint64_t block = world.block;
	uint64_t mixed = MIXED * PAGE;

	snprintf(run->name, sizeof(run->name), "file.%d.%u", getpid(), number++);
	run->fd = openat(world.dir_fd, run->name,
			 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	run->direct = openat(world.dir_fd, run->name,
			     O_RDWR | O_DIRECT | O_CLOEXEC);
	if (run->fd < 0 || run->direct < 0)
		die("%s: %s", run->name, strerror(errno));
	run->share = -1;
	run->size = 0;
	memset(run->model, 0, MAX_SIZE);

	if (fallocate(run->fd, 0, 0, BASE_SIZE))
		die("%s: fallocate: %s", run->name, strerror(errno));
	model_size(run, BASE_SIZE);
	if (fallocate(run->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      HOLE * PAGE, PAGE))
		die("%s: punch: %s", run->name, strerror(errno));
	if (block < PAGE &&
	    fallocate(run->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      mixed + 2 * block, block))
		die("%s: punch: %s", run->name, strerror(errno));
	put(run, 0, MIXED * PAGE);
	if (block < PAGE) {
		put(run, mixed, block);
		put(run, mixed + 3 * block, PAGE - 3 * block);
	} else {
		put(run, mixed, PAGE);
	}
	put(run, (UNWRITTEN + 1) * PAGE, BASE_SIZE - (UNWRITTEN + 1) * PAGE);
}

void run_close(struct run *run)
{
	char share[48];
	unsigned int i;

	pin_end(run);
	for (i = 0; i < run->nr_pipes; i++) {
		close(run->pipes[i][0]);
		close(run->pipes[i][1]);
	}
	/* the place stays taken */
	if (run->map && mmap(run->address, MAX_SIZE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			     MAP_FIXED, -1, 0) == MAP_FAILED)
		die("munmap: %s", strerror(errno));
	unlinkat(world.dir_fd, run->name, 0);
	snprintf(share, sizeof(share), "%s.share", run->name);
	unlinkat(world.dir_fd, share, 0);
	close(run->fd);
	close(run->direct);
	if (run->share >= 0)
		close(run->share);
}

char *map_get(struct run *run)
{
	if (!run->address) {
		char *p = mmap(NULL, HUGE_PAGE + MAX_SIZE, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0);

		if (p == MAP_FAILED)
			die("mmap: %s", strerror(errno));
		run->address = (char *)(((uintptr_t)p + HUGE_PAGE - 1) &
					~(uintptr_t)(HUGE_PAGE - 1));
	}
	if (!run->map) {
		run->map = mmap(run->address, MAX_SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_FIXED, run->fd, 0);
		if (run->map == MAP_FAILED)
			die("%s: mmap: %s", run->name, strerror(errno));
	}
	return run->map;
}

void model_size(struct run *run, uint64_t size)
{
	if (size > MAX_SIZE)
		die("%s becomes too long", run->name);
	if (size < run->size)
		memset(run->model + size, 0, run->size - size);
	run->size = size;
}

void model_write(struct run *run, uint64_t offset, const void *data, size_t length)
{
	if (offset + length > run->size)
		model_size(run, offset + length);
	memcpy(run->model + offset, data, length);
}

void model_zero(struct run *run, uint64_t start, uint64_t end)
{
	if (end > run->size)
		end = run->size;
	if (start < end)
		memset(run->model + start, 0, end - start);
}

void model_open(struct run *run, uint64_t start, uint64_t end,
		const uint8_t *bytes)
{
	if (run->nr_open == MAX_OPEN)
		die("too many ranges whose bytes are open");
	run->open[run->nr_open].start = start;
	run->open[run->nr_open].end = end;
	run->open[run->nr_open++].bytes = bytes;
}

bool store(struct run *run, uint64_t offset)
{
	volatile char *map = map_get(run);
	uint8_t byte = *data_new(offset, 1);
	bool done = false;

	bus_expected = 1;
	if (!sigsetjmp(bus_jump, 1)) {
		map[offset] = byte;
		done = true;
	}
	bus_expected = 0;
	/* what is stored behind the end of the file is not of it */
	if (done && offset < run->size)
		run->model[offset] = byte;
	return done;
}
