// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. The module is loaded before and after each test. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELOADS		20
#define RELOAD_SECONDS	5

static int unload(void)
{
	return syscall(SYS_delete_module, "seal", O_NONBLOCK) ? -errno : 0;
}

static int load(void)
{
	char path[512];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/module/seal.ko", st_env("SEAL_TREE"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* A descriptor another process held may take a moment to be let go. */
static int unload_patiently(void)
{
	int ret = 0;

	for (int i = 0; i < 50; i++) {
		ret = unload();
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		st_sleep_ms(50);
	}
	return ret;
}

static bool busy(int ret)
{
	return ret == -EAGAIN || ret == -EBUSY;
}

START_TEST(busy_while_sealed)
{
	int fd = st_create_written("module", 65536), dev = st_session();
	struct seal_files out;

	st_seal(dev, fd);
	ck_assert(busy(unload()));
	st_unseal(dev, fd);
	ck_assert_int_eq(st_do_seal(dev, &fd, 1, SEAL_SEAL_STICKY, 0, 0, &out),
			 0);
	close(dev);
	/* No session is left, the sticky claim is. */
	ck_assert(busy(unload()));
	ck_assert(st_sealed(fd));
	dev = st_session();
	ck_assert_int_eq(st_do_unseal(dev, fd, SEAL_UNSEAL_STICKY), 0);
	close(dev);
	ck_assert_int_eq(unload_patiently(), 0);
	ck_assert_int_eq(open(ST_DEVICE, O_RDWR), -1);
	ck_assert_int_eq(load(), 0);
	ck_assert(!st_sealed(fd));
	close(fd);
}
END_TEST

/* In place to a file that is sealed, anything to one that is not. */
static void io_forever(int fd)
{
	int other = st_create("reload-free");

	for (unsigned int i = 0;; i++) {
		st_fill(fd, i % 16 * 65536, 65536, 'r');
		fdatasync(fd);
		st_fill(other, 0, 65536, 'o');
		if (ftruncate(other, 0))
			_exit(1);
	}
}

/*
 * A kernel that checks itself has threads that run for longer than SEAL waits for
 * them; others must not find the files busy.
 */
static void seal_both(int dev, const int *fds, int n)
{
	struct seal_files out;
	int ret, tries = st_patience(1);

	do {
		ret = st_do_seal(dev, fds, 2, 0, 0, 0, &out);
	} while (ret == -EBUSY && --tries > 0);
	ck_assert_msg(!ret, "seal %d: %s: %s", n, strerror(-ret),
		      (char *)out.reason);
}

/* Load, seal under load, unseal, unload. */
START_TEST(reload_under_io)
{
	int fds[2] = {
		st_create_written("reload", 65536),
		st_create_trimmed("reload-io", 1 << 20),
	};
	struct st_map before = st_map(fds[1]), after;
	int dev, n, ret, status;
	double begin = st_now();
	pid_t pid = fork();

	if (!pid)
		io_forever(fds[1]);
	for (n = 0; n < 2 || st_goes_on(n, RELOADS, begin, RELOAD_SECONDS); n++) {
		dev = st_session();
		seal_both(dev, fds, n);
		ck_assert_int_eq(ftruncate(fds[n % 2], 0), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		if (n % 2) {
			st_unseal(dev, fds[0]);
			st_unseal(dev, fds[1]);
		}
		close(dev);
		ret = unload_patiently();
		ck_assert_msg(!ret, "unload %d: %s", n, strerror(-ret));
		ret = load();
		ck_assert_msg(!ret, "load %d: %s", n, strerror(-ret));
	}
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("reload_under_io: %d cycles in %.0f s\n", n, st_now() - begin);
	after = st_map(fds[1]);
	ck_assert(st_map_same(&before, &after));
	ck_assert_int_eq(ftruncate(fds[0], 0), 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* Opens the device, seals and closes it, as often as it is there. */
static void open_forever(void)
{
	int fd = st_open("opened", O_RDWR), dev, ret;

	for (unsigned int n = 0;; n++) {
		dev = open(ST_DEVICE, O_RDWR | O_CLOEXEC);
		if (dev < 0) {
			if (errno != ENOENT && errno != ENXIO &&
			    errno != ENODEV)
				_exit(errno);
			continue;
		}
		ret = st_do_seal_one(dev, fd);
		if (ret)
			_exit(-ret);
		if (!ftruncate(fd, 0))
			_exit(99);
		close(dev);
		/* sealing takes most of the time: give unloading its chance */
		st_sleep_ms(n % 5 * 10);
	}
}

/* One of them is first: then the other one is told, and nothing else. */
START_TEST(unload_against_open)
{
	int fd = st_create_written("opened", 65536), status, n, ret;
	int unloaded = 0, refused = 0;
	double begin = st_now();
	pid_t pid = fork();

	if (!pid)
		open_forever();
	for (n = 0; n < 2 || st_goes_on(n, RELOADS, begin, RELOAD_SECONDS); n++) {
		for (;;) {
			ret = unload();
			if (!ret)
				break;
			ck_assert_msg(busy(ret), "unload: %s", strerror(-ret));
			refused++;
			ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
			st_sleep_ms(n % 7);
		}
		unloaded++;
		ret = load();
		ck_assert_msg(!ret, "load: %s", strerror(-ret));
		st_sleep_ms(n % 5 * 20);
	}
	ret = waitpid(pid, &status, WNOHANG);
	ck_assert_msg(!ret, "opening and sealing: %x", status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("unload_against_open: %d unloads, %d refused\n", unloaded,
	       refused);
	/* Or one never met the other. */
	ck_assert_int_gt(refused, 0);
	ck_assert(st_becomes_unsealed(fd));
	close(fd);
}
END_TEST

static int unload_filesystem(void)
{
	int ret = 0;

	/* What was unmounted lazily is gone a little later. */
	for (int i = 0; i < 50; i++) {
		ret = syscall(SYS_delete_module, st_env("SEAL_TYPE"),
			      O_NONBLOCK) ? -errno : 0;
		if (!busy(ret))
			break;
		st_sleep_ms(100);
	}
	return ret;
}

START_TEST(filesystem_module_goes_and_comes)
{
	int fd = st_create_written("stays", 65536), dev = st_session(), ret;
	const char *type = st_env("SEAL_TYPE");
	char command[64];

	if (strcmp(type, "xfs"))
		ST_SKIP("the root directory of the guest is on %s", type);
	/* Out of view and out of use: only the seal is left. */
	st_seal(dev, fd);
	close(fd);
	ck_assert_int_eq(umount2(st_env("SEAL_DIR"), MNT_DETACH), 0);
	ck_assert(busy(syscall(SYS_delete_module, type, O_NONBLOCK) ?
		       -errno : 0));
	close(dev);

	/* With the module of the seal loaded, whose gates were there. */
	ret = unload_filesystem();
	ck_assert_msg(!ret, "unload of %s: %s", type, strerror(-ret));
	snprintf(command, sizeof(command), "modprobe %s", type);
	ck_assert_int_eq(system(command), 0);
	st_mount();
	fd = st_open("stays", O_RDWR);
	ck_assert(!st_sealed(fd));
	dev = st_session();
	st_seal(dev, fd);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	st_fill(fd, 0, 65536, 's');
	close(fd);
	close(dev);
}
END_TEST

/* Longer than it takes under emulation, and far shorter than a call of the reader. */
#define MAX_UNLOAD	4.0

START_TEST(filesystem_goes_beside_a_reader)
{
	int fd = st_create_written("stays", 65536), dev = st_session(), ret;
	const char *type = st_env("SEAL_TYPE");
	char command[64];
	double began;
	pid_t reader;

	if (strcmp(type, "xfs"))
		ST_SKIP("the root directory of the guest is on %s", type);
	st_seal(dev, fd);
	close(fd);
	ck_assert_int_eq(umount2(st_env("SEAL_DIR"), MNT_DETACH), 0);
	close(dev);
	/* nothing is sealed, and the gates still linger */
	reader = st_reader_start(0);
	st_sleep_ms(300);
	began = st_now();
	ret = unload_filesystem();
	began = st_now() - began;
	printf("%s is unloaded beside a task that reads all the time in %.2f s\n",
	       type, began);
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	ck_assert_msg(!ret, "unload of %s: %s", type, strerror(-ret));
	ck_assert_msg(began < MAX_UNLOAD, "%.2f s", began);

	/* gates that were still leaving, and those of the module that comes */
	snprintf(command, sizeof(command), "modprobe %s", type);
	ck_assert_int_eq(system(command), 0);
	st_mount();
	fd = st_open("stays", O_RDWR);
	dev = st_session();
	st_seal(dev, fd);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, ETXTBSY);
	close(fd);
	close(dev);
}
END_TEST

START_TEST(loading_twice)
{
	ck_assert_int_eq(load(), -EEXIST);
	close(st_session());
}
END_TEST

static TCase *life_reload(void)
{
	TCase *tc = tcase_create("reload");

	tcase_set_timeout(tc, st_limit(60));
	tcase_add_test(tc, reload_under_io);
	return tc;
}

ST_CASE(reload, life_reload, ST_NOWHERE);

static TCase *life_module(void)
{
	TCase *tc = tcase_create("module");

	tcase_set_timeout(tc, st_limit(60));
	tcase_add_test(tc, busy_while_sealed);
	tcase_add_test(tc, unload_against_open);
	tcase_add_test(tc, filesystem_module_goes_and_comes);
	tcase_add_test(tc, filesystem_goes_beside_a_reader);
	tcase_add_test(tc, loading_twice);
	return tc;
}

ST_CASE(module, life_module, ST_NOWHERE);
