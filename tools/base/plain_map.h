/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The extents of a file in their shortest form: contiguous extents are joined,
 * holes are left out, and shared extents count as written, because another file
 * can change that. The digest of a map is computed from this form.
 */
#ifndef SEALCTL_PLAIN_MAP_H
#define SEALCTL_PLAIN_MAP_H

#include "base/sealctl.h"

struct plain_extent {
	uint64_t logical;
	uint64_t physical;
	uint64_t length;
	bool unwritten;
};

struct plain_map {
	struct seal_map *map;
	struct seal_extent next;
	bool have_next;
};

int plain_map_open(struct plain_map *plain, int fd);
/* Like seal_map_next(); -EOPNOTSUPP: an extent has no plain address. */
int plain_map_next(struct plain_map *plain, struct plain_extent *extent);
void plain_map_close(struct plain_map *plain);

#endif /* SEALCTL_PLAIN_MAP_H */
