/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the map iterator.
 */
#ifndef LIBSEAL_MAP_H
#define LIBSEAL_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/digest.h"

struct fiemap;

/* Extents per FIEMAP call: enough to make calls rare, 28 KiB of memory. */
#define MAP_BATCH 512

struct seal_map {
	int fd;
	/* Fills the batch from the position on; tests put theirs here. */
	int (*load)(struct seal_map *map);
	struct fiemap *batch;
	unsigned int next;	/* index into the batch */
	bool end;		/* nothing allocated follows */
	uint64_t pos;		/* all before it was reported */
	uint64_t eof;		/* rounded up to the block */
	dev_t device;
	struct map_digest digest;
};

#endif /* LIBSEAL_MAP_H */
