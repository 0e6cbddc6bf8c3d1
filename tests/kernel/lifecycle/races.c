// SPDX-License-Identifier: GPL-2.0-only
/* Sealing while others are at work. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_SIZE	(1 << 20)
#define CYCLES		50

/* Under emulation that many take too long: then fewer, and it says so. */
#define CYCLES_SECONDS	5

static atomic_bool stop;

/* What a worker found; errors are told by the main thread. */
struct worker {
	pthread_t thread;
	int fd;
	unsigned long done;
	int error;
	const char *what;
};

static void complain(struct worker *w, const char *what)
{
	if (!w->error) {
		w->error = errno ? errno : EIO;
		w->what = what;
	}
}

static void start(struct worker *w, void *(*fn)(void *), int fd)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	ck_assert_int_eq(pthread_create(&w->thread, NULL, fn, w), 0);
}

static void finish(struct worker *w)
{
	pthread_join(w->thread, NULL);
	ck_assert_msg(!w->error, "%s: %s", w->what, strerror(w->error));
	ck_assert_msg(w->done, "%s: nothing done", w->what ? w->what : "worker");
}

static void *write_in_place(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 1;
	char *buf;

	if (posix_memalign((void **)&buf, 4096, 4096))
		return NULL;
	memset(buf, 'p', 4096);
	while (!stop) {
		off_t at = rand_r(&seed) % (FILE_SIZE / 4096) * 4096;

		errno = 0;
		if (pwrite(w->fd, buf, 4096, at) != 4096)
			complain(w, "in-place pwrite");
		if (!(w->done++ % 64) && fdatasync(w->fd))
			complain(w, "fdatasync");
	}
	free(buf);
	return NULL;
}

static void *store_in_place(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 2;
	char *map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 w->fd, 0);

	if (map == MAP_FAILED) {
		complain(w, "mmap");
		return NULL;
	}
	while (!stop) {
		map[rand_r(&seed) % FILE_SIZE] = 'm';
		if (!(w->done++ % 256) && msync(map, FILE_SIZE, MS_SYNC))
			complain(w, "msync");
	}
	munmap(map, FILE_SIZE);
	return NULL;
}

/* Map changes of a file that nobody sealed pass the gates untouched. */
static void *change_unsealed(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		errno = 0;
		if (pwrite(w->fd, "x", 1, 300000) != 1)
			complain(w, "pwrite to an unsealed file");
		if (fallocate(w->fd, 0, 0, 262144) && errno != EOPNOTSUPP)
			complain(w, "fallocate of an unsealed file");
		if (ftruncate(w->fd, 4096))
			complain(w, "truncate of an unsealed file");
		w->done++;
	}
	return NULL;
}

START_TEST(cycles_under_io)
{
	/*
	 * Direct writes have a file of their own: mixed with cached ones a
	 * stock kernel reports a failed invalidation at the next fsync.
	 */
	int fds[2] = {
		st_create_trimmed("cached", FILE_SIZE),
		st_create_trimmed("direct", FILE_SIZE),
	};
	int direct = st_open("direct", O_RDWR | O_DIRECT);
	int free_file = st_create("unsealed");
	struct st_map before[2], after[2];
	struct worker w[4];
	double begin = st_now();
	int cycles, dev;

	for (int i = 0; i < 2; i++)
		before[i] = st_map(fds[i]);
	stop = false;
	start(&w[0], write_in_place, fds[0]);
	start(&w[1], write_in_place, direct);
	start(&w[2], store_in_place, fds[0]);
	start(&w[3], change_unsealed, free_file);
	for (cycles = 0; st_goes_on(cycles, CYCLES, begin, CYCLES_SECONDS);
	     cycles++) {
		/* Every cycle attaches the gates and detaches them. */
		dev = st_session();
		ck_assert_int_eq(st_do_seal(dev, fds, 2, 0, 0, 0, NULL), 0);
		ck_assert_int_eq(ftruncate(fds[cycles % 2], 0), -1);
		ck_assert_int_eq(errno, ETXTBSY);
		if (cycles % 4 == 3) {
			st_unseal(dev, fds[0]);
			st_unseal(dev, fds[1]);
		}
		close(dev);
	}
	stop = true;
	for (int i = 0; i < 4; i++)
		finish(&w[i]);
	printf("cycles_under_io: %d cycles, %lu + %lu writes, %lu stores, %lu changes\n",
	       cycles, w[0].done, w[1].done, w[2].done, w[3].done);
	for (int i = 0; i < 2; i++) {
		after[i] = st_map(fds[i]);
		ck_assert(st_map_same(&before[i], &after[i]));
		ck_assert(!st_sealed(fds[i]));
		close(fds[i]);
	}
	close(direct);
	close(free_file);
}
END_TEST

#define SLOTS	512
#define SLOT	8192

/* Writes every other block of a sparse file until it is refused. */
struct filler {
	struct worker w;
	atomic_int ok;		/* slots written */
	atomic_bool sealed;	/* SEAL has returned */
	int late;		/* successes that began after that */
	int refused;		/* errno of the first refusal */
};

static void *fill_holes(void *arg)
{
	struct filler *f = arg;
	char *buf;

	if (posix_memalign((void **)&buf, 4096, 4096))
		return NULL;
	memset(buf, 'h', 4096);
	for (int i = 0; i < SLOTS; i++) {
		bool late = f->sealed;
		ssize_t n = pwrite(f->w.fd, buf, 4096, (off_t)i * SLOT);

		if (n != 4096) {
			f->refused = n < 0 ? errno : EIO;
			break;
		}
		f->late += late;
		f->ok++;
		/* Slow enough for the seal to come in between. */
		usleep(1000);
	}
	free(buf);
	return NULL;
}

static void check_fill(int fd, int written)
{
	char buf[4096];

	for (int i = 0; i < SLOTS; i++) {
		char want = i < written ? 'h' : 0;

		ck_assert_int_eq(pread(fd, buf, 4096, (off_t)i * SLOT), 4096);
		for (int j = 0; j < 4096; j += 511)
			ck_assert_msg(buf[j] == want, "slot %d of %d: %02x", i,
				      written, buf[j]);
	}
}

START_TEST(writers_to_holes)
{
	int dev = st_session(), fd, writer;
	struct st_map first, second;
	struct filler f;
	int stopped = 0;

	for (int round = 0; round < 8; round++) {
		fd = st_create("holes");
		ck_assert_int_eq(ftruncate(fd, SLOTS * SLOT), 0);
		writer = st_open("holes", _i ? O_RDWR | O_DIRECT : O_RDWR);
		memset(&f, 0, sizeof(f));
		start(&f.w, fill_holes, writer);
		while (f.ok < round * 20)
			sched_yield();
		st_seal(dev, fd);
		f.sealed = true;
		first = st_map(fd);
		pthread_join(f.w.thread, NULL);
		second = st_map(fd);
		ck_assert(st_map_same(&first, &second));
		ck_assert_int_eq(f.late, 0);
		if (f.ok < SLOTS) {
			ck_assert_int_eq(f.refused, ETXTBSY);
			stopped++;
		}
		check_fill(fd, f.ok);
		st_unseal(dev, fd);
		st_map_free(&first);
		st_map_free(&second);
		close(writer);
		close(fd);
	}
	printf("writers_to_holes: %d of 8 rounds stopped the writer\n", stopped);
	/* Or nothing was tried. */
	ck_assert_int_ge(stopped, 1);
	close(dev);
}
END_TEST

static void seal_in_order(int swap)
{
	int dev = st_session();
	int a = st_open("a", O_RDWR), b = st_open("b", O_RDWR);
	int fds[2] = { swap ? b : a, swap ? a : b };
	double end = st_now() + (st_long() ? 6 : 3);
	int rounds = 0, ret = 0;

	while (!ret && rounds++ < 200 && st_now() < end) {
		ret = st_do_seal(dev, fds, 2, 0, 0, 0, NULL);
		if (!ret)
			ret = st_do_unseal(dev, fds[rounds % 2], 0);
		if (!ret)
			ret = st_do_unseal(dev, fds[!(rounds % 2)], 0);
	}
	_exit(ret ? 1 : 0);
}

START_TEST(opposite_orders)
{
	int a = st_create_written("a", 65536), b = st_create_written("b", 65536);
	pid_t pids[2];
	int status;

	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			seal_in_order(i);
	}
	for (int i = 0; i < 2; i++) {
		status = st_wait_child(pids[i], 30);
		ck_assert_msg(status != -1, "process %d hangs", i);
		ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status),
			      "process %d: %x", i, status);
	}
	ck_assert(st_becomes_unsealed(a));
	ck_assert(st_becomes_unsealed(b));
	close(a);
	close(b);
}
END_TEST

START_TEST(kill_in_the_middle)
{
	static const unsigned int delays[] = { 2, 20, 100, 250 };
	/* as many pages as take a slower kernel as long */
	const off_t end = (96 << 20) / st_patience(1);
	int fd, dev, status, caught = 0;
	double start_time;
	pid_t pid;

	/* Scattered dirty pages: writing them takes the seal some time. */
	for (unsigned int i = 0; i < 4; i++) {
		fd = st_create("killed");
		for (off_t at = 0; at < end; at += 32768)
			st_fill(fd, at, 4096, 'k');
		dev = st_session();
		pid = fork();
		if (!pid)
			_exit(st_do_seal_one(dev, fd) ? 1 : 0);
		close(dev);
		st_sleep_ms(delays[i]);
		kill(pid, SIGKILL);
		start_time = st_now();
		status = st_wait_child(pid, 40);
		start_time = st_now() - start_time;
		ck_assert_msg(status != -1, "does not die");
		ck_assert_msg(start_time < st_patience(15), "died only after %.1f s",
			      start_time);
		caught += WIFSIGNALED(status);
		ck_assert(st_becomes_unsealed(fd));
		ck_assert_int_eq(ftruncate(fd, 0), 0);
		close(fd);
	}
	printf("kill_in_the_middle: %d of 4 were killed inside\n", caught);
}
END_TEST

static TCase *life_cycles(void)
{
	TCase *tc = tcase_create("cycles");

	tcase_set_timeout(tc, st_limit(60));
	tcase_add_test(tc, cycles_under_io);
	return tc;
}

ST_CASE(cycles, life_cycles, ST_NOWHERE);

static TCase *life_races(void)
{
	TCase *tc = tcase_create("races");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, writers_to_holes, 0, 2);
	tcase_add_test(tc, opposite_orders);
	tcase_add_test(tc, kill_in_the_middle);
	return tc;
}

ST_CASE(races, life_races, ST_HERE);
