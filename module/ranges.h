/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of byte ranges, sorted and disjoint: the in-place ranges of a file.
 *
 * Pure code: the unit tests compile it in user space.
 */
#ifndef SEAL_RANGES_H
#define SEAL_RANGES_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif

struct seal_range {
	__u64	start;
	__u64	end;		/* exclusive */
};

/*
 * Ranges live in page-sized chunks: no high-order allocation is needed. The
 * first one grows to that: most files have few ranges.
 */
#define SEAL_CHUNK_BYTES	4096
#define SEAL_CHUNK_RANGES	(SEAL_CHUNK_BYTES / sizeof(struct seal_range))

struct seal_ranges {
	__u64			nr;
	__u32			nr_chunks;
	__u32			room;		/* entries in @chunk */
	__u32			first;		/* ranges the first chunk has room for */
	struct seal_range	**chunk;
};

/*
 * Append [start, end), which must not begin before the end of the last range;
 * a range that touches the last one extends it. 0 or -ENOMEM.
 */
int seal_ranges_add(struct seal_ranges *ranges, __u64 start, __u64 end);

/* Is every byte of [start, end) in the table? The empty range always is. */
bool seal_ranges_cover(const struct seal_ranges *ranges, __u64 start, __u64 end);

/* Is every byte of @a in @b? */
bool seal_ranges_subset(const struct seal_ranges *a,
			const struct seal_ranges *b);

/* Append the bytes common to @a and @b to the empty @out. 0 or -ENOMEM. */
int seal_ranges_intersect(struct seal_ranges *out, const struct seal_ranges *a,
			  const struct seal_ranges *b);

/* Append what is in @a or in @b to the empty @out. 0 or -ENOMEM. */
int seal_ranges_union(struct seal_ranges *out, const struct seal_ranges *a,
		      const struct seal_ranges *b);

/* Append what is in @a and not in @b to the empty @out. 0 or -ENOMEM. */
int seal_ranges_subtract(struct seal_ranges *out, const struct seal_ranges *a,
			 const struct seal_ranges *b);

/*
 * The first range that ends behind @pos; false if there is none. What it has
 * before @pos is cut off.
 */
bool seal_ranges_next(const struct seal_ranges *ranges, __u64 pos,
		      struct seal_range *range);

/* Is any byte of [start, end) in the table? */
bool seal_ranges_overlap(const struct seal_ranges *ranges, __u64 start,
			 __u64 end);

__u64 seal_ranges_bytes(const struct seal_ranges *ranges);

/* Back to the empty table. */
void seal_ranges_free(struct seal_ranges *ranges);

#endif /* SEAL_RANGES_H */
