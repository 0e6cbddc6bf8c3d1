// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks that are granted, written through the device and committed, while
 * others try to change the file and everything else of the torture goes on.
 *
 * The file has three parts: written blocks, in place from the start; unwritten
 * ones that are granted; unwritten ones that never are, which is where the
 * taker writes. So the granter alone knows what the file has to show.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PLACED	4		/* blocks in place */
#define FIRST	PLACED		/* that can be granted */
#define LAST	56
#define BLOCKS	64
#define ROUNDS	6

static const struct file granted = { .name = "granted", .class = MAP_ONLY };
static int device = -1;

/* Odd while it is sealed; changed with the lock held exclusively. */
static atomic_uint epoch;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

atomic_ulong nr_grants, nr_commits, nr_taken;

/* What the file shows, and what is in its blocks. */
static unsigned char shows[BLOCKS], holds[BLOCKS];

void granter_init(void)
{
	device = open(opt.device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device < 0)
		die("%s: %s", opt.device, strerror(errno));
}

static bool is_filled(const char *data, unsigned char byte)
{
	return data[0] == (char)byte && !memcmp(data, data + 1, BLOCK - 1);
}

static void check(struct worker *w, int fd, unsigned int first, unsigned int nr,
		  const char *when)
{
	ssize_t n = pread(fd, w->check, (size_t)nr * BLOCK, (off_t)first * BLOCK);

	if (n != (ssize_t)nr * BLOCK) {
		violation(w, "granted: read of %u+%u %s: %s", first, nr, when,
			  n < 0 ? strerror(errno) : "short");
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (!is_filled(w->check + (size_t)i * BLOCK, shows[first + i]))
			violation(w, "granted: block %u does not show 0x%02x %s",
				  first + i, shows[first + i], when);
}

/* Unwritten but for the first blocks; sealed when this returns true. */
static bool make(struct worker *w, int fd)
{
	struct seal_files report = { 0 };
	int ret;

	memset(shows, 0, sizeof(shows));
	memset(w->buf, 'p', PLACED * BLOCK);
	memset(shows, 'p', PLACED);
	memcpy(holds, shows, sizeof(shows));
	if (fallocate(fd, 0, 0, BLOCKS * BLOCK) ||
	    pwrite(fd, w->buf, PLACED * BLOCK, 0) != PLACED * BLOCK ||
	    fsync(fd)) {
		/* the torture fills the filesystem at times */
		if (errno != ENOSPC)
			violation(w, "granted: not made: %s", strerror(errno));
		return false;
	}
	ret = seal_files(w->session, &fd, 1, 0, SEAL_REQ_ALLOCATED, 0, &report);
	if (ret && ret != -EBUSY)
		violation(w, "granted: not sealed: %s (%s)", strerror(-ret),
			  (char *)report.reason);
	return !ret;
}

/* What a client on another machine does. */
static bool write_blocks(struct worker *w, int fd, unsigned int first,
			 unsigned int nr, unsigned char byte)
{
	struct seal_grant_extent extents[BLOCKS];
	uint64_t offset = (uint64_t)first * BLOCK, end = offset + nr * BLOCK;
	struct seal_grant grant;
	int got = 0, ret;

	while (offset < end) {
		ret = seal_grant(w->session, fd, 0, offset, end - offset,
				 extents + got, BLOCKS - got, &grant);
		if (ret == -EBUSY)	/* somebody has a page of it */
			return false;
		if (ret <= 0 || !grant.done) {
			violation(w, "granted: grant of %u+%u: %s (%s)", first,
				  nr, strerror(-ret), (char *)grant.reason);
			return false;
		}
		got += ret;
		offset += grant.done;
	}
	memset(w->buf, byte, (size_t)nr * BLOCK);
	for (int i = 0; i < got; i++)
		if (pwrite(device, w->buf, extents[i].length,
			   extents[i].physical) != (ssize_t)extents[i].length)
			die("write to the device: %s", strerror(errno));
	memset(holds + first, byte, nr);
	nr_grants++;
	return true;
}

static void commit(struct worker *w, int fd, unsigned int first, unsigned int nr)
{
	const struct seal_commit_range range = {
		(uint64_t)first * BLOCK, (uint64_t)nr * BLOCK,
	};
	struct seal_commit result;
	int ret, tries = 0;

	do {
		ret = seal_commit(w->session, fd, &range, 1, 0, &result);
	} while (ret == -EBUSY && ++tries < 20);
	if (ret) {
		violation(w, "granted: commit of %u+%u: %s (%s)", first, nr,
			  strerror(-ret), (char *)result.reason);
		return;
	}
	memcpy(shows + first, holds + first, nr);
	nr_commits++;
}

static void rounds(struct worker *w, int fd)
{
	bool committed[BLOCKS] = { 0 };

	for (int round = 0; round < ROUNDS && !stopping; round++) {
		unsigned int first = FIRST + rng_below(&w->rng, LAST - FIRST);
		unsigned int nr = 1 + rng_below(&w->rng, 8);
		bool fresh = true;

		if (first + nr > LAST)
			nr = LAST - first;
		for (unsigned int i = first; i < first + nr; i++)
			fresh &= !committed[i];
		note(w, "grant blocks %u+%u", first, nr);
		if (!write_blocks(w, fd, first, nr,
				  1 + rng_below(&w->rng, 255)))
			continue;
		/* unwritten blocks show zeros whatever is in them */
		if (fresh)
			check(w, fd, first, nr, "before the commit");
		if (fresh && !rng_below(&w->rng, 4))
			continue;
		note(w, "commit blocks %u+%u", first, nr);
		commit(w, fd, first, nr);
		memset(committed + first, true, nr);
		check(w, fd, first, nr, "after the commit");
		w->beats++;
	}
	/* what was written and never committed is nobody's to see */
	check(w, fd, 0, BLOCKS, "at the end");
}

static void addresses(struct worker *w, int fd, uint64_t *address)
{
	struct map map;
	int ret = map_read(fd, false, &map);

	memset(address, 0, BLOCKS * sizeof(*address));
	if (ret) {
		violation(w, "granted: FIEMAP: %s", strerror(-ret));
		return;
	}
	for (unsigned int i = 0; i < map.nr; i++)
		for (uint64_t at = 0; at < map.extent[i].length; at += BLOCK)
			if ((map.extent[i].logical + at) / BLOCK < BLOCKS)
				address[(map.extent[i].logical + at) / BLOCK] =
					map.extent[i].physical + at;
	map_free(&map);
}

static void cycle(struct worker *w)
{
	uint64_t before[BLOCKS], after[BLOCKS];
	struct seal_status status;
	int fd, ret;

	note(w, "make the file whose blocks are granted");
	pthread_rwlock_wrlock(&lock);
	fd = file_open(&granted, O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0 || !make(w, fd)) {
		pthread_rwlock_unlock(&lock);
		if (fd >= 0)
			close(fd);
		return;
	}
	epoch++;
	pthread_rwlock_unlock(&lock);

	addresses(w, fd, before);
	rounds(w, fd);
	addresses(w, fd, after);
	if (memcmp(before, after, sizeof(before)))
		violation(w, "granted: blocks moved while sealed");
	ret = seal_status(w->session, fd, &status);
	if (ret || status.flags & SEAL_STATUS_BROKEN)
		violation(w, "granted: STATUS: %s, flags %#x", strerror(-ret),
			  ret ? 0 : status.flags);

	pthread_rwlock_wrlock(&lock);
	epoch++;
	pthread_rwlock_unlock(&lock);
	ret = seal_unseal(w->session, fd, 0);
	if (ret)
		violation(w, "granted: unseal: %s", strerror(-ret));
	/* as everybody sees it who opens it later */
	check(w, fd, 0, BLOCKS, "after unsealing");
	close(fd);
}

/* Anything that would change where its blocks are; 0 or -errno. */
static long attack(struct worker *w, int fd)
{
	uint64_t at = (uint64_t)rng_below(&w->rng, BLOCKS) * BLOCK;
	struct file_clone_range clone = { .src_fd = fd };
	long ret;
	int scratch;

	switch (rng_below(&w->rng, 5)) {
	case 0:
		note(w, "punch the granted file");
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, at, BLOCK) ? -errno : 0;
		/* its own word for "sealed" */
		return ret == -EOPNOTSUPP ? -ETXTBSY : ret;
	case 1:
		note(w, "truncate the granted file");
		return ftruncate(fd, at) ? -errno : 0;
	case 2:
		note(w, "write to the granted file");
		at = (LAST + rng_below(&w->rng, BLOCKS - LAST)) * BLOCK;
		return pwrite(fd, w->buf, BLOCK, at) < 0 ? -errno : 0;
	case 3:
		note(w, "collapse the granted file");
		return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE,
				 at % (BLOCKS / 2 * BLOCK), BLOCK) ? -errno : 0;
	default:
		note(w, "clone the granted file");
		scratch = scratch_open(w);
		if (scratch < 0)
			return -EAGAIN;
		ret = ioctl(scratch, FICLONERANGE, &clone) ? -errno : 0;
		close(scratch);
		/* without reflink */
		return ret == -EOPNOTSUPP ? -EAGAIN : ret;
	}
}

void *granter_main(void *arg)
{
	struct worker *w = arg;

	while (!stopping) {
		pthread_rwlock_rdlock(&world);
		pthread_rwlock_rdlock(&rest);
		rng_start(&w->rng, opt.seed, w->number, w->op);
		cycle(w);
		pthread_rwlock_unlock(&rest);
		pthread_rwlock_unlock(&world);
		w->op++;
		w->beats++;
	}
	return NULL;
}

void *taker_main(void *arg)
{
	const struct timespec moment = { 0, 5000000 };
	struct worker *w = arg;
	long ret;
	int fd;

	for (; !stopping; w->op++, w->beats++) {
		nanosleep(&moment, NULL);
		pthread_rwlock_rdlock(&world);
		pthread_rwlock_rdlock(&lock);
		rng_start(&w->rng, opt.seed, w->number, w->op);
		fd = epoch & 1 ? file_open(&granted, O_RDWR) : -1;
		if (fd >= 0) {
			ret = attack(w, fd);
			/* the lock keeps it sealed */
			if (ret != -ETXTBSY && ret != -EAGAIN)
				violation(w, "granted: sealed, and not refused: %s",
					  ret ? strerror(-ret) : "success");
			nr_taken++;
			close(fd);
		}
		pthread_rwlock_unlock(&lock);
		pthread_rwlock_unlock(&world);
	}
	return NULL;
}
