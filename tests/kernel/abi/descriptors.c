// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors that are not an ordinary file on a supported filesystem. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

static int dev;

static void setup(void)
{
	dev = st_session();
}

static void teardown(void)
{
	close(dev);
}

static int status_errno(int fd)
{
	struct seal_status req = { .size = sizeof(req), .fd = fd };

	return st_do_ioctl(dev, SEAL_IOC_STATUS, &req);
}

/* SEAL of a good file and this one fails, blames this one, seals neither. */
static void refused(int fd, int expected, bool with_reason)
{
	int good = st_create_written("good", 4096);
	int fds[2] = { good, fd };
	struct seal_files out;
	int ret;

	ret = st_do_seal(dev, fds, 2, 0, 0, 0, &out);
	ck_assert_msg(ret == expected, "SEAL: %d, expected %d (%.*s)", ret,
		      expected, SEAL_REASON_LEN, (char *)out.reason);
	ck_assert_uint_eq(out.bad_index, 1);
	ck_assert_uint_eq(out.bad_require, 0);
	ck_assert_uint_eq(out.bad_state, SEAL_RANGE_NONE);
	if (with_reason)
		ck_assert_uint_ne(out.reason[0], 0);
	ck_assert(!st_sealed(good));
	close(good);
	st_remove("good");
}

START_TEST(closed)
{
	static const int bad[] = { -1, INT32_MIN, INT32_MAX, 700 };
	int fd = bad[_i];

	close(700);
	refused(fd, -EBADF, false);
	ck_assert_int_eq(status_errno(fd), -EBADF);
	ck_assert_int_eq(st_do_unseal(dev, fd, 0), -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, fd, 0, 0, 4096),
			 -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 4096),
			 -EBADF);
}
END_TEST

START_TEST(path_only)
{
	int fd = st_create_written("path", 4096), path;

	close(fd);
	path = st_open("path", O_PATH);
	refused(path, -EBADF, false);
	ck_assert_int_eq(status_errno(path), -EBADF);
	ck_assert_int_eq(st_do_unseal(dev, path, 0), -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, path, 0, 0, 4096),
			 -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_UNSHARE, path, 0, 0, 4096),
			 -EBADF);
}
END_TEST

static int open_directory(void)
{
	return open(st_env("SEAL_DIR"), O_RDONLY | O_DIRECTORY);
}

static int open_block(void)
{
	return open("/dev/vda", O_RDONLY);
}

static int open_char(void)
{
	return open("/dev/null", O_RDWR);
}

static int open_itself(void)
{
	return dup(dev);
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int open_pipe(void)
{
	int ends[2];

	return pipe(ends) ? -1 : ends[1];
}

static int open_eventfd(void)
{
	return eventfd(0, 0);
}

static int open_fifo(void)
{
	char path[256];

	st_remove("fifo");
	st_path(path, sizeof(path), "fifo");
	return mkfifo(path, 0600) ? -1 : open(path, O_RDWR);
}

static int open_memfd(void)
{
	int fd = memfd_create("seal", 0);

	return ftruncate(fd, 65536) ? -1 : fd;
}

static int open_tmpfs(void)
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);

	return write(fd, "x", 1) == 1 ? fd : -1;
}

static int open_proc(void)
{
	return open("/proc/self/status", O_RDONLY);
}

static int open_sysfs(void)
{
	return open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
}

static const struct {
	const char *name;
	int (*open)(void);
} strangers[] = {
	{ "directory", open_directory },
	{ "block device", open_block },
	{ "character device", open_char },
	{ "the session itself", open_itself },
	{ "socket", open_socket },
	{ "pipe", open_pipe },
	{ "eventfd", open_eventfd },
	{ "fifo", open_fifo },
	{ "memfd", open_memfd },
	{ "tmpfs file", open_tmpfs },
	{ "proc file", open_proc },
	{ "sysfs file", open_sysfs },
};

START_TEST(not_a_file_to_seal)
{
	int fd = strangers[_i].open(), ret;

	ck_assert_msg(fd >= 0, "%s: %s", strangers[_i].name, strerror(errno));
	refused(fd, -EOPNOTSUPP, true);
	ret = status_errno(fd);
	ck_assert_msg(ret == -EOPNOTSUPP, "STATUS of a %s: %d",
		      strangers[_i].name, ret);
	/* Nothing is claimed there: either answer is right. */
	ret = st_do_unseal(dev, fd, 0);
	ck_assert_msg(!ret || ret == -EOPNOTSUPP, "UNSEAL of a %s: %d",
		      strangers[_i].name, ret);
	/* tmpfs has fallocate and no sharing, the others have neither. */
	ret = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 4096);
	ck_assert_msg(!ret || ret == -EOPNOTSUPP || ret == -EBADF,
		      "UNSHARE of a %s: %d", strangers[_i].name, ret);
	ret = st_do_range(dev, SEAL_IOC_PREALLOC, fd, 0, 0, 4096);
	ck_assert_msg(!ret || ret == -EOPNOTSUPP || ret == -EBADF,
		      "PREALLOC of a %s: %d", strangers[_i].name, ret);
	close(fd);
	st_remove("fifo");
}
END_TEST

START_TEST(overlayfs)
{
	char base[256], options[1024], path[512];
	struct seal_files out;
	int fd, real, ret;

	/* XFS and ext4 can be the upper layer of an overlay. */
	st_path(base, sizeof(base), "overlay");
	if (mkdir(base, 0755) && errno != EEXIST)
		ck_abort_msg("mkdir: %s", strerror(errno));
	for (const char *const *sub = (const char *const[]){
		     "lower", "upper", "work", "merged", NULL }; *sub; sub++) {
		snprintf(path, sizeof(path), "%s/%s", base, *sub);
		mkdir(path, 0755);
	}
	snprintf(options, sizeof(options),
		 "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 base, base, base);
	snprintf(path, sizeof(path), "%s/merged", base);
	if (mount("overlay", path, "overlay", 0, options))
		ST_SKIP("mounting an overlay: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/merged/file", base);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	st_fill(fd, 0, 65536, 'o');
	snprintf(path, sizeof(path), "%s/upper/file", base);
	real = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(real, 0);

	ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);
	if (ret) {
		ck_assert_int_eq(ret, -EOPNOTSUPP);
		ck_assert_uint_ne(out.reason[0], 0);
		ck_assert(!st_sealed(real));
	} else {
		/* Resolved: then it is the real file that is sealed. */
		ck_assert(st_sealed(real));
		ck_assert_int_eq(ftruncate(fd, 0), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		st_unseal(dev, fd);
		ck_assert(!st_sealed(real));
	}
	close(fd);
	close(real);
	snprintf(path, sizeof(path), "%s/merged", base);
	ck_assert_int_eq(umount2(path, 0), 0);
}
END_TEST

/* With data=journal the mount option decides, not a flag of the file. */
static void journal_refused(int fd)
{
	struct seal_files out;
	int ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);

	ck_assert_int_eq(ret, -EOPNOTSUPP);
	ck_assert_msg(strstr((char *)out.reason, "data=journal"), "%.*s",
		      SEAL_REASON_LEN, (char *)out.reason);
	ck_assert(!st_sealed(fd));
}

START_TEST(data_journalled)
{
	char image[256], dir[256], path[512], command[1280];
	int fd, other;

	if (st_is_xfs())
		ST_SKIP("XFS does not journal data");
	close(st_create_written("image", 32 << 20));
	st_path(image, sizeof(image), "image");
	st_path(dir, sizeof(dir), "journalled");
	snprintf(command, sizeof(command),
		 "modprobe loop && mkfs.ext4 -q -F %s && mkdir -p %s && mount -o loop,data=journal %s %s",
		 image, dir, image, dir);
	ck_assert_int_eq(system(command), 0);
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	st_fill(fd, 0, 65536, 'j');
	ck_assert_int_eq(fsync(fd), 0);

	journal_refused(fd);
	/* the same while gates are attached for a file that can be sealed */
	other = st_create_written("ordered", 65536);
	st_seal(dev, other);
	journal_refused(fd);
	st_unseal(dev, other);
	journal_refused(fd);

	close(other);
	close(fd);
	ck_assert_int_eq(umount2(dir, 0), 0);
	st_remove("ordered");
	st_remove("image");
}
END_TEST

START_TEST(swapfile)
{
	char path[256], command[640];
	struct seal_files out;
	int fd = st_create_written("swap", 4 << 20), ret;

	st_path(path, sizeof(path), "swap");
	snprintf(command, sizeof(command), "chmod 600 %s && mkswap -q %s",
		 path, path);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(fsync(fd), 0);
	if (swapon(path, 0)) {
		close(fd);
		ST_SKIP("swapon: %s", strerror(errno));
	}
	ret = st_do_seal(dev, &fd, 1, 0, SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN,
			 0, &out);
	if (!ret) {
		ck_assert(st_sealed(fd));
		st_unseal(dev, fd);
	}
	int prealloc = st_do_range(dev, SEAL_IOC_PREALLOC, fd, 0, 0, 8 << 20);
	int written = st_do_range(dev, SEAL_IOC_PREALLOC, fd,
				  SEAL_PREALLOC_WRITTEN, 0, 4 << 20);
	int unshare = st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 4 << 20);

	ck_assert_int_eq(swapoff(path), 0);
	ck_assert_msg(!ret, "SEAL of a swapfile: %d (%.*s)", ret,
		      SEAL_REASON_LEN, (char *)out.reason);
	ck_assert_int_eq(prealloc, -ETXTBSY);
	ck_assert_int_eq(written, -ETXTBSY);
	ck_assert_int_eq(unshare, -ETXTBSY);
	close(fd);
	st_remove("swap");
}
END_TEST

START_TEST(swapon_while_sealed)
{
	char path[256], command[640];
	int fd = st_create_written("swap2", 4 << 20), ret;

	st_path(path, sizeof(path), "swap2");
	snprintf(command, sizeof(command), "chmod 600 %s && mkswap -q %s",
		 path, path);
	ck_assert_int_eq(system(command), 0);
	st_seal(dev, fd);
	ret = swapon(path, 0) ? -errno : 0;
	if (!ret)
		ck_assert_int_eq(swapoff(path), 0);
	ck_assert(st_sealed(fd));
	close(fd);
	st_remove("swap2");
	ck_assert_msg(!ret, "swapon of a sealed file: %s", strerror(-ret));
}
END_TEST

START_TEST(access_modes)
{
	int fd = st_create_written("modes", 65536), ro, wo, append;
	struct seal_range_op req;

	ro = st_open("modes", O_RDONLY);
	wo = st_open("modes", O_WRONLY);
	append = st_open("modes", O_WRONLY | O_APPEND);

	/* Whatever a descriptor was opened for, it names the file. */
	for (const int *p = (int[]){ ro, wo, append, -1 }; *p >= 0; p++) {
		st_seal(dev, *p);
		ck_assert(st_sealed(fd));
		ck_assert_int_eq(status_errno(*p), 0);
		st_unseal(dev, *p);
		ck_assert(!st_sealed(fd));
	}

	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, ro, 0, 0, 65536),
			 -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, ro,
				     SEAL_PREALLOC_WRITTEN, 0, 65536), -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_UNSHARE, ro, 0, 0, 65536),
			 -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, wo, 0, 0, 65536),
			 0);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, wo,
				     SEAL_PREALLOC_WRITTEN, 0, 65536), -EBADF);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_UNSHARE, wo, 0, 0, 65536),
			 0);

	/* A read-only descriptor is refused also where nothing is to do. */
	req = (struct seal_range_op){
		.size = sizeof(req),
		.fd = ro,
		.offset = 65536,
	};
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_PREALLOC, &req), -EBADF);
	close(fd);
	st_remove("modes");
}
END_TEST

START_TEST(sealed_file)
{
	int fd = st_create_written("sealed", 65536);

	st_seal(dev, fd);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_PREALLOC, fd, 0, 0, 1 << 20),
			 -ETXTBSY);
	ck_assert_int_eq(st_do_range(dev, SEAL_IOC_UNSHARE, fd, 0, 0, 65536),
			 -ETXTBSY);
	ck_assert_uint_eq(st_status(fd).file_size, 65536);
	close(fd);
	st_remove("sealed");
}
END_TEST

static TCase *abi_descriptors(void)
{
	TCase *tc = tcase_create("descriptors");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, closed, 0, 4);
	tcase_add_test(tc, path_only);
	tcase_add_loop_test(tc, not_a_file_to_seal, 0,
			    sizeof(strangers) / sizeof(strangers[0]));
	tcase_add_test(tc, overlayfs);
	tcase_add_test(tc, data_journalled);
	tcase_add_test(tc, swapfile);
	tcase_add_test(tc, swapon_while_sealed);
	tcase_add_test(tc, access_modes);
	tcase_add_test(tc, sealed_file);
	return tc;
}

ST_CASE(descriptors, abi_descriptors, ST_HERE);
