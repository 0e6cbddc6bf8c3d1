/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of bitmaps of what differs.
 */
#ifndef LIBSEAL_BITMAP_H
#define LIBSEAL_BITMAP_H

#include "core/bits.h"
#include "core/diff.h"

struct seal_bitmap {
	struct seal_bitmap_info info;
	struct bits dirty;	/* by granule */
	uint32_t cluster;	/* of the qcow2 file */
	struct bits data;	/* by cluster: where not all is a hole */
};

/* Sizes and granularity are known: check them, make room. */
int bitmap_begin(struct seal_bitmap *bitmap, uint64_t old_size,
		 uint64_t new_size, uint32_t granularity);
/* The comparison alone, without seals. */
int bitmap_compare(struct seal_bitmap *bitmap, struct seal_diff *diff);
void bitmap_free(struct seal_bitmap *bitmap);

#endif /* LIBSEAL_BITMAP_H */
