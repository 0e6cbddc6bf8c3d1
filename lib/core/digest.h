/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The digest of a block map, as in struct seal_status.
 */
#ifndef LIBSEAL_DIGEST_H
#define LIBSEAL_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

/* Compiled in, so that users of the library do not need libxxhash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

struct seal_extent;

struct map_digest {
	XXH64_state_t hash;
	bool plain;		/* every extent so far has an address */
	/* the extent that is being merged */
	uint64_t logical;
	uint64_t physical;
	uint64_t length;
	uint64_t state;
};

void map_digest_begin(struct map_digest *digest);
void map_digest_add(struct map_digest *digest,
		    const struct seal_extent *extent);
uint64_t map_digest_end(struct map_digest *digest);

#endif /* LIBSEAL_DIGEST_H */
