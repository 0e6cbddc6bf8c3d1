// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel tells the module whenever a generic netlink socket is closed, whoever
 * has it. Nobody waits for events on their way to many monitors then, nor does a
 * monitor that comes or goes.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MONITORS	200
#define SECONDS		4
/* seconds; by the guest's clock, on a machine that may be busy */
#define MAX_PAUSE	0.5

static double slower(double a, double b)
{
	return a > b ? a : b;
}

/* A socket that has nothing to do with a seal: how long it takes to close it. */
static double close_socket(void)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	double began;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&any, sizeof(any)), 0);
	began = st_now();
	close(fd);
	return st_now() - began;
}

/* How long it takes to come and to go again. */
static double come_and_go(void)
{
	double began = st_now();

	seal_monitor_close(ev_monitor(SEAL_EVENTS_ALL));
	return st_now() - began;
}

struct slowest {
	double closing;
	double monitor;
};

static struct slowest measure(void)
{
	struct slowest s = { 0 };
	double end = st_now() + SECONDS;

	while (st_now() < end) {
		s.closing = slower(s.closing, close_socket());
		s.monitor = slower(s.monitor, come_and_go());
		st_sleep_ms(20);
	}
	return s;
}

/* What the writer and the kernel's worker take of the machine. */
static pid_t spin_for_ever(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		;
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(st_wait_child(pid, st_patience(10)), SIGKILL);
}

static pid_t refused_for_ever(int fd)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		if (pwrite(fd, "x", 1, 1 << 20) != -1 || errno != ETXTBSY)
			_exit(1);
}

/* A monitor that does not read, and has no room. */
static struct seal_monitor *deaf_monitor(void)
{
	struct seal_monitor *monitor = ev_monitor(SEAL_EVENTS_ALL);
	int least = 1;

	ck_assert_int_eq(setsockopt(seal_monitor_fd(monitor), SOL_SOCKET,
				    SO_RCVBUF, &least, sizeof(least)), 0);
	return monitor;
}

static void wait_truncate(struct seal_monitor *monitor)
{
	struct pollfd p = { seal_monitor_fd(monitor), POLLIN, 0 };
	double end = st_now() + st_patience(10);
	const struct seal_event *e;
	int ret;

	for (;;) {
		while ((ret = seal_monitor_next(monitor, &e)) > 0)
			if (e->type == SEAL_EVENT_REFUSED &&
			    !strcmp(e->operation, "truncate"))
				return;
		ck_assert_msg(!ret, "seal_monitor_next: %s", strerror(-ret));
		ck_assert_msg(st_now() < end, "the event does not come");
		poll(&p, 1, 100);
	}
}

START_TEST(nobody_waits)
{
	int fd = st_create_written("closing", 65536), dev = st_session();
	struct seal_monitor *deaf[MONITORS], *next;
	struct slowest idle, busy;
	pid_t writer, spinner[2];

	st_seal(dev, fd);
	for (int i = 0; i < MONITORS; i++)
		deaf[i] = deaf_monitor();
	spinner[0] = spin_for_ever();
	spinner[1] = spin_for_ever();
	idle = measure();
	child_end(spinner[0]);
	child_end(spinner[1]);
	writer = refused_for_ever(fd);
	busy = measure();
	printf("nobody_waits: a socket was closed after %.3f s at most, without events %.3f s; a monitor came and went in %.3f s, without %.3f s\n",
	       busy.closing, idle.closing, busy.monitor, idle.monitor);
	child_end(writer);
	for (int i = 0; i < MONITORS; i++)
		seal_monitor_close(deaf[i]);
	/*
	 * All are gone, and the next one is told of all that happens from now on.
	 * Some of the writes may still have been on their way.
	 */
	next = ev_monitor(SEAL_EVENT_BIT(SEAL_EVENT_REFUSED));
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	wait_truncate(next);
	seal_monitor_close(next);

	ck_assert_msg(busy.closing < MAX_PAUSE + 2 * idle.closing,
		      "a socket was closed after %.2f s", busy.closing);
	ck_assert_msg(busy.monitor < MAX_PAUSE + 2 * idle.monitor,
		      "a monitor came and went in %.2f s", busy.monitor);
	close(dev);
	close(fd);
}
END_TEST

static TCase *closing(void)
{
	TCase *tc = tcase_create("closing");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, nobody_waits);
	return tc;
}

ST_CASE(closing, closing, ST_HERE);
