// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Iterator over the extents of a file, holes included.
 */
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/map.h"
#include "core/private.h"

static int load(struct seal_map *map)
{
	struct fiemap *fm = map->batch;
	int ret;

	fm->fm_start = map->pos;
	fm->fm_length = FIEMAP_MAX_OFFSET - map->pos;
	fm->fm_flags = FIEMAP_FLAG_SYNC;
	fm->fm_mapped_extents = 0;
	fm->fm_extent_count = MAP_BATCH;
	ret = seal_ioctl(map->fd, FS_IOC_FIEMAP, fm);
	if (ret)
		return ret;
	map->next = 0;
	map->end = !fm->fm_mapped_extents;
	return 0;
}

static uint32_t place_flags(const struct seal_place *place)
{
	switch (place->state) {
	case SEAL_RANGE_UNWRITTEN:
		return FIEMAP_EXTENT_UNWRITTEN;
	case SEAL_RANGE_DELALLOC:
		return FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN;
	default:
		return 0;
	}
}

/* As load(), by SEAL_IOC_PLACES. */
static int load_places(struct seal_map *map)
{
	struct seal_places places = {
		.size = sizeof(places),
		.fd = map->fd,
		.nr_extents = MAP_BATCH,
		.extents = (uintptr_t)map->places,
		.offset = map->pos,
	};
	struct fiemap *fm = map->batch;
	unsigned int i, nr;
	int ret;

	ret = seal_ioctl(map->session->fd, SEAL_IOC_PLACES, &places);
	if (ret == -ENOTTY) {
		map->load = load;
		return load(map);
	}
	if (ret)
		return ret;
	nr = places.nr_extents < MAP_BATCH ? places.nr_extents : MAP_BATCH;
	for (i = 0; i < nr; i++) {
		const struct seal_place *place = &map->places[i];

		fm->fm_extents[i] = (struct fiemap_extent){
			.fe_logical = place->logical,
			.fe_physical = place->physical,
			.fe_length = place->length,
			.fe_flags = place_flags(place),
		};
	}
	if (nr && nr < MAP_BATCH)
		fm->fm_extents[nr - 1].fe_flags |= FIEMAP_EXTENT_LAST;
	fm->fm_mapped_extents = nr;
	map->next = 0;
	map->end = !nr;
	return 0;
}

int map_ask_seal(struct seal_map *map, const struct seal_session *session)
{
	map->places = calloc(MAP_BATCH, sizeof(map->places[0]));
	if (!map->places)
		return -ENOMEM;
	map->session = session;
	map->load = load_places;
	return 0;
}

/*
 * The next extent that ends beyond map->pos, or NULL. A filesystem reports the
 * whole extent if the request began inside it, and the map may have changed
 * between two batches; so parts that were reported before are skipped.
 */
static const struct fiemap_extent *peek(struct seal_map *map, int *error)
{
	const struct fiemap_extent *fe;

	*error = 0;
	while (!map->end) {
		if (map->next == map->batch->fm_mapped_extents) {
			*error = map->load(map);
			if (*error)
				return NULL;
			continue;
		}
		fe = &map->batch->fm_extents[map->next];
		/* skip empty extents, too */
		if (fe->fe_length && fe->fe_logical + fe->fe_length > map->pos)
			return fe;
		map->next++;
		map->end = fe->fe_flags & FIEMAP_EXTENT_LAST;
	}
	return NULL;
}

static int hole(struct seal_map *map, struct seal_extent *extent, uint64_t end)
{
	*extent = (struct seal_extent){
		.logical = map->pos,
		.length = end - map->pos,
		.state = SEAL_RANGE_HOLE,
	};
	map->pos = end;
	return 1;
}

static int next(struct seal_map *map, struct seal_extent *extent)
{
	const struct fiemap_extent *fe;
	uint64_t skip;
	int error;

	fe = peek(map, &error);
	if (error)
		return error;
	if (!fe)
		return map->pos < map->eof ? hole(map, extent, map->eof) : 0;
	if (fe->fe_logical > map->pos) {
		/* Beyond EOF holes are not reported. */
		if (map->pos < map->eof)
			return hole(map, extent, fe->fe_logical < map->eof ?
				    fe->fe_logical : map->eof);
		map->pos = fe->fe_logical;
	}
	skip = map->pos - fe->fe_logical;
	*extent = (struct seal_extent){
		.logical = map->pos,
		.length = fe->fe_length - skip,
		.state = seal_extent_state(fe->fe_flags),
		.flags = fe->fe_flags,
	};
	if (extent->state != SEAL_RANGE_NONE &&
	    extent->state != SEAL_RANGE_DELALLOC)
		extent->physical = fe->fe_physical + skip;
	map->pos = fe->fe_logical + fe->fe_length;
	map_digest_add(&map->digest, extent);
	return 1;
}

SEAL_EXPORT int seal_map_next_sized(struct seal_map *map,
				    struct seal_extent *extent, size_t size)
{
	struct seal_extent whole;
	int ret = next(map, &whole);

	if (ret > 0)
		seal_give(extent, size, &whole, sizeof(whole));
	return ret;
}

SEAL_EXPORT int seal_map_open(int fd, struct seal_map **map)
{
	struct seal_map *new;
	struct stat st;
	int block;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* st_blksize is a hint for I/O and may be many blocks. */
	if (ioctl(fd, FIGETBSZ, &block) < 0 || block <= 0)
		block = (int)st.st_blksize;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->batch = calloc(1, sizeof(*new->batch) +
			    MAP_BATCH * sizeof(new->batch->fm_extents[0]));
	if (!new->batch) {
		free(new);
		return -ENOMEM;
	}
	new->fd = fd;
	new->load = load;
	new->device = st.st_dev;
	map_digest_begin(&new->digest);
	new->eof = ((uint64_t)st.st_size + block - 1) / block * block;
	*map = new;
	return 0;
}

SEAL_EXPORT int seal_map_digest(struct seal_map *map, uint64_t *digest)
{
	if (!map->end || map->pos < map->eof)
		return -EBUSY;
	if (!map->digest.plain)
		return -EOPNOTSUPP;
	*digest = map_digest_end(&map->digest);
	return 0;
}

SEAL_EXPORT void seal_map_close(struct seal_map *map)
{
	if (!map)
		return;
	free(map->places);
	free(map->batch);
	free(map);
}
