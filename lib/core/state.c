// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The state of a range: from the flags of FIEMAP, and as a word.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "core/private.h"

/* The address of such an extent does not tell where a byte of the file is. */
#define NO_ADDRESS	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_ENCODED | \
			 FIEMAP_EXTENT_DATA_ENCRYPTED | \
			 FIEMAP_EXTENT_NOT_ALIGNED | \
			 FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL)

uint32_t seal_extent_state(uint32_t flags)
{
	/* Tested before NO_ADDRESS: filesystems add UNKNOWN to DELALLOC. */
	if (flags & FIEMAP_EXTENT_DELALLOC)
		return SEAL_RANGE_DELALLOC;
	if (flags & NO_ADDRESS)
		return SEAL_RANGE_NONE;
	/* Tested before UNWRITTEN: a store must break the sharing first. */
	if (flags & FIEMAP_EXTENT_SHARED)
		return SEAL_RANGE_SHARED;
	if (flags & FIEMAP_EXTENT_UNWRITTEN)
		return SEAL_RANGE_UNWRITTEN;
	return SEAL_RANGE_WRITTEN;
}

SEAL_EXPORT const char *seal_range_state_name(uint32_t state)
{
	switch (state) {
	case SEAL_RANGE_HOLE:
		return "hole";
	case SEAL_RANGE_DELALLOC:
		return "delalloc";
	case SEAL_RANGE_UNWRITTEN:
		return "unwritten";
	case SEAL_RANGE_WRITTEN:
		return "written";
	case SEAL_RANGE_SHARED:
		return "shared";
	case SEAL_RANGE_COW:
		return "copy-on-write";
	default:
		return "unknown";
	}
}
