// SPDX-License-Identifier: GPL-2.0-only
/* Reading a block map, with FIEMAP. */
#include "torture.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define BATCH 256

/* Others can unshare a block: how an answer is cut by that is no change. */
static void add(struct map *map, const struct fiemap_extent *e)
{
	struct extent *last = map->nr ? &map->extent[map->nr - 1] : NULL;
	bool unwritten = e->fe_flags & FIEMAP_EXTENT_UNWRITTEN;

	if (last && last->logical + last->length == e->fe_logical &&
	    last->physical + last->length == e->fe_physical &&
	    last->unwritten == unwritten) {
		last->length += e->fe_length;
		return;
	}
	if (map->nr == map->room) {
		map->room = map->room ? 2 * map->room : 64;
		map->extent = realloc(map->extent,
				      map->room * sizeof(*map->extent));
		if (!map->extent)
			die("no memory");
	}
	map->extent[map->nr++] = (struct extent){
		e->fe_logical, e->fe_physical, e->fe_length, unwritten,
	};
}

int map_read(int fd, bool sync, struct map *map)
{
	static __thread union {
		struct fiemap fm;
		char room[sizeof(struct fiemap) +
			  BATCH * sizeof(struct fiemap_extent)];
	} u;
	uint64_t start = 0;
	bool last = false;

	memset(map, 0, sizeof(*map));
	while (!last) {
		memset(&u.fm, 0, sizeof(u.fm));
		u.fm.fm_start = start;
		u.fm.fm_length = FIEMAP_MAX_OFFSET - start;
		u.fm.fm_flags = sync ? FIEMAP_FLAG_SYNC : 0;
		u.fm.fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, &u.fm))
			return -errno;
		if (!u.fm.fm_mapped_extents)
			break;
		for (unsigned int i = 0; i < u.fm.fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &u.fm.fm_extents[i];

			add(map, e);
			start = e->fe_logical + e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	return 0;
}

bool map_same(const struct map *a, const struct map *b)
{
	if (a->nr != b->nr)
		return false;
	for (unsigned int i = 0; i < a->nr; i++) {
		const struct extent *x = &a->extent[i], *y = &b->extent[i];

		if (x->logical != y->logical || x->physical != y->physical ||
		    x->length != y->length || x->unwritten != y->unwritten)
			return false;
	}
	return true;
}

void map_free(struct map *map)
{
	free(map->extent);
	memset(map, 0, sizeof(*map));
}

void map_print(const char *title, const struct map *map)
{
	printf("  %s: %u extents\n", title, map->nr);
	for (unsigned int i = 0; i < map->nr; i++) {
		const struct extent *e = &map->extent[i];

		printf("    %7llu +%6llu at %10llu%s\n",
		       (unsigned long long)e->logical / BLOCK,
		       (unsigned long long)e->length / BLOCK,
		       (unsigned long long)e->physical / BLOCK,
		       e->unwritten ? " unwritten" : "");
	}
}
