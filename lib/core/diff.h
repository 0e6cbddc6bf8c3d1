/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of the comparison of two maps.
 */
#ifndef LIBSEAL_DIFF_H
#define LIBSEAL_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include <libseal.h>

/* One of the two files: the extent at the position of the comparison. */
struct diff_side {
	int fd;			/* -1: there is no such file */
	uint64_t size;
	struct seal_map *map;
	struct seal_extent extent;
	bool end;		/* nothing follows the extent */
};

struct seal_diff {
	struct seal_read *reading;	/* both files, sealed */
	struct diff_side old;
	struct diff_side new;
	bool same_filesystem;
	uint64_t pos;		/* all before it was compared */
	bool pending;		/* the range below is next */
	struct seal_diff_range range;
};

/* The comparison alone: without seals, of maps that are open. */
/* The next part in which both files are uniform, equal ones included. */
int diff_part(struct seal_diff *diff, struct seal_diff_range *range,
	      bool *different);
int diff_step(struct seal_diff *diff, struct seal_diff_range *range);
int diff_merged(struct seal_diff *diff, struct seal_diff_range *range);

#endif /* LIBSEAL_DIFF_H */
