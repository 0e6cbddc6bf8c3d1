// SPDX-License-Identifier: GPL-2.0-only
/* A thread per file does what comes to its mind, until the power fails. */
#define _GNU_SOURCE
#include "powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct writer {
	pthread_t thread;
	unsigned int number;
	unsigned int seed;
	const char *dir;
	struct seal_session *session;
	int fd;
	int out;			/* the same file, every other direct */
	bool sealed;
	uint32_t last;			/* version */
	uint32_t version[BLOCKS];
	bool pending[BLOCKS];		/* written, not promised yet */
	char map[MAP_TEXT + 64];
	char *buf;
};

static unsigned int dice(struct writer *w, unsigned int sides)
{
	return rand_r(&w->seed) % sides;
}

static void promise(struct writer *w)
{
	char line[BLOCKS * 16];
	int len = 0;

	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (w->pending[i])
			len += sprintf(line + len, " %u:%u", i, w->version[i]);
		w->pending[i] = false;
	}
	if (len)
		record("W %u%s", w->number, line);
}

static void sync_file(struct writer *w)
{
	if (fsync(w->fd))
		die("file %u: fsync: %s", w->number, strerror(errno));
	promise(w);
}

static void write_blocks(struct writer *w)
{
	unsigned int at = dice(w, BLOCKS), nr = 1 + dice(w, 8);
	ssize_t n;

	if (nr > BLOCKS - at)
		nr = BLOCKS - at;
	w->last++;
	for (unsigned int i = 0; i < nr; i++)
		block_fill(w->buf + i * BLOCK, w->number, at + i, w->last);
	n = pwrite(w->out, w->buf, nr * BLOCK, at * BLOCK);
	if (n < 0 && errno == ETXTBSY && w->sealed)
		return;
	if (n != nr * BLOCK)
		die("file %u: write of %u blocks at %u: %zd, %s", w->number,
		    nr, at, n, n < 0 ? strerror(errno) : "short");
	for (unsigned int i = 0; i < nr; i++) {
		w->version[at + i] = w->last;
		w->pending[at + i] = true;
	}
}

static void prealloc_file(struct writer *w)
{
	uint64_t at = dice(w, BLOCKS), nr = 1 + dice(w, BLOCKS - at);
	uint32_t flags = dice(w, 2) ? SEAL_PREALLOC_WRITTEN : 0;
	int ret = seal_prealloc(w->session, w->fd, flags, at * BLOCK,
				nr * BLOCK);

	if (ret && ret != -EOPNOTSUPP)
		die("file %u: prealloc: %s", w->number, strerror(-ret));
}

static void unshare_file(struct writer *w)
{
	int ret = seal_unshare(w->session, w->fd, 0, 0);

	if (ret && ret != -EBUSY)
		die("file %u: unshare: %s", w->number, strerror(-ret));
}

/* The clone lives until the next one. */
static void clone_file(struct writer *w)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/clone%u", w->dir, w->number);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (ioctl(fd, FICLONE, w->fd) && errno != EOPNOTSUPP)
		die("file %u: clone: %s", w->number, strerror(errno));
	close(fd);
}

static void seal_file(struct writer *w)
{
	struct seal_files report = { 0 };
	int ret = seal_files(w->session, &w->fd, 1, 0, 0, 0, &report);

	/* Pages may be busy on their way to the disk. */
	if (ret == -EBUSY)
		return;
	if (ret)
		die("file %u: seal: %s (%.*s)", w->number, strerror(-ret),
		    SEAL_REASON_LEN, (char *)report.reason);
	w->sealed = true;
	seal_text(w->session, w->fd, w->map);
	record("S %u %s", w->number, w->map);
	/* What was written before is on disk too. */
	promise(w);
}

static void unseal_file(struct writer *w)
{
	static __thread char now[MAP_TEXT + 64];
	int ret;

	seal_text(w->session, w->fd, now);
	if (strcmp(now, w->map))
		die("file %u: sealed %s, now %s", w->number, w->map, now);
	record("U %u", w->number);
	ret = seal_unseal(w->session, w->fd, 0);
	if (ret)
		die("file %u: unseal: %s", w->number, strerror(-ret));
	w->sealed = false;
}

static void try_to_change(struct writer *w)
{
	uint64_t at = dice(w, BLOCKS) * BLOCK;
	int ret = dice(w, 2) ?
		  fallocate(w->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    at, BLOCK) :
		  ftruncate(w->fd, BLOCK);

	if (!ret)
		die("file %u: sealed, but it can be changed", w->number);
}

static void step(struct writer *w)
{
	switch (dice(w, 16)) {
	case 0 ... 8:
		write_blocks(w);
		break;
	case 9 ... 10:
		sync_file(w);
		break;
	case 11:
		if (w->sealed)
			try_to_change(w);
		else
			prealloc_file(w);
		break;
	case 12:
		if (w->sealed)
			try_to_change(w);
		else
			unshare_file(w);
		break;
	case 13:
		if (!w->sealed)
			clone_file(w);
		break;
	case 14:
		if (!w->sealed)
			seal_file(w);
		break;
	default:
		if (w->sealed && !dice(w, 4))
			unseal_file(w);
		break;
	}
	/* Else the first ones sealed would be sealed all the time. */
	usleep(dice(w, 20000));
}

static void *write_until_the_end(void *arg)
{
	for (;;)
		step(arg);
	return NULL;
}

static void file_make(struct writer *w)
{
	char path[256];
	int dir, ret;

	snprintf(path, sizeof(path), "%s/file%u", w->dir, w->number);
	unlink(path);
	w->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	w->out = open(path, O_RDWR | O_CLOEXEC |
		      (w->number % 2 ? O_DIRECT : 0));
	dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->fd < 0 || w->out < 0 || dir < 0 ||
	    ftruncate(w->fd, BLOCKS * BLOCK) || fsync(w->fd) || fsync(dir))
		die("%s: %s", path, strerror(errno));
	close(dir);
	ret = seal_open(&w->session);
	if (ret)
		die("seal_open: %s", strerror(-ret));
	if (posix_memalign((void **)&w->buf, BLOCK, 8 * BLOCK))
		die("no memory");
	record("N %u", w->number);
	for (int i = 0; i < 20; i++)
		write_blocks(w);
	sync_file(w);
}

void writers_run(const char *dir, unsigned int seed)
{
	static struct writer writers[FILES];

	for (unsigned int i = 0; i < FILES; i++) {
		writers[i].number = i;
		writers[i].seed = seed * FILES + i;
		writers[i].dir = dir;
		file_make(&writers[i]);
	}
	record("R");
	for (unsigned int i = 0; i < FILES; i++)
		if (pthread_create(&writers[i].thread, NULL,
				   write_until_the_end, &writers[i]))
			die("no thread");
	for (;;)
		pause();
}
