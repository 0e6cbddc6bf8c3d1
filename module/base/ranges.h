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
 * One range, the usual case, is in here and needs no memory of its own; nor
 * does the empty table, which is all zeros. No range begins at the very last
 * byte there can be: a start of SEAL_RANGES_MANY says that there are more.
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
 * Append [start, end), which must not begin before the end of the last range;
 * a range that touches the last one extends it. 0, or -ENOMEM and nothing has
 * happened.
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

/* Adds up what the chunks have: seal_ranges_empty() if that is the question. */
__u64 seal_ranges_nr(const struct seal_ranges *ranges);

__u64 seal_ranges_bytes(const struct seal_ranges *ranges);

/* Back to the empty table. */
void seal_ranges_free(struct seal_ranges *ranges);

#endif /* SEAL_RANGES_H */
