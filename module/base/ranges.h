/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of byte ranges, sorted and disjoint: the in-place ranges of a file.
 *
 * This is pure code: the unit tests compile it in user space, too.
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
 * Most tables have one range. It is stored in the structure itself and needs no
 * memory of its own; nor does the empty table, which is all zeros. No range
 * begins at the last possible byte, so a start of SEAL_RANGES_MANY says that
 * the table has several ranges.
 */
#define SEAL_RANGES_MANY	(~(__u64)0)

struct seal_ranges {
	union {
		struct seal_range	one;
		struct {
			__u64			start;
			struct seal_chunks	*chunks;
		} many;
	};
};

static inline bool seal_ranges_empty(const struct seal_ranges *ranges)
{
	return ranges->one.start != SEAL_RANGES_MANY && !ranges->one.end;
}

/*
 * Append [start, end), which must not begin before the end of the last one.
 * A range that touches the last one extends it. Returns 0, or -ENOMEM, and then
 * the table has not changed.
 */
int seal_ranges_add(struct seal_ranges *ranges, __u64 start, __u64 end);

/* Is every byte of [start, end) in the table? The empty range always is. */
bool seal_ranges_cover(const struct seal_ranges *ranges, __u64 start, __u64 end);

/* Is every byte of @a in @b? */
bool seal_ranges_subset(const struct seal_ranges *a,
			const struct seal_ranges *b);

/* Fill the empty @out with what is in both @a and @b. Returns 0 or -ENOMEM. */
int seal_ranges_intersect(struct seal_ranges *out, const struct seal_ranges *a,
			  const struct seal_ranges *b);

/* Fill the empty @out with what is in @a or in @b. Returns 0 or -ENOMEM. */
int seal_ranges_union(struct seal_ranges *out, const struct seal_ranges *a,
		      const struct seal_ranges *b);

/* Fill the empty @out with what is in @a, not in @b. Returns 0 or -ENOMEM. */
int seal_ranges_subtract(struct seal_ranges *out, const struct seal_ranges *a,
			 const struct seal_ranges *b);

/*
 * Find the first range that ends behind @pos. @range gets the part of it that
 * is not before @pos. Returns false if there is no such range.
 */
bool seal_ranges_next(const struct seal_ranges *ranges, __u64 pos,
		      struct seal_range *range);

/* Is any byte of [start, end) in the table? */
bool seal_ranges_overlap(const struct seal_ranges *ranges, __u64 start,
			 __u64 end);

/*
 * The number of ranges. It is summed up over all chunks; to find out whether
 * there is any range, use seal_ranges_empty().
 */
__u64 seal_ranges_nr(const struct seal_ranges *ranges);

__u64 seal_ranges_bytes(const struct seal_ranges *ranges);

/* Free what the table has allocated, and make it the empty table. */
void seal_ranges_free(struct seal_ranges *ranges);

#endif /* SEAL_RANGES_H */
