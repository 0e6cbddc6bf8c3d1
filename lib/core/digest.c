// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The digest of a block map. The module computes the same one
 * (module/map/map.c), so that a map can be checked without the module.
 */
#include <endian.h>
#include <libseal.h>
#include <linux/fiemap.h>

#include "core/digest.h"

void map_digest_begin(struct map_digest *digest)
{
	XXH64_reset(&digest->hash, 0);
	digest->plain = true;
	digest->length = 0;
}

static void flush(struct map_digest *digest)
{
	uint64_t record[4] = {
		htole64(digest->logical), htole64(digest->physical),
		htole64(digest->length), htole64(digest->state),
	};

	if (!digest->length)
		return;
	XXH64_update(&digest->hash, record, sizeof(record));
	digest->length = 0;
}

/* Shared counts as written: sharing can end without a change of this file. */
static uint64_t digest_state(const struct seal_extent *extent)
{
	if (extent->state == SEAL_RANGE_DELALLOC)
		return SEAL_RANGE_DELALLOC;
	return extent->flags & FIEMAP_EXTENT_UNWRITTEN ?
		SEAL_RANGE_UNWRITTEN : SEAL_RANGE_WRITTEN;
}

void map_digest_add(struct map_digest *digest,
		    const struct seal_extent *extent)
{
	uint64_t state = digest_state(extent);

	if (extent->state == SEAL_RANGE_HOLE)
		return;
	if (extent->state == SEAL_RANGE_NONE)
		digest->plain = false;
	if (digest->length && digest->state == state &&
	    digest->logical + digest->length == extent->logical &&
	    (state == SEAL_RANGE_DELALLOC ||
	     digest->physical + digest->length == extent->physical)) {
		digest->length += extent->length;
		return;
	}
	flush(digest);
	digest->logical = extent->logical;
	digest->physical = extent->physical;
	digest->length = extent->length;
	digest->state = state;
}

uint64_t map_digest_end(struct map_digest *digest)
{
	flush(digest);
	return XXH64_digest(&digest->hash);
}
