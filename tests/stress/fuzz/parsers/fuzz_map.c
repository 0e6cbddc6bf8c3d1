// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iterator over extents, fed with answers no filesystem should give: it
 * must end, go forward only, and never report a byte twice.
 */
#include <linux/fiemap.h>
#include <stdlib.h>
#include <string.h>

#include "core/map.h"
#include "core/private.h"
#include "parsers.h"

#define MAX_LOADS 20

static struct input input;
static unsigned int loads;

static int fake_load(struct seal_map *map)
{
	unsigned int i, nr = input_byte(&input);

	if (++loads > MAX_LOADS)
		nr = 0;
	if (nr > MAP_BATCH)
		nr = MAP_BATCH;
	for (i = 0; i < nr && input.size; i++) {
		struct fiemap_extent *fe = &map->batch->fm_extents[i];
		uint8_t shift = input_byte(&input) % 64;

		fe->fe_logical = input_number(&input) >> shift;
		fe->fe_length = input_number(&input) >> shift;
		fe->fe_physical = input_number(&input);
		fe->fe_flags = (uint32_t)input_number(&input);
		/* the kernel's extents end within what an offset can hold */
		if (fe->fe_logical > INT64_MAX)
			fe->fe_logical = INT64_MAX;
		if (fe->fe_length > INT64_MAX - fe->fe_logical)
			fe->fe_length = INT64_MAX - fe->fe_logical;
	}
	map->batch->fm_mapped_extents = i;
	map->next = 0;
	map->end = !i;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fiemap *batch = calloc(1, sizeof(*batch) + MAP_BATCH *
				      sizeof(batch->fm_extents[0]));
	struct seal_map map = { .fd = -1, .load = fake_load, .batch = batch };
	struct seal_extent extent;
	uint64_t pos = 0;
	int ret;

	must(batch);
	input = (struct input){ data, size };
	loads = 0;
	map.eof = input_number(&input) >> 1;
	while ((ret = seal_map_next(&map, &extent)) > 0) {
		must(extent.length);
		must(extent.logical >= pos);
		must(extent.length <= UINT64_MAX - extent.logical);
		if (extent.state == SEAL_RANGE_HOLE)
			must(extent.logical + extent.length <= map.eof);
		/* up to EOF nothing is left out */
		if (pos < map.eof)
			must(extent.logical == pos);
		pos = extent.logical + extent.length;
		must(*seal_range_state_name(extent.state));
	}
	must(!ret);
	must(pos >= map.eof);
	free(batch);
	return 0;
}
