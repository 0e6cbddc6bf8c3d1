// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "ops.h"
#include "layout/layout_test.h"
#include "sealtest.h"
#include "xfs_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ext4_move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

#define EXT4_MOVE_EXT	_IOWR('f', 15, struct ext4_move_extent)
#define EXT4_SWAP_BOOT	_IO('f', 17)

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

void target_make(struct target *t, enum layout layout)
{
	memset(t, 0, sizeof(*t));
	t->loop = -1;
	t->fd = st_create("racer");
	t->peer = st_create_written("peer", SIZE);
	switch (layout) {
	case ALL_HOLE:
		ck_assert_int_eq(ftruncate(t->fd, SIZE), 0);
		break;
	case ALL_UNWRITTEN:
		ck_assert_int_eq(fallocate(t->fd, 0, 0, SIZE), 0);
		break;
	default:
		st_fill(t->fd, 0, SIZE, 'a');
		break;
	}
	ck_assert_int_eq(fsync(t->fd), 0);
	if (layout == WITH_HOLE || layout == WITH_UNWRITTEN)
		ck_assert_int_eq(op_punch(t), 0);
	if (layout == WITH_UNWRITTEN)
		ck_assert_int_eq(fallocate(t->fd, 0, FROM, LENGTH), 0);
	ck_assert_int_eq(fsync(t->fd), 0);

	t->direct = st_open("racer", O_RDWR | O_DIRECT);
	t->map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	ck_assert_ptr_ne(t->map, MAP_FAILED);
	ck_assert_int_eq(posix_memalign((void **)&t->buf, 4096, LENGTH), 0);
	memset(t->buf, 'r', LENGTH);
}

void target_close(struct target *t)
{
	munmap(t->map, SIZE);
	free(t->buf);
	if (t->loop >= 0) {
		ioctl(t->loop, LOOP_CLR_FD);
		close(t->loop);
	}
	close(t->direct);
	close(t->peer);
	close(t->fd);
}

int op_punch(void *target)
{
	const struct target *t = target;

	return result(fallocate(t->fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, FROM, LENGTH));
}

/*
 * The end of the range is inside a block of the hole: first whole blocks are
 * freed, then the edge is zeroed.
 */
int op_punch_edge(void *target)
{
	const struct target *t = target;

	return result(fallocate(t->fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, FROM - 16384,
				16384 + LENGTH / 2 + 100));
}

void target_loop(struct target *t)
{
	struct loop_config config = {
		.fd = t->fd,
		.block_size = 512,
		/* gone with the test, however that ends */
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	char path[32];

	ck_assert_msg(control >= 0, "/dev/loop-control: %s", strerror(errno));
	snprintf(path, sizeof(path), "/dev/loop%d",
		 ioctl(control, LOOP_CTL_GET_FREE));
	close(control);
	t->loop = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_msg(t->loop >= 0, "%s: %s", path, strerror(errno));
	ck_assert_msg(!ioctl(t->loop, LOOP_CONFIGURE, &config), "%s: %s", path,
		      strerror(errno));
	/* work that is due anyway must not be taken for that of the device */
	sync();
	st_sleep_ms(300);
}

int op_discard(void *target)
{
	const struct target *t = target;
	uint64_t range[2] = { FROM, LENGTH };

	return result(ioctl(t->loop, BLKDISCARD, range));
}

int op_truncate(void *target)
{
	const struct target *t = target;

	return result(ftruncate(t->fd, FROM));
}

int op_write(void *target)
{
	const struct target *t = target;

	return result(pwrite(t->fd, t->buf, LENGTH, FROM));
}

int op_write_direct(void *target)
{
	const struct target *t = target;

	return result(pwrite(t->direct, t->buf, LENGTH, FROM));
}

/*
 * A store by the kernel on our behalf: the fault is the same, but where a
 * signal would come there is an error.
 */
int op_store(void *target)
{
	const struct target *t = target;
	int fds[2], ret;

	ret = result(pipe2(fds, O_CLOEXEC));
	if (ret)
		return ret;
	ret = result(write(fds[1], t->buf, 1));
	if (!ret)
		ret = result(read(fds[0], t->map + FROM, 1));
	close(fds[0]);
	close(fds[1]);
	return ret;
}

int op_fsync(void *target)
{
	const struct target *t = target;

	return result(fsync(t->fd));
}

int op_swapext(void *target)
{
	const struct target *t = target;
	struct xfs_swap swap = {
		.fdtarget = t->fd,
		.fdtmp = t->peer,
		.length = SIZE,
	};
	struct stat st;
	uint64_t ino;
	struct xfs_bulk bulk = { &ino, 1, &swap.stat, NULL };

	if (fstat(t->fd, &st))
		return -errno;
	ino = st.st_ino;
	if (ioctl(t->fd, XFS_BULKSTAT_SINGLE, &bulk))
		return -errno;
	return result(ioctl(t->fd, XFS_SWAPEXT, &swap));
}

static int layout(const struct target *t, unsigned long cmd)
{
	struct layout_test op = {
		.fd = t->fd,
		.offset = FROM,
		.length = LENGTH,
	};
	int fd = open("/dev/seal-layout-test", O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = result(ioctl(fd, cmd, &op));
	close(fd);
	return ret;
}

int op_map_blocks(void *target)
{
	return layout(target, LAYOUT_TEST_MAP);
}

int op_commit_blocks(void *target)
{
	return layout(target, LAYOUT_TEST_COMMIT);
}

int layout_lease(const struct target *t)
{
	return layout(t, LAYOUT_TEST_LEASE);
}

int layout_return(const struct target *t)
{
	return layout(t, LAYOUT_TEST_RETURN);
}

int op_repair(void *target)
{
	const struct target *t = target;
	struct xfs_scrub arg = {
		.type = XFS_SCRUB_BMBTD,
		.flags = XFS_SCRUB_REPAIR | XFS_SCRUB_FORCE_REBUILD,
	};

	return result(ioctl(t->fd, XFS_SCRUB_METADATA, &arg));
}

int op_move_extents(void *target)
{
	const struct target *t = target;
	uint32_t block = st_block(t->fd);
	struct ext4_move_extent arg = {
		.donor_fd = t->peer,
		.orig_start = FROM / block,
		.donor_start = FROM / block,
		.len = LENGTH / block,
	};

	return result(ioctl(t->fd, EXT4_MOVE_EXT, &arg));
}

/* The descriptor must be the only one, and for reading. */
int op_enable_verity(void *target)
{
	const struct target *t = target;
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};

	return result(ioctl(t->fd, FS_IOC_ENABLE_VERITY, &arg));
}

int op_journal_data(void *target)
{
	const struct target *t = target;
	int flags;

	if (ioctl(t->fd, FS_IOC_GETFLAGS, &flags))
		return -errno;
	flags |= FS_JOURNAL_DATA_FL;
	return result(ioctl(t->fd, FS_IOC_SETFLAGS, &flags));
}

int op_swap_boot(void *target)
{
	const struct target *t = target;

	return result(ioctl(t->fd, EXT4_SWAP_BOOT));
}
