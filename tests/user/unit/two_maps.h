/* SPDX-License-Identifier: GPL-2.0-only */
/* Two made-up maps, for what compares maps. */
#ifndef TWO_MAPS_H
#define TWO_MAPS_H

#include <linux/fiemap.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/diff.h"
#include "core/map.h"
#include "unit.h"

#define K 1024ULL

struct layout {
	unsigned int nr;
	struct fiemap_extent extents[8];
};

static struct layout layouts[2];
static struct seal_diff diff;
static FILE *file;

static int load(struct seal_map *map)
{
	struct layout *layout = map == diff.old.map ? &layouts[0] : &layouts[1];
	unsigned int i, n = 0;

	for (i = 0; i < layout->nr; i++)
		if (layout->extents[i].fe_logical +
		    layout->extents[i].fe_length > map->pos)
			map->batch->fm_extents[n++] = layout->extents[i];
	map->batch->fm_mapped_extents = n;
	map->next = 0;
	map->end = !n;
	return 0;
}

static void add(int which, uint64_t logical, uint64_t physical,
		uint64_t length, uint32_t flags)
{
	layouts[which].extents[layouts[which].nr++] = (struct fiemap_extent){
		.fe_logical = logical,
		.fe_physical = physical,
		.fe_length = length,
		.fe_flags = flags,
	};
}

static void side(struct diff_side *side, uint64_t size)
{
	side->fd = fileno(file);
	side->size = size;
	ck_assert_int_eq(ftruncate(side->fd, (off_t)size), 0);
	ck_assert_int_eq(seal_map_open(side->fd, &side->map), 0);
	side->map->load = load;
}

static void begin(uint64_t old_size, uint64_t new_size)
{
	side(&diff.old, old_size);
	side(&diff.new, new_size);
}

static void setup(void)
{
	memset(layouts, 0, sizeof(layouts));
	memset(&diff, 0, sizeof(diff));
	diff.same_filesystem = true;
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
}

static void teardown(void)
{
	seal_map_close(diff.old.map);
	seal_map_close(diff.new.map);
	fclose(file);
}

#endif /* TWO_MAPS_H */
