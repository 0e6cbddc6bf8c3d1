// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loop device whose file is on the filesystem of a file that is sealed. A copy out
 * of it has write access to that filesystem and waits for the device; if the device
 * had to wait for the seal, and the seal for the copy, nothing would ever go on.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "watch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define UPPER		"/run/seal-upper"
#define SOURCE_SIZE	(8 << 20)
#define ROUNDS		5

static void run(const char *command)
{
	ck_assert_msg(!system(command), "failed: %s", command);
}

/* For ever: drop what is cached of the source, and copy it. */
static void copy(void)
{
	int from = open(UPPER "/source", O_RDONLY | O_CLOEXEC);
	int to = st_open("copied", O_RDWR | O_CREAT);

	for (;;) {
		off_t at = 0;

		posix_fadvise(from, 0, 0, POSIX_FADV_DONTNEED);
		if (lseek(to, 0, SEEK_SET))
			_exit(1);
		while (at < SOURCE_SIZE)
			if (sendfile(to, from, &at, SOURCE_SIZE) <= 0)
				_exit(1);
	}
}

/* For ever: have the loop device write to its file. */
static void write_above(void)
{
	int fd = open(UPPER "/written", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char block[65536];

	for (unsigned int i = 0;; i++) {
		memset(block, i, sizeof(block));
		if (pwrite(fd, block, sizeof(block), (i % 16) * 65536L) < 0 ||
		    fdatasync(fd))
			_exit(1);
	}
}

static pid_t busy(void (*work)(void))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work();
	}
	return pid;
}

static void busy_end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_ne(st_wait_child(pid, st_patience(20)), -1);
}

START_TEST(copy_from_above)
{
	const char *what = "sendfile out of a loop device on the filesystem";
	int fd = st_create_written("victim", 65536), dev;
	char command[1024], image[256];
	struct watch watch;
	pid_t copier, writer;

	st_path(image, sizeof(image), "image");
	mkdir(UPPER, 0700);
	snprintf(command, sizeof(command),
		 "truncate -s 64M %s && mkfs.ext4 -q -F %s && mount -o loop %s " UPPER
		 " && head -c %d /dev/urandom >" UPPER "/source && sync",
		 image, image, image, SOURCE_SIZE);
	run(command);
	watch_start(&watch);
	copier = busy(copy);
	writer = busy(write_above);
	st_sleep_ms(2000);
	watch_control(&watch);

	dev = st_session();
	for (int i = 0; i < ROUNDS; i++) {
		/* each a first one, or the gates are there already */
		if (i % 2)
			ck_assert(st_at_rest());
		if (!seal_in_time(dev, fd, what))
			st_unseal(dev, fd);
	}
	answers_in_time(dev, fd, what);
	close(dev);
	unloads_in_time(what);
	watch_check(&watch, what);
	busy_end(copier);
	busy_end(writer);
	watch_stop(&watch);
	ck_assert_int_eq(umount(UPPER), 0);
	rmdir(UPPER);
	st_remove("image");
	st_remove("copied");
	close(fd);
}
END_TEST

static TCase *below(void)
{
	TCase *tc = tcase_create("below");

	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, limit_short, limit_long);
	tcase_add_test(tc, copy_from_above);
	return tc;
}

ST_CASE(below, below, ST_NOWHERE);
