// SPDX-License-Identifier: GPL-2.0-only
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

bool wrote(struct run *run, const char *call, ssize_t n, uint64_t offset,
	   const void *data, size_t want)
{
	int error = errno;

	if (n > 0)
		model_write(run, offset, data, n);
	if (!run->sealed)
		return n > 0;
	if (n < 0 && error != ETXTBSY)
		fail(run, "a write fails, not with ETXTBSY", "%s at %llu: %s",
		     call, (unsigned long long)offset, strerror(error));
	else if (n < 0 && is_in_place(run, offset, offset + want))
		fail(run, "a write in place is refused", "%s at %llu", call,
		     (unsigned long long)offset);
	else if (n >= 0 && (size_t)n != want)
		fail(run, "a write is done in part", "%s at %llu: %zd of %zu",
		     call, (unsigned long long)offset, n, want);
	return n > 0;
}

bool op_write(struct run *run, int fd, uint64_t offset, size_t length)
{
	uint8_t *data = data_new(offset, length);

	return wrote(run, fd == run->direct ? "direct write" : "write",
		     pwrite(fd, data, length, offset), offset, data, length);
}

bool op_write_flags(struct run *run, uint64_t offset, size_t length, int flags)
{
	struct iovec iov = {
		.iov_base = data_new(offset, length),
		.iov_len = length,
	};
	ssize_t n = pwritev2(run->direct, &iov, 1, offset, flags);

	/*
	 * The device, or the kernel, has no such writes; or this one would go
	 * elsewhere and be moved in, which no sealed file allows.
	 */
	if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL ||
		      (run->sealed && errno == ETXTBSY)))
		return false;
	return wrote(run, "write with flags", n, offset, iov.iov_base, length);
}

static void *unreadable(size_t length)
{
	static char *place;

	if (!place)
		place = mmap(NULL, 64 * PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED || length > 64 * PAGE)
		die("no memory that cannot be read");
	return place;
}

bool op_write_bad(struct run *run, uint64_t offset, size_t length, int flags)
{
	struct iovec iov = {
		.iov_base = unreadable(length),
		.iov_len = length,
	};

	if (pwritev2(run->direct, &iov, 1, offset, flags) >= 0)
		fail(run, "what cannot be read is written", "at %llu",
		     (unsigned long long)offset);
	return errno == EFAULT;
}

bool op_write_short(struct run *run, uint64_t offset, size_t length,
		    size_t readable)
{
	static char *place;
	ssize_t n;

	if (!place) {
		place = mmap(NULL, 65 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (place == MAP_FAILED ||
		    mprotect(place + PAGE, 64 * PAGE, PROT_NONE))
			die("no memory that cannot be read");
	}
	memcpy(place + PAGE - readable, data_new(offset, readable), readable);
	n = pwrite(run->fd, place + PAGE - readable, length, offset);
	if (n > 0)
		model_write(run, offset, place + PAGE - readable, n);
	return n > 0;
}

bool op_store(struct run *run, uint64_t offset)
{
	bool done = store(run, offset);

	if (!done && is_in_place(run, offset, offset + 1))
		fail(run, "a store in place is refused", "at %llu",
		     (unsigned long long)offset);
	return done;
}

/* A call on a sealed file that may not change it, and what it came to. */
static bool refused(struct run *run, const char *call, int ret)
{
	if (ret && run->sealed && errno != ETXTBSY && errno != EOPNOTSUPP &&
	    errno != EINVAL)
		fail(run, "a call fails, not with ETXTBSY", "%s: %s", call,
		     strerror(errno));
	return ret;
}

bool op_truncate(struct run *run, uint64_t size)
{
	if (refused(run, "ftruncate", ftruncate(run->fd, size)))
		return false;
	model_size(run, size);
	return true;
}

bool op_fallocate(struct run *run, int mode, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;

	if (refused(run, "fallocate", fallocate(run->fd, mode, offset, length)))
		return false;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		model_zero(run, offset, end);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > run->size)
		model_size(run, end);
	return true;
}

bool op_clone_from(struct run *run, uint64_t offset, uint64_t length)
{
	struct file_clone_range range = {
		.src_fd = run->fd,
		.src_offset = offset,
		.src_length = length,
		.dest_offset = offset,
	};
	char name[48];

	if (run->share < 0) {
		snprintf(name, sizeof(name), "%s.share", run->name);
		run->share = openat(world.dir_fd, name,
				    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (run->share < 0)
			die("%s: %s", name, strerror(errno));
	}
	if (refused(run, "FICLONERANGE", ioctl(run->share, FICLONERANGE, &range)))
		return false;
	run->redirected = true;
	run->cloned = true;
	return true;
}

bool op_direct_into(struct run *run, uint64_t offset, size_t length)
{
	static int source = -1;
	char *map = map_get(run);
	ssize_t n;

	if (source < 0)
		source = openat(world.dir_fd, "source",
				O_RDONLY | O_DIRECT | O_CLOEXEC);
	n = pread(source, map + offset, length, 0);
	if (n > 0)
		memcpy(run->model + offset, world.bytes, n);
	/* of a read that fails a part may have been done */
	if (n < (ssize_t)length)
		model_open(run, offset, offset + length, world.bytes);
	return n > 0;
}

/* A mapping ends where the file does: no advice reaches further. */
bool op_advise(struct run *run, uint64_t start, uint64_t end, int advice)
{
	uint64_t eof = run->size + (PAGE - run->size % PAGE) % PAGE;

	if (end > eof)
		end = eof;
	return start < end &&
	       !madvise(map_get(run) + start, end - start, advice);
}

bool op_drop(struct run *run)
{
	return !fsync(run->fd) &&
	       !posix_fadvise(run->fd, 0, 0, POSIX_FADV_DONTNEED);
}

bool op_read(struct run *run)
{
	static uint8_t buf[BASE_SIZE];
	uint64_t offset;

	for (offset = 0; offset < run->size; offset += sizeof(buf))
		if (pread(run->fd, buf, sizeof(buf), offset) < 0)
			return false;
	return true;
}
