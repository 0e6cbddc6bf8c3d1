// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What differs between two maps, as a bitmap.
 */
#include <errno.h>

#include "core/bitmap.h"
#include "core/private.h"

#define SECTOR 512ULL

#define MIN_CLUSTER (64U << 10)
#define MAX_CLUSTER (2U << 20)

/* Where no more clusters than that are needed, they can be small. */
#define FEW_CLUSTERS (512ULL << 10)

/* QEMU takes none that is larger. */
#define MAX_BITMAP_BYTES (512ULL << 20)

static uint64_t parts(uint64_t bytes, uint64_t part)
{
	return bytes / part + (bytes % part != 0);
}

/* Virtual disks end at a sector; beyond its end a file reads as zeros. */
static uint64_t whole_sectors(uint64_t size)
{
	return parts(size, SECTOR) * SECTOR;
}

int bitmap_begin(struct seal_bitmap *bitmap, uint64_t old_size,
		 uint64_t new_size, uint32_t granularity)
{
	struct seal_bitmap_info *info = &bitmap->info;
	int ret;

	if (!granularity)
		granularity = SEAL_BITMAP_GRANULARITY;
	if (granularity < SEAL_BITMAP_MIN_GRANULARITY ||
	    granularity > SEAL_BITMAP_MAX_GRANULARITY ||
	    (granularity & (granularity - 1)))
		return -EINVAL;
	if (!new_size)
		return -ENODATA;
	*info = (struct seal_bitmap_info){
		.size = whole_sectors(new_size),
		.old_size = old_size,
		.new_size = new_size,
		.granularity = granularity,
	};
	info->granules = parts(info->size, granularity);
	bitmap->cluster = MIN_CLUSTER;
	while (bitmap->cluster < MAX_CLUSTER &&
	       parts(info->size, bitmap->cluster) > FEW_CLUSTERS)
		bitmap->cluster *= 2;
	if (parts(parts(info->granules, 8), bitmap->cluster) * bitmap->cluster >
	    MAX_BITMAP_BYTES)
		return -EFBIG;
	ret = bits_init(&bitmap->dirty, info->granules);
	if (ret)
		return ret;
	return bits_init(&bitmap->data, parts(info->size, bitmap->cluster));
}

/* Does its contents differ, or only where they are? */
static bool is_dirty(const struct seal_diff_range *range, bool different)
{
	return different && range->kind != SEAL_DIFF_LAYOUT;
}

static bool reads_as_zeros(uint32_t state)
{
	return state == SEAL_RANGE_HOLE || state == SEAL_RANGE_UNWRITTEN;
}

static int mark(struct bits *bits, uint64_t offset, uint64_t end, uint32_t unit)
{
	return bits_set(bits, offset / unit, parts(end, unit));
}

static int add(struct seal_bitmap *bitmap, const struct seal_diff_range *range,
	       bool different)
{
	struct seal_bitmap_info *info = &bitmap->info;
	uint64_t end = range->offset + range->length;
	int ret = 0;

	/* What is gone is not on the virtual disk, but in its last sector. */
	if (range->offset >= info->size)
		return 0;
	if (end > info->size)
		end = info->size;
	if (is_dirty(range, different)) {
		info->dirty_bytes += end - range->offset;
		ret = mark(&bitmap->dirty, range->offset, end,
			   info->granularity);
	} else if (!different && range->new_physical) {
		info->same_bytes += range->length;
	}
	if (!ret && range->offset < info->new_size &&
	    !reads_as_zeros(range->new_state))
		ret = mark(&bitmap->data, range->offset, end, bitmap->cluster);
	return ret;
}

int bitmap_compare(struct seal_bitmap *bitmap, struct seal_diff *diff)
{
	struct seal_diff_range range;
	bool different;
	int ret;

	while ((ret = diff_part(diff, &range, &different)) > 0) {
		ret = add(bitmap, &range, different);
		if (ret)
			return ret;
	}
	bitmap->info.dirty_granules = bits_count(&bitmap->dirty);
	return ret;
}

void bitmap_free(struct seal_bitmap *bitmap)
{
	bits_free(&bitmap->dirty);
	bits_free(&bitmap->data);
}

SEAL_EXPORT int seal_bitmap_next(const struct seal_bitmap *bitmap, uint64_t from,
				 uint64_t *offset, uint64_t *length)
{
	const struct seal_bitmap_info *info = &bitmap->info;
	uint64_t first, end;

	if (from >= info->size)
		return 0;
	first = bits_next(&bitmap->dirty, from / info->granularity, true);
	if (first >= info->granules)
		return 0;
	end = bits_next(&bitmap->dirty, first, false) * info->granularity;
	*offset = first * info->granularity;
	if (*offset < from)
		*offset = from;
	*length = (end < info->size ? end : info->size) - *offset;
	return 1;
}

SEAL_EXPORT void seal_bitmap_info_sized(const struct seal_bitmap *bitmap,
					struct seal_bitmap_info *info,
					size_t size)
{
	seal_give(info, size, &bitmap->info, sizeof(bitmap->info));
}
