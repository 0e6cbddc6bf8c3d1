// SPDX-License-Identifier: GPL-2.0-only
/* One rare operation against a file of its own. */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 8

static int victim_open(struct worker *w, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%u", opt.dir, name, w->number);
	if (flags & O_CREAT)
		unlink(path);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void fill(struct worker *w, int fd)
{
	memset(w->buf, 'v', BLOCKS * BLOCK);
	if (pwrite(fd, w->buf, BLOCKS * BLOCK, 0) != BLOCKS * BLOCK)
		die("victim: write: %s", strerror(errno));
}

static void try_it(struct worker *w, const struct attack *a, struct victim *v)
{
	struct map before, after;
	struct seal_files report;
	bool absent;
	long ret;

	ret = seal_files(w->session, &v->reader, 1, 0, 0, 0, &report);
	if (ret) {
		/* frozen meanwhile */
		if (ret != -EBUSY)
			violation(w, "sealing a victim: %s (%s)",
				  strerror(-ret), (char *)report.reason);
		return;
	}
	if (map_read(v->reader, false, &before))
		die("FIEMAP: %s", strerror(errno));
	ret = a->change(w, v);
	count(w, ret);
	/* what this kind of filesystem does not have, see below */
	absent = ret == -EOPNOTSUPP;
	if (!absent && (a->passes_by ? ret : ret != -ETXTBSY))
		violation(w, "%s on a sealed file: %s", a->name,
			  ret < 0 ? strerror(-ret) : "success");
	if (map_read(v->reader, true, &after))
		die("FIEMAP: %s", strerror(errno));
	if (!map_same(&before, &after)) {
		violation(w, "%s changed the map of a sealed file", a->name);
		map_print("before", &before);
		map_print("after", &after);
	}
	nr_maps++;
	map_free(&before);
	map_free(&after);
	ret = seal_unseal(w->session, v->reader, 0);
	if (ret)
		violation(w, "unsealing a victim: %s", strerror(-ret));
	else if (absent && a->change(w, v) != -EOPNOTSUPP)
		violation(w, "%s: not supported on a sealed file only", a->name);
}

void attack(struct worker *w, const struct attack *attacks, unsigned int nr)
{
	const struct attack *a = &attacks[rng_below(&w->rng, nr)];
	struct victim v;
	long ret;

	/* while all seals are to go, none is added */
	if (opt.no_seal || pthread_rwlock_tryrdlock(&rest))
		return;
	note(w, "%s on a file of its own", a->name);
	v.fd = victim_open(w, "victim", O_RDWR | O_CREAT);
	v.reader = victim_open(w, "victim", O_RDONLY);
	v.other = victim_open(w, "other", O_RDWR | O_CREAT);
	fill(w, v.fd);
	fill(w, v.other);
	ret = a->prepare ? a->prepare(w, &v) : 0;
	if (a->only_reader) {
		close(v.fd);
		v.fd = -1;
	}
	if (ret)
		count(w, ret);
	else
		try_it(w, a, &v);
	if (v.fd >= 0)
		close(v.fd);
	close(v.reader);
	close(v.other);
	/* no orphans: they keep a filesystem from being remounted read-only */
	close(victim_open(w, "victim", O_RDWR | O_TRUNC));
	pthread_rwlock_unlock(&rest);
}
