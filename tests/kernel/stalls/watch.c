// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "sealtest.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIMIT		"/sys/module/seal/parameters/limit_ms"
/* seconds; by the guest's clock, on a machine that may be busy */
#define MAX_PAUSE	0.5
#define IDLE		"/run/bystander"

static char reason[SEAL_REASON_LEN];

static void set_limit(unsigned int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ms);
	ck_assert_int_eq(st_do_write_file(LIMIT, text), 0);
}

void limit_short(void)
{
	set_limit(LIMIT_MS);
}

void limit_long(void)
{
	set_limit(100000);
}

void watch_start(struct watch *w)
{
	char path[256];

	st_path(path, sizeof(path), "bystander");
	bystander_start(&w->same, path);
	snprintf(path, sizeof(path), "%s/bystander", st_env("RACE_ANCHOR"));
	bystander_start(&w->apart, path);
	bystander_start(&w->idle, IDLE);
	st_sleep_ms(1000);
}

void watch_control(struct watch *w)
{
	w->control[0] = bystander_longest(&w->same);
	w->control[1] = bystander_longest(&w->apart);
	bystander_longest(&w->idle);
}

static void not_paused(struct bystander *b, const char *what, const char *where,
		       double control, double idle)
{
	double longest = bystander_longest(b);

	printf("%s: the bystander %s paused for %.3f s at most (%.3f s without a seal, %.3f s on tmpfs)\n",
	       what, where, longest, control, idle);
	ck_assert_msg(longest < MAX_PAUSE + control + idle, "%s: the bystander %s paused for %.2f s",
		      what, where, longest);
}

void watch_check(struct watch *w, const char *what)
{
	/* an emulated machine stands still when its host does something else */
	double idle = bystander_longest(&w->idle);

	not_paused(&w->same, what, "on the same filesystem", w->control[0], idle);
	not_paused(&w->apart, what, "on another filesystem", w->control[1], idle);
}

void watch_stop(struct watch *w)
{
	bystander_stop(&w->same);
	bystander_stop(&w->apart);
	bystander_stop(&w->idle);
	unlink(IDLE);
	st_remove("bystander");
}

int seal_in_time(int dev, int fd, const char *what)
{
	struct seal_files out;
	double began = st_now(), took;
	int ret = st_do_seal(dev, &fd, 1, 0, 0, 0, &out);

	took = st_now() - began;
	memcpy(reason, out.reason, sizeof(reason));
	printf("%s: SEAL %s after %.2f s%s%s\n", what,
	       ret ? strerror(-ret) : "succeeded", took, ret ? ": " : "",
	       ret ? reason : "");
	ck_assert_msg(!ret || ret == -EBUSY, "%s: %s (%s)", what, strerror(-ret),
		      reason);
	ck_assert_msg(!ret || reason[0], "%s: EBUSY without a reason", what);
	ck_assert_msg(took < st_patience(2 * LIMIT_MS / 1000 + 4),
		      "%s: SEAL took %.1f s", what, took);
	return ret;
}

void seal_at_last(int dev, int fd)
{
	double end = st_now() + st_patience(20);

	while (seal_in_time(dev, fd, "when it has ended"))
		ck_assert_msg(strstr(reason, "the kernel takes long") &&
			      st_now() < end, "when it has ended: %s", reason);
}

const char *seal_reason(void)
{
	return reason;
}

pid_t holder_start(const char *name, unsigned int recall_ms)
{
	int fd = st_create_written(name, 65536), dev = st_session(), ready[2];
	struct seal_files req = {
		.size = sizeof(req), .nr_fds = 1, .fds = (uintptr_t)&fd,
		.flags = recall_ms ? SEAL_SEAL_RECALL : 0,
		.recall_ms = recall_ms,
	};
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (st_do_ioctl(dev, SEAL_IOC_SEAL, &req) ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "%s: cannot be sealed", name);
	close(ready[0]);
	close(dev);
	close(fd);
	return pid;
}

void holder_kill(pid_t pid, const char *what)
{
	double began = st_now();

	kill(pid, SIGKILL);
	ck_assert_msg(st_wait_child(pid, st_patience(2)) != -1,
		      "%s: a holder that was killed does not end", what);
	printf("%s: a holder ended %.2f s after it was killed\n", what,
	       st_now() - began);
}

void answers_in_time(int dev, int fd, const char *what)
{
	struct seal_info info = { .size = sizeof(info) };
	struct seal_status status = { .size = sizeof(status), .fd = fd };
	double began = st_now(), middle;

	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_INFO, &info), 0);
	middle = st_now();
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
	printf("%s: INFO after %.2f s, STATUS after %.2f s\n", what,
	       middle - began, st_now() - middle);
	ck_assert_msg(middle - began < st_patience(1), "%s: INFO took %.1f s",
		      what, middle - began);
	ck_assert_msg(st_now() - middle < st_patience(1), "%s: STATUS took %.1f s",
		      what, st_now() - middle);
}

void load_again(void)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/module/seal.ko", st_env("SEAL_TREE"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_msg(!syscall(SYS_finit_module, fd, "", 0), "cannot be loaded: %s",
		      strerror(errno));
	close(fd);
	limit_short();
}

int unload_in_time(const char *what)
{
	double began = st_now(), took;
	int status, ret;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(syscall(SYS_delete_module, "seal", O_NONBLOCK) ? errno : 0);
	status = st_wait_child(pid, st_patience(10));
	took = st_now() - began;
	ck_assert_msg(status != -1, "%s: rmmod does not end", what);
	ret = status >> 8;
	printf("%s: rmmod %s after %.2f s\n", what, ret ? strerror(ret) : "succeeded",
	       took);
	return -ret;
}

void unloads_in_time(const char *what)
{
	int ret = unload_in_time(what);

	ck_assert_msg(!ret || ret == -EAGAIN || ret == -EBUSY, "%s: rmmod: %s", what,
		      strerror(-ret));
	if (!ret)
		load_again();
}
