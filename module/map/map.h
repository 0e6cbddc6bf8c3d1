/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a block map inside the kernel. */
#ifndef SEAL_MAP_H
#define SEAL_MAP_H

#include <linux/types.h>

#include "base/ranges.h"
#include "uapi/seal.h"

struct inode;
struct seal_gate_set;
struct seal_limit;

/* First range of a map that fails a requirement. */
struct seal_offence {
	u64	offset;
	u64	length;
	u32	state;		/* enum seal_range_state, 0: none */
	u32	require;	/* the SEAL_REQ_* bit it fails */
};

/* A map as a whole: what is kept of it while it is sealed. */
struct seal_map_sum {
	u64	file_size;
	u64	extents;
	u64	written;
	u64	unwritten;
	u64	shared;
	u64	delalloc;
	u64	hole;
	u64	digest;
	u8	unmet;		/* SEAL_REQ_ALLOCATED, _WRITTEN and _UNSHARED */
	bool	cow;		/* writes are redirected: nothing in place */
};

static inline u64 seal_map_in_place(const struct seal_map_sum *sum)
{
	return sum->cow ? 0 : sum->written;
}

/* The same, and what first fails a requirement. */
struct seal_map_info {
	struct seal_map_sum	sum;
	u64			first_written;	/* offset, or U64_MAX */
	u64			first_written_end;
	struct seal_offence	hole_at;
	struct seal_offence	unwritten_at;
	struct seal_offence	shared_at;
	struct seal_offence	delalloc_at;
};

/*
 * Read the map of @inode as FIEMAP shows it. @ranges, if not NULL, gets the
 * ranges that are overwritten in place. Without locks: a map that changes
 * meanwhile is read inconsistently.
 *
 * 0; -EOPNOTSUPP: no FIEMAP, or an extent whose address means nothing (the reason
 * of @limit says); -EBUSY: somebody had the file locked until the end of @limit;
 * -EINTR; -ENOMEM; errors of the filesystem.
 */
int seal_map_read(struct inode *inode, struct seal_map_info *info,
		  struct seal_ranges *ranges, const struct seal_limit *limit);

/*
 * Are writes to @inode redirected, as a sum of its map would say? Reads no more of the
 * map than it takes to know. 1, 0, or an error as above.
 */
int seal_map_redirects(struct inode *inode, const struct seal_limit *limit);

/* How a map is about to change. */
struct seal_map_change {
	const struct seal_ranges	*written;	/* unwritten before */
	u64				file_size;
};

/*
 * What seal_map_read() would tell once @change has been made, except whether
 * writes are redirected: @info->sum.cow is false.
 */
int seal_map_predict(struct inode *inode, struct seal_map_info *info,
		     struct seal_ranges *ranges,
		     const struct seal_limit *limit,
		     const struct seal_map_change *change);

/* Writes turned out to be redirected: nothing is in place. */
void seal_map_redirected(struct seal_map_info *info,
			 struct seal_ranges *ranges);

/* seal_map_read() for who cannot stop half-way: no signal ends it. */
int seal_map_reread(struct inode *inode, struct seal_map_info *info,
		    struct seal_ranges *ranges, char *reason);

/* Is all of [start, end) written? No signal ends it. */
bool seal_map_written(struct inode *inode, u64 start, u64 end);

struct seal_map_extent {
	u64	start;
	u64	end;
	u64	physical;
	u32	state;		/* enum seal_range_state */
};

/*
 * Up to @max extents of [start, end) in @extents; the number, or -errno. The
 * list ends early when it is full.
 */
int seal_map_list(struct inode *inode, u64 start, u64 end,
		  struct seal_map_extent *extents, unsigned int max,
		  const struct seal_limit *limit);

/*
 * The requirements of @require that @info fails. @offence gets the range that
 * comes first in the file, or just the bit if it is about no range.
 */
u32 seal_map_unmet(const struct seal_map_info *info, u32 require,
		   u64 max_extents, struct seal_offence *offence);

/* The gate that maps are read by. */
extern struct seal_gate_set seal_map_gates;

/*
 * Hold it while maps are read. Errors as of seal_set_get().
 */
int seal_map_get(const struct seal_limit *limit);
void seal_map_put(void);

#endif /* SEAL_MAP_H */
