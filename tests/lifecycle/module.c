// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. The module is loaded before and after each test. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELOADS		20
#define RELOAD_SECONDS	10

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

static void io_forever(void)
{
	int fd = st_create_written("reload-io", 1 << 20);
	int other = st_create("reload-free");

	for (unsigned int i = 0;; i++) {
		st_fill(fd, i % 16 * 65536, 65536, 'r');
		fdatasync(fd);
		st_fill(other, 0, 65536, 'o');
		if (ftruncate(other, 0))
			_exit(1);
	}
}

START_TEST(reload_under_io)
{
	int fd = st_create_written("reload", 65536), dev, n, ret, status;
	double end = st_now() + st_seconds(RELOAD_SECONDS);
	pid_t pid = fork();

	if (!pid)
		io_forever();
	for (n = 0; n < RELOADS && st_now() < end; n++) {
		dev = st_session();
		st_seal(dev, fd);
		ck_assert_int_eq(ftruncate(fd, 0), -1);
		if (n % 2)
			st_unseal(dev, fd);
		close(dev);
		ret = unload_patiently();
		ck_assert_msg(!ret, "unload: %s", strerror(-ret));
		ret = load();
		ck_assert_msg(!ret, "load: %s", strerror(-ret));
	}
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("reload_under_io: %d cycles\n", n);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
}
END_TEST

START_TEST(loading_twice)
{
	ck_assert_int_eq(load(), -EEXIST);
	close(st_session());
}
END_TEST

TCase *life_module(void)
{
	TCase *tc = tcase_create("module");

	tcase_set_timeout(tc, st_seconds(60));
	tcase_add_test(tc, busy_while_sealed);
	tcase_add_test(tc, reload_under_io);
	tcase_add_test(tc, loading_twice);
	return tc;
}
