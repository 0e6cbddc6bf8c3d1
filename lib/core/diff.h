/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The comparison of two maps: its structures, for diff.c and the tests.
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
	bool end;		/* no extent follows */
};

struct seal_diff {
	struct seal_read *reading;	/* both files, sealed */
	struct diff_side old;
	struct diff_side new;
	bool same_filesystem;
	uint64_t pos;		/* compared up to here */
	bool pending;		/* @range was found but not returned */
	struct seal_diff_range range;
};

/*
 * From now on read the maps by the seals, and do not tell which blocks are shared.
 * Before the first part is asked for. Returns 0 or -ENOMEM.
 */
int diff_ask_seal(struct seal_diff *diff);

/*
 * The next part in which both files are uniform, equal parts included. The maps
 * are open; seals are not looked at. Return: 1, 0 at the end, -errno.
 */
int diff_part(struct seal_diff *diff, struct seal_diff_range *range,
	      bool *different);
/* The next range that differs; diff_merged() joins ranges that belong together. */
int diff_step(struct seal_diff *diff, struct seal_diff_range *range);
int diff_merged(struct seal_diff *diff, struct seal_diff_range *range);

#endif /* LIBSEAL_DIFF_H */
