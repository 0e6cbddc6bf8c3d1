// SPDX-License-Identifier: GPL-2.0-only
/* Sealing, looking, unsealing: the oracles of a sealed file. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static const struct {
	unsigned int flag;
	const char *what;
} bad_flags[] = {
	{ SEAL_STATUS_REPAIRED, "the inode flag was lost" },
	{ SEAL_STATUS_DISARMED, "gates are switched off" },
	{ SEAL_STATUS_MISSED, "a gate missed calls" },
#ifdef SEAL_STATUS_BROKEN
	{ SEAL_STATUS_BROKEN, "the seal was broken" },
#endif
};

static bool look(struct worker *w, const char *name, int fd,
		 struct seal_status *status)
{
	int ret;

	memset(status, 0, sizeof(*status));
	ret = seal_status(w->session, fd, status);
	if (ret) {
		violation(w, "%s: STATUS: %s", name, strerror(-ret));
		return false;
	}
	if ((status->flags & (SEAL_STATUS_SEALED | SEAL_STATUS_HELD)) !=
	    (SEAL_STATUS_SEALED | SEAL_STATUS_HELD))
		violation(w, "%s: this session sealed it, STATUS does not know (%#x)",
			  name, status->flags);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_flags); i++)
		if (status->flags & bad_flags[i].flag)
			violation(w, "%s: STATUS: %s", name, bad_flags[i].what);
	return true;
}

/* What of the file is overwritten in place, for as long as it is sealed. */
static void publish(struct file *f, const struct seal_status *status)
{
	uint64_t covered = 0;

	memset(f->in_place, 0, sizeof(f->in_place));
	f->sealed_size = status->file_size;
	f->digest = status->digest;
	/* nothing at all, if XFS redirects the writes of the inode */
	for (unsigned int i = 0; status->in_place && i < f->map.nr; i++) {
		const struct extent *e = &f->map.extent[i];

		if (e->unwritten)
			continue;
		for (uint64_t at = e->logical; at < e->logical + e->length;
		     at += BLOCK) {
			if (at / BLOCK < FILE_BLOCKS)
				f->in_place[at / BLOCK] = true;
			covered += at < f->sealed_size;
		}
	}
	f->any_in_place = covered;
	f->all_in_place = covered == (f->sealed_size + BLOCK - 1) / BLOCK;
}

static void compare(struct worker *w, struct file *f, int fd, bool sync,
		    const char *when)
{
	struct seal_status status;
	struct stat st;
	struct map map;
	int ret;

	ret = map_read(fd, sync, &map);
	if (ret) {
		violation(w, "%s: FIEMAP: %s", f->name, strerror(-ret));
		return;
	}
	nr_maps++;
	if (!map_same(&map, &f->map)) {
		violation(w, "%s: the map of a sealed file changed, seen %s",
			  f->name, when);
		map_print("as sealed", &f->map);
		map_print("now", &map);
	}
	map_free(&map);
	if (fstat(fd, &st) || (uint64_t)st.st_size != f->sealed_size)
		violation(w, "%s: the size of a sealed file changed from %llu to %llu, seen %s",
			  f->name, (unsigned long long)f->sealed_size,
			  (unsigned long long)st.st_size, when);
	if (look(w, f->name, fd, &status) && status.digest != f->digest)
		violation(w, "%s: the digest of a sealed file changed, seen %s",
			  f->name, when);
}

static void hold(struct worker *w, struct file *f, int fd)
{
	struct seal_status status;
	int ret;

	pthread_mutex_lock(&f->seal_lock);
	if (f->holders++) {
		compare(w, f, fd, false, "after sealing it again");
	} else {
		ret = map_read(fd, false, &f->map);
		if (ret)
			violation(w, "%s: FIEMAP: %s", f->name, strerror(-ret));
		if (look(w, f->name, fd, &status)) {
			publish(f, &status);
			f->epoch++;
		} else {
			/* nobody may rely on it: stays unpublished */
			f->epoch += 2;
		}
	}
	pthread_mutex_unlock(&f->seal_lock);
}

static void release(struct worker *w, struct file *f, int fd)
{
	pthread_mutex_lock(&f->seal_lock);
	compare(w, f, fd, rng_below(&w->rng, 2), "before unsealing");
	if (!--f->holders) {
		f->epoch += f->epoch & 1 ? 1 : 2;
		map_free(&f->map);
	}
	pthread_mutex_unlock(&f->seal_lock);
}

/* From here on the file may refuse, or again may not. */
static void busy(struct file *f, int change)
{
	f->busy += change;
	f->busy_changes++;
}

static void prepared(struct worker *w, const struct watch *x, const char *what,
		     int ret)
{
	const struct file *f = x->f;

	switch (ret) {
	case 0:
	case -ETXTBSY:		/* another session sealed it */
	case -EBUSY:		/* others undo what it does */
	case -EOPNOTSUPP:	/* ext4 without extents */
		return;
	case -EIO:
		/* as in may_fail(); or it was sealed for a moment */
		if (f->class != CACHED || !watch_unsealed(x))
			return;
	}
	violation(w, "%s %s: %s", what, f->name, strerror(-ret));
}

/*
 * Make something of the file that can be written in place; others are at work,
 * so it need not come to that. Contents must stay what they are.
 */
static void prepare(struct worker *w, struct file *f)
{
	bool unshare = rng_below(&w->rng, 2), fill = rng_below(&w->rng, 2);
	int fd = file_open(f, O_RDWR);
	struct watch x;

	if (fd < 0)
		return;
	watch_begin(&x, f);
	if (unshare)
		prepared(w, &x, "unsharing", seal_unshare(w->session, fd, 0, 0));
	if (fill)
		prepared(w, &x, "preallocating",
			 seal_prealloc(w->session, fd, SEAL_PREALLOC_WRITTEN,
				       0, 0));
	close(fd);
}

static bool may_fail(const struct file *f, int ret)
{
	switch (ret) {
	case -EBADFD:	/* a requirement */
	case -EBUSY:	/* frozen, or restless */
		return true;
	case -EIO:
		/*
		 * Cached and direct writes side by side: what one of them
		 * lost is told at the next fsync.
		 */
		return f->class != CACHED;
	}
	return false;
}

static int seal(struct worker *w, struct file **list, const int *fds,
		unsigned int nr)
{
	struct seal_files report = { 0 };
	uint32_t require = rng_below(&w->rng, 8) ? 0 :
			   SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
			   SEAL_REQ_UNSHARED;
	struct timespec a, b;
	struct file *bad;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &a);
	ret = seal_files(w->session, fds, nr, 0, require, 0, &report);
	clock_gettime(CLOCK_MONOTONIC, &b);
	seal_us += (b.tv_sec - a.tv_sec) * 1000000 +
		   (b.tv_nsec - a.tv_nsec) / 1000;
	nr_seal_calls++;
	if (!ret) {
		nr_seals += nr;
		return 0;
	}
	nr_seal_failed += nr;
	bad = report.bad_index < nr ? list[report.bad_index] : list[0];
	if (!may_fail(bad, ret))
		violation(w, "sealing %s: %s (%s)", bad->name, strerror(-ret),
			  (char *)report.reason);
	return ret;
}

/*
 * A slow kernel seals slowly; a seal is held longer there, so that somebody
 * writes meanwhile.
 */
static unsigned int longest_ms(void)
{
	unsigned long calls = nr_seal_calls;

	return 250 + (calls ? seal_us / calls / 1000 : 0);
}

static void cycle(struct worker *w)
{
	struct file *list[2];
	int fds[2];
	unsigned int nr = 1 + !rng_below(&w->rng, 3);
	unsigned int looks = rng_below(&w->rng, 3);
	unsigned int ms = rng_below(&w->rng, longest_ms());
	int ret;

	list[0] = pick_file(w, rng_below(&w->rng, 3));
	list[1] = pick_file(w, rng_below(&w->rng, 2));
	if (list[0] == list[1])
		nr = 1;
	note(w, "seal %s%s%s", list[0]->name, nr > 1 ? " and " : "",
	     nr > 1 ? list[1]->name : "");
	for (unsigned int i = 0; i < nr; i++) {
		if (rng_below(&w->rng, 3))
			prepare(w, list[i]);
		fds[i] = file_open(list[i], O_RDONLY);
		busy(list[i], 1);
	}
	ret = seal(w, list, fds, nr);
	if (!ret) {
		for (unsigned int i = 0; i < nr; i++)
			hold(w, list[i], fds[i]);
		for (unsigned int j = 0; j < looks; j++) {
			pause_ms(ms / (looks + 1));
			for (unsigned int i = 0; i < nr; i++) {
				pthread_mutex_lock(&list[i]->seal_lock);
				compare(w, list[i], fds[i], false, "meanwhile");
				pthread_mutex_unlock(&list[i]->seal_lock);
			}
		}
		pause_ms(ms / (looks + 1));
		for (unsigned int i = 0; i < nr; i++)
			release(w, list[i], fds[i]);
		/* one by one, or all that the session holds */
		if (rng_below(&w->rng, 4)) {
			for (unsigned int i = 0; i < nr; i++) {
				ret = seal_unseal(w->session, fds[i], 0);
				if (ret)
					violation(w, "%s: unseal: %s",
						  list[i]->name, strerror(-ret));
			}
		} else {
			pthread_mutex_lock(&spawning);
			seal_close(w->session);
			pthread_mutex_unlock(&spawning);
			ret = seal_open(&w->session);
			if (ret)
				die("seal_open: %s", strerror(-ret));
		}
	}
	for (unsigned int i = 0; i < nr; i++) {
		close(fds[i]);
		busy(list[i], -1);
	}
}

void *sealer_main(void *arg)
{
	struct worker *w = arg;

	while (!stopping) {
		pthread_rwlock_rdlock(&rest);
		rng_start(&w->rng, opt.seed, w->number, w->op);
		cycle(w);
		pthread_rwlock_unlock(&rest);
		w->op++;
		w->beats++;
	}
	return NULL;
}

/*
 * One file that is sealed nearly all the time: or else every seal would attach
 * the gates and detach them again, which takes longer than everything else.
 */
static int pin_fd = -1;
static struct map pin_map;

void pin_make(struct worker *w)
{
	static const struct file pin = { .name = "pin" };
	int fd = file_open(&pin, O_RDWR | O_CREAT | O_TRUNC);

	memset(w->buf, 'p', 4 * BLOCK);
	if (pwrite(fd, w->buf, 4 * BLOCK, 0) != 4 * BLOCK || fsync(fd))
		die("pin: %s", strerror(errno));
	close(fd);
	pin_fd = file_open(&pin, O_RDONLY);
}

void pin_seal(struct worker *w)
{
	struct seal_files report = { 0 };
	int ret;

	/* frozen, for moments only */
	do {
		ret = seal_files(w->session, &pin_fd, 1, 0, SEAL_REQ_ALLOCATED,
				 0, &report);
	} while (ret == -EBUSY);
	if (ret)
		die("sealing the pinned file: %s (%s)", strerror(-ret),
		    (char *)report.reason);
	nr_seals++;
	if (map_read(pin_fd, false, &pin_map))
		die("FIEMAP: %s", strerror(errno));
}

void pin_release(struct worker *w)
{
	struct seal_status status;
	struct map map;
	int ret;

	look(w, "pin", pin_fd, &status);
	if (map_read(pin_fd, true, &map))
		die("FIEMAP: %s", strerror(errno));
	nr_maps++;
	if (!map_same(&map, &pin_map))
		violation(w, "the map of the pinned file changed");
	map_free(&map);
	map_free(&pin_map);
	ret = seal_unseal(w->session, pin_fd, 0);
	if (ret)
		violation(w, "unsealing the pinned file: %s", strerror(-ret));
}
