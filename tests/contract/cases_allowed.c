// SPDX-License-Identifier: GPL-2.0-only
/* What goes on working on a sealed file, and what it keeps busy. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static void expect_model(struct ctx *c, const void *data, const char *how)
{
	if (memcmp(data, c->f.model, c->f.size))
		die("%s gives other contents", how);
}

static int read_with(struct ctx *c, int flags)
{
	void *buf;
	int fd = open_more(&c->f, O_RDONLY | flags);
	ssize_t n;

	if (fd < 0)
		return fd;
	if (posix_memalign(&buf, UNIT, c->f.size))
		die("no memory");
	n = read(fd, buf, c->f.size);
	if (n < 0)
		return -errno;
	if ((uint64_t)n != c->f.size)
		die("short read");
	expect_model(c, buf, "read");
	close(fd);
	free(buf);
	return 0;
}

static int op_read(struct ctx *c)
{
	return read_with(c, 0);
}

static int op_read_direct(struct ctx *c)
{
	return read_with(c, O_DIRECT);
}

static void compare_mapping(void *arg)
{
	struct ctx *c = arg;

	expect_model(c, c->map, "mmap");
}

static int op_read_mmap(struct ctx *c)
{
	c->map = mmap(NULL, c->f.size, PROT_READ, MAP_SHARED, c->f.fd, 0);
	if (c->map == MAP_FAILED)
		return -errno;
	return catch_fault(compare_mapping, c);
}

static int op_seek(struct ctx *c)
{
	off_t hole = lseek(c->f.fd, 0, SEEK_HOLE);
	off_t data = hole < 0 ? hole : lseek(c->f.fd, hole, SEEK_DATA);

	if (data < 0)
		return -errno;
	if (hole != (off_t)B(4) || data != (off_t)B(8))
		die("hole %lld..%lld", (long long)hole, (long long)data);
	return 0;
}

static int op_fiemap(struct ctx *c)
{
	struct extent *ext;
	unsigned int count = extents_read(c->f.fd, &ext);

	free(ext);
	return count ? 0 : -ENODATA;
}

static int op_fsync(struct ctx *c)
{
	return ret_errno(fsync(c->f.fd));
}

static int op_fdatasync(struct ctx *c)
{
	return ret_errno(fdatasync(c->f.fd));
}

static int op_sync_file_range(struct ctx *c)
{
	return ret_errno(sync_file_range(c->f.fd, 0, 0,
					 SYNC_FILE_RANGE_WAIT_BEFORE |
					 SYNC_FILE_RANGE_WRITE |
					 SYNC_FILE_RANGE_WAIT_AFTER));
}

static int op_syncfs(struct ctx *c)
{
	return ret_errno(syncfs(c->f.fd));
}

static int op_advise(struct ctx *c)
{
	static const int advice[] = {
		POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED,
		POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE, POSIX_FADV_NORMAL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++) {
		int ret = posix_fadvise(c->f.fd, 0, 0, advice[i]);

		if (ret)
			return -ret;
	}
	return ret_errno(readahead(c->f.fd, 0, c->f.size));
}

static int op_chmod(struct ctx *c)
{
	struct stat st;
	int ret = ret_errno(fchmod(c->f.fd, 0640));

	if (ret)
		return ret;
	if (fstat(c->f.fd, &st) || (st.st_mode & 07777) != 0640)
		die("mode is %o", st.st_mode);
	return 0;
}

static int op_chown(struct ctx *c)
{
	struct stat st;
	int ret = ret_errno(fchown(c->f.fd, 1234, 4321));

	if (ret)
		return ret;
	if (fstat(c->f.fd, &st) || st.st_uid != 1234 || st.st_gid != 4321)
		die("owner is %u:%u", st.st_uid, st.st_gid);
	return 0;
}

static int op_utimens(struct ctx *c)
{
	static const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 6 } };
	struct stat st;
	int ret = ret_errno(futimens(c->f.fd, times));

	if (ret)
		return ret;
	if (fstat(c->f.fd, &st) || st.st_mtim.tv_sec != 6)
		die("mtime is %lld", (long long)st.st_mtim.tv_sec);
	return 0;
}

static int op_xattr(struct ctx *c)
{
	char value[8] = "";
	/* Too large for the inode: it gets an attribute block. */
	static char large[3000];

	if (fsetxattr(c->f.fd, "user.seal", "yes", 3, 0) ||
	    fgetxattr(c->f.fd, "user.seal", value, sizeof(value)) != 3 ||
	    fsetxattr(c->f.fd, "user.large", large, opt.target & T_SUBPAGE ?
		      500 : sizeof(large), 0) ||
	    fremovexattr(c->f.fd, "user.seal"))
		return -errno;
	return 0;
}

static int op_rename(struct ctx *c)
{
	char path[sizeof(c->f.path) + 8];

	snprintf(path, sizeof(path), "%s.new", c->f.path);
	if (rename(c->f.path, path) || rename(path, c->f.path))
		return -errno;
	return 0;
}

static int op_link(struct ctx *c)
{
	char path[sizeof(c->f.path) + 8];

	snprintf(path, sizeof(path), "%s.link", c->f.path);
	if (link(c->f.path, path) || unlink(path))
		return -errno;
	return 0;
}

/* The blocks stay until the last holder goes: the runner reads on. */
static int op_unlink(struct ctx *c)
{
	return ret_errno(unlink(c->f.path));
}

/* The same with nobody but the claim to hold it. */
static int op_unlink_closed(struct ctx *c)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->f.fd);
	if (unlink(c->f.path) || fsync(c->f.fd))
		return -errno;
	return 0;
}

static int op_swapon(struct ctx *c)
{
	/* The header mkswap writes, in place like any other write. */
	char *page = calloc(1, UNIT);
	uint32_t head[3] = { 1, c->f.size / UNIT - 1, 0 };
	int ret;

	if (!page)
		die("no memory");
	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + UNIT - 10, "SWAPSPACE2", 10);
	if (pwrite(c->f.fd, page, UNIT, 0) != (ssize_t)UNIT)
		die("swap header: %s", strerror(errno));
	wrote(&c->f, page, UNIT, 0);
	free(page);
	if (fsync(c->f.fd))
		return -errno;
	ret = ret_errno(swapon(c->f.path, 0));
	return ret ? ret : ret_errno(swapoff(c->f.path));
}

static int op_freeze(struct ctx *c)
{
	int ret = ret_errno(ioctl(c->f.fd, FIFREEZE, 0));

	return ret ? ret : ret_errno(ioctl(c->f.fd, FITHAW, 0));
}

/* Filesystems compare the options of a remount with those in force. */
static int remount(unsigned long flags)
{
	const char *data = opt.target & T_DAX ? "dax=always" :
		opt.target & T_EXT4_NODELALLOC ? "nodelalloc" : NULL;

	return ret_errno(mount(NULL, opt.dir, NULL, MS_REMOUNT | flags, data));
}

static int op_remount(struct ctx *c)
{
	int ret = remount(MS_RDONLY);

	(void)c;
	return ret ? ret : remount(0);
}

/*
 * The control of these two: guest/ unmounts and unloads at the end, when
 * nothing is sealed any more.
 */
static int op_umount(struct ctx *c)
{
	close(c->f.fd);
	if (!umount2(opt.dir, 0))
		die("%s could be unmounted", opt.dir);
	if (errno != EBUSY)
		return -errno;
	c->f.fd = open(c->f.path, O_RDONLY | O_CLOEXEC);
	return c->f.fd < 0 ? -errno : 0;
}

static int op_rmmod(struct ctx *c)
{
	(void)c;
	if (!syscall(SYS_delete_module, "seal", O_NONBLOCK))
		die("the module could be unloaded");
	return errno == EWOULDBLOCK || errno == EBUSY ? 0 : -errno;
}

#define FULL "WWWWWWWWWWWWWWWW"
#define HOLE "WWWW....WWWW"

#define ALLOWED(_name, _op, _layout, ...)				\
	{ .name = _name, .targets = T_ANY, .layout = _layout, .op = _op, \
	  __VA_ARGS__ }

static const struct contract_case cases[] = {
	ALLOWED("read", op_read, HOLE),
	ALLOWED("read-unwritten", op_read, "WWWWUUUUWWWW"),
	ALLOWED("read-shared", op_read, "WWWWSSSSWWWW"),
	ALLOWED("read-direct", op_read_direct, HOLE),
	ALLOWED("read-mmap", op_read_mmap, HOLE),
	ALLOWED("seek-hole", op_seek, HOLE),
	ALLOWED("fiemap", op_fiemap, HOLE),
	ALLOWED("fsync", op_fsync, FULL),
	ALLOWED("fdatasync", op_fdatasync, FULL),
	ALLOWED("sync-file-range", op_sync_file_range, FULL),
	ALLOWED("syncfs", op_syncfs, FULL),
	ALLOWED("advice", op_advise, HOLE),
	ALLOWED("chmod", op_chmod, FULL),
	ALLOWED("chown", op_chown, FULL),
	ALLOWED("utimens", op_utimens, FULL),
	ALLOWED("xattr", op_xattr, FULL),
	ALLOWED("rename", op_rename, FULL),
	ALLOWED("link", op_link, FULL),
	ALLOWED("unlink", op_unlink, HOLE),
	ALLOWED("unlink-fsync", op_unlink_closed, HOLE),
	ALLOWED("swapon", op_swapon, FULL, .flags = C_LACK_EINVAL,
		.may_lack = "no swapfiles with DAX"),
	ALLOWED("freeze-thaw", op_freeze, FULL),
	ALLOWED("remount", op_remount, FULL, .flags = C_RDONLY),
	ALLOWED("umount-busy", op_umount, FULL,
		.flags = C_RDONLY | C_CTL_NONE | C_ALONE),
	ALLOWED("rmmod-busy", op_rmmod, FULL, .flags = C_CTL_NONE | C_ALONE),
};

void cases_allowed(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
