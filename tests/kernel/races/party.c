// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "party.h"
#include "park/park.h"
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JOIN_MS		30000
#define PARK_MS		15000

static void *party_main(void *arg)
{
	struct party *p = arg;

	p->tid = syscall(SYS_gettid);
	sem_post(&p->ready);
	while (sem_wait(&p->go))
		;
	p->ret = p->fn(p->arg);
	p->done = true;
	return NULL;
}

void party_start(struct party *p, int (*fn)(void *arg), void *arg)
{
	memset(p, 0, sizeof(*p));
	p->fn = fn;
	p->arg = arg;
	sem_init(&p->ready, 0, 0);
	sem_init(&p->go, 0, 0);
	ck_assert_int_eq(pthread_create(&p->thread, NULL, party_main, p), 0);
	while (sem_wait(&p->ready))
		;
}

void party_go(struct party *p)
{
	sem_post(&p->go);
}

bool party_ends(struct party *p, unsigned int ms)
{
	double end = st_now() + ms / 1000.0;

	while (!p->done && st_now() < end)
		st_sleep_ms(5);
	return p->done;
}

int party_join(struct party *p)
{
	ck_assert_msg(party_ends(p, JOIN_MS), "a thread hangs");
	pthread_join(p->thread, NULL);
	return p->ret;
}

static int seal(void *arg)
{
	struct sealing *s = arg;

	return st_do_seal_one(s->dev, s->fd);
}

void sealing_start(struct sealing *s, int dev, int fd)
{
	s->dev = dev;
	s->fd = fd;
	party_start(&s->party, seal, s);
}

bool seals_attach;

unsigned int patience_ms(void)
{
	int fd = st_create_written("patience", 65536), dev = st_session();
	double start, took;

	ck_assert(!seals_attach || st_at_rest());
	start = st_now();
	st_seal(dev, fd);
	took = st_now() - start;
	close(dev);
	close(fd);
	st_remove("patience");
	ck_assert(!seals_attach || st_at_rest());
	return 500 + took * 4000;
}

static int park_device = -1;

static int park_ioctl(unsigned long cmd, struct park *op)
{
	if (park_device < 0)
		park_device = open("/dev/seal-park", O_RDWR | O_CLOEXEC);
	ck_assert_msg(park_device >= 0, "/dev/seal-park: %s", strerror(errno));
	return ioctl(park_device, cmd, op) ? errno : 0;
}

void park_set(unsigned int spot, const struct party *p, const char *symbols,
	      unsigned int nth)
{
	struct park op = { .spot = spot, .tid = p ? p->tid : 0, .nth = nth };
	const char *end;
	int ret;

	for (;;) {
		end = strchrnul(symbols, '|');
		snprintf(op.symbol, sizeof(op.symbol), "%.*s",
			 (int)(end - symbols), symbols);
		ret = park_ioctl(PARK_SET, &op);
		if (ret != ENOENT || !*end)
			break;
		symbols = end + 1;
	}
	ck_assert_msg(!ret, "park at %s: %s", op.symbol, strerror(ret));
}

int park_try(unsigned int spot, const struct party *p, const char *symbol)
{
	struct park op = { .spot = spot, .tid = p->tid, .nth = 1 };

	snprintf(op.symbol, sizeof(op.symbol), "%s", symbol);
	return park_ioctl(PARK_SET, &op);
}

void park_wait(unsigned int spot)
{
	struct park op = { .spot = spot, .timeout_ms = PARK_MS };
	int ret = park_ioctl(PARK_WAIT, &op);

	ck_assert_msg(!ret, "nobody came by at spot %u: %s", spot,
		      strerror(ret));
}

void park_release(unsigned int spot)
{
	struct park op = { .spot = spot };

	ck_assert_int_eq(park_ioctl(PARK_RELEASE, &op), 0);
}

void check_frozen(int dev, int fd, const char *what)
{
	struct st_map now = st_map(fd), later, fresh;
	struct seal_status sealed = st_status(fd), read;

	ck_assert_msg(sealed.flags & SEAL_STATUS_SEALED, "%s: not sealed", what);
	sync();
	st_sleep_ms(100);
	later = st_map(fd);
	ck_assert_msg(st_map_same(&now, &later), "%s: the sealed map changes",
		      what);
	/* STATUS of a file that is not sealed reads the map anew. */
	st_unseal(dev, fd);
	read = st_status(fd);
	fresh = st_map(fd);
	ck_assert_msg(st_map_same(&now, &fresh) &&
		      read.digest == sealed.digest &&
		      read.extents == sealed.extents &&
		      read.file_size == sealed.file_size,
		      "%s: the map that was sealed is not the one that is there",
		      what);
	st_map_free(&now);
	st_map_free(&later);
	st_map_free(&fresh);
}
