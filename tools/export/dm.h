/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device-mapper: tables of linear targets, and devices made of them.
 */
#ifndef SEALCTL_DM_H
#define SEALCTL_DM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DM_SECTOR 512

/* A range of sectors of one device that is a range of another one. */
struct dm_segment {
	uint64_t start;
	uint64_t length;
	uint64_t target;	/* first sector of the other one */
	unsigned int major_number;
	unsigned int minor_number;
};

struct dm_segments {
	struct dm_segment *list;
	size_t nr;
};

struct dm_state {
	bool exists;
	unsigned int open_count;
	char uuid[130];
};

/* Append a segment, or extend the last one. Return: 0 or -ENOMEM. */
int dm_segments_add(struct dm_segments *segments,
		    const struct dm_segment *segment);
void dm_segments_free(struct dm_segments *segments);
bool dm_segments_equal(const struct dm_segments *a,
		       const struct dm_segments *b);

/*
 * These return 0 or -1; dm_error() tells why.
 */
/* The table of a device; all its targets must be linear. */
int dm_read_table(unsigned int major_number, unsigned int minor_number,
		  struct dm_segments *segments);
int dm_read_named_table(const char *name, struct dm_segments *segments);
int dm_state_of(const char *name, struct dm_state *state);
int dm_create(const char *name, const char *uuid,
	      const struct dm_segments *segments);
int dm_remove(const char *name);
const char *dm_error(void);

#endif /* SEALCTL_DM_H */
