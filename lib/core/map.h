/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map iterator: its structure, for map.c and the tests.
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
	/* Fills the batch from @pos on; tests put a function of theirs here. */
	int (*load)(struct seal_map *map);
	struct fiemap *batch;
	unsigned int next;	/* index into the batch */
	bool end;		/* no allocated extent follows */
	uint64_t pos;		/* reported up to here */
	uint64_t eof;		/* rounded up to the block */
	dev_t device;
	struct map_digest digest;
	/* of map_ask_seal() */
	const struct seal_session *session;
	struct seal_place *places;
};

/*
 * Read the map by the seal that @session has on the file: many times faster where
 * blocks are shared, and it does not tell which are. If the module does not know
 * how, the map is read as by seal_map_open(). Returns 0 or -ENOMEM.
 */
int map_ask_seal(struct seal_map *map, const struct seal_session *session);

#endif /* LIBSEAL_MAP_H */
