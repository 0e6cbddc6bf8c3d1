// SPDX-License-Identifier: GPL-2.0-only
/*
 * The extents of a file in their shortest form, see plain_map.h.
 */
#include <errno.h>
#include <linux/fiemap.h>

#include "base/plain_map.h"

int plain_map_open(struct plain_map *plain, int fd)
{
	*plain = (struct plain_map){ 0 };
	return seal_map_open(fd, &plain->map);
}

void plain_map_close(struct plain_map *plain)
{
	seal_map_close(plain->map);
	plain->map = NULL;
}

static int next_allocated(struct plain_map *plain, struct seal_extent *extent)
{
	int ret;

	if (plain->have_next) {
		*extent = plain->next;
		plain->have_next = false;
		return 1;
	}
	do {
		ret = seal_map_next(plain->map, extent);
	} while (ret > 0 && extent->state == SEAL_RANGE_HOLE);
	if (ret > 0 && (extent->state == SEAL_RANGE_NONE ||
			extent->state == SEAL_RANGE_DELALLOC))
		return -EOPNOTSUPP;
	return ret;
}

static bool is_unwritten(const struct seal_extent *extent)
{
	return extent->flags & FIEMAP_EXTENT_UNWRITTEN;
}

int plain_map_next(struct plain_map *plain, struct plain_extent *extent)
{
	struct seal_extent part;
	int ret;

	ret = next_allocated(plain, &part);
	if (ret <= 0)
		return ret;
	*extent = (struct plain_extent){
		.logical = part.logical,
		.physical = part.physical,
		.length = part.length,
		.unwritten = is_unwritten(&part),
	};
	while ((ret = next_allocated(plain, &part)) > 0) {
		if (part.logical != extent->logical + extent->length ||
		    part.physical != extent->physical + extent->length ||
		    is_unwritten(&part) != extent->unwritten) {
			plain->next = part;
			plain->have_next = true;
			break;
		}
		extent->length += part.length;
	}
	return ret < 0 ? ret : 1;
}
