// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can still be done to a file that is protected in some way? Each call is
 * made for real, by root, and each file is used for one way only.
 *
 *   allows FILE CLONE    prints one line per operation: its name, 1 or 0. CLONE
 *                        is a file to share blocks with.
 *   allows pin FILE MIB  makes a file of f2fs, pinned and written
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK	4096
#define MIB	(1 << 20)

/* <linux/f2fs.h> is newer than Debian 12. */
#define F2FS_IOC_SET_PIN_FILE	_IOW(0xf5, 13, __u32)

static char buf[MIB] __attribute__((aligned(BLOCK)));
static const char *path;
static int clone_fd;

static bool overwrite(int fd)
{
	return pwrite(fd, buf, BLOCK, 0) == BLOCK && !fsync(fd);
}

static bool fill_cache(int fd)
{
	return pread(fd, buf, BLOCK, 0) == BLOCK;
}

/* One block of it becomes one of another file. */
static bool share(int fd)
{
	struct file_clone_range range = {
		.src_fd = clone_fd, .src_length = BLOCK,
	};

	return !ioctl(fd, FICLONERANGE, &range);
}

static bool append(int fd)
{
	struct stat st;

	return !fstat(fd, &st) &&
	       pwrite(fd, buf, BLOCK, st.st_size) == BLOCK && !fsync(fd);
}

static bool punch(int fd)
{
	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  BLOCK);
}

static bool truncate_it(int fd)
{
	return !ftruncate(fd, 4 * BLOCK);
}

static bool delete(int fd)
{
	(void)fd;
	return !unlink(path);
}

static const struct {
	const char *name;
	int flags;
	bool (*op)(int fd);
} operations[] = {
	{ "read", O_RDONLY, fill_cache },
	{ "overwrite", O_RDWR, overwrite },
	{ "share", O_RDWR, share },
	{ "append", O_RDWR, append },
	{ "punch", O_RDWR, punch },
	{ "truncate", O_RDWR, truncate_it },
	{ "delete", O_RDONLY, delete },
};

static int pin(const char *name, int mib)
{
	__u32 on = 1;
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || ioctl(fd, F2FS_IOC_SET_PIN_FILE, &on) ||
	    fallocate(fd, 0, 0, (off_t)mib * MIB))
		goto failed;
	for (int i = 0; i < mib; i++)
		if (pwrite(fd, buf, MIB, (off_t)i * MIB) != MIB)
			goto failed;
	if (fsync(fd))
		goto failed;
	return 0;
failed:
	fprintf(stderr, "allows: pin %s: %s\n", name, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "pin"))
		return pin(argv[2], atoi(argv[3]));
	if (argc != 3) {
		fprintf(stderr, "usage: allows FILE CLONE | pin FILE MIB\n");
		return 2;
	}
	path = argv[1];
	clone_fd = open(argv[2], O_RDONLY);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		int fd = open(path, operations[i].flags);

		printf("%s %d\n", operations[i].name,
		       fd >= 0 && operations[i].op(fd));
		if (fd >= 0)
			close(fd);
	}
	return 0;
}
