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

/* The first range of a map that fails a requirement. */
struct seal_offence {
	u64	offset;
	u64	length;
	u32	state;		/* enum seal_range_state, 0: none */
	u32	require;	/* the SEAL_REQ_* bit that it fails */
};

/*
 * The summary of a map, which is kept while a file is sealed. Sizes are in
 * bytes; those from @written to @hole are the bytes in this state.
 */
struct seal_map_sum {
	u64	file_size;
	u64	extents;	/* number, merged where they are contiguous */
	u64	written;
	u64	unwritten;
	u64	shared;
	u64	delalloc;
	u64	hole;
	u64	digest;
	u8	unmet;		/* of SEAL_REQ_ALLOCATED, _WRITTEN, _UNSHARED */
	bool	cow;		/* writes are redirected: nothing is in place */
	bool	places;		/* shared blocks were counted as written ones */
};

/* The bytes that are overwritten in place. */
static inline u64 seal_map_in_place(const struct seal_map_sum *sum)
{
	return sum->cow ? 0 : sum->written;
}

/* A summary, and the first range that fails each requirement. */
struct seal_map_info {
	struct seal_map_sum	sum;
	u64			first_written;	/* offset; U64_MAX: none */
	u64			first_written_end;
	struct seal_offence	hole_at;
	struct seal_offence	unwritten_at;
	struct seal_offence	shared_at;
	struct seal_offence	delalloc_at;
};

/*
 * Read the map of @inode as FIEMAP shows it. @ranges, if not NULL, is empty and
 * gets the ranges that are overwritten in place. The caller has attached the
 * map gate (seal_map_get()) and holds no lock of the inode; ->fiemap() takes
 * its own. A map that changes meanwhile is read inconsistently.
 *
 * Returns 0; -EOPNOTSUPP: the file has no FIEMAP, or an extent has no plain
 * address (the reason of @limit says so); -EBUSY: another task held a lock of
 * the file until the end of @limit; -EINTR: killed; -ENOMEM; or an error of the
 * filesystem.
 */
int seal_map_read(struct inode *inode, struct seal_map_info *info,
		  struct seal_ranges *ranges, const struct seal_limit *limit);

/*
 * The same, but if writes to @inode are redirected, do not find out which blocks are
 * shared: none is in place anyway. seal_map_sum.places says so. On XFS that takes
 * a fraction of the time (fiemap.h).
 */
int seal_map_read_places(struct inode *inode, struct seal_map_info *info,
			 struct seal_ranges *ranges,
			 const struct seal_limit *limit);

/*
 * Return what seal_map_sum.cow would be, but stop reading the map as soon as
 * that is known. Returns 1, 0 or an error as above.
 */
int seal_map_redirects(struct inode *inode, const struct seal_limit *limit);

/* How a map is about to change. */
struct seal_map_change {
	const struct seal_ranges	*written;	/* unwritten before */
	u64				file_size;
};

/*
 * Compute what seal_map_read() will return after @change. It does not ask
 * whether writes are redirected: @info->sum.cow is false.
 */
int seal_map_predict(struct inode *inode, struct seal_map_info *info,
		     struct seal_ranges *ranges,
		     const struct seal_limit *limit,
		     const struct seal_map_change *change);

/* Note that writes are redirected: nothing is in place, @ranges is emptied. */
void seal_map_redirected(struct seal_map_info *info,
			 struct seal_ranges *ranges);

/* Like seal_map_read(), but no signal ends it. */
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
 * Store up to @max extents of [start, end) in @extents. Returns their number or
 * -errno. If there are more than @max, the rest is left out.
 */
int seal_map_list(struct inode *inode, u64 start, u64 end,
		  struct seal_map_extent *extents, unsigned int max,
		  const struct seal_limit *limit);

/*
 * The same from @start to the end, but without finding out which blocks are shared:
 * they are SEAL_RANGE_WRITTEN.
 */
int seal_map_list_places(struct inode *inode, u64 start,
			 struct seal_map_extent *extents, unsigned int max,
			 const struct seal_limit *limit);

/*
 * Return the requirements of @require that @info fails. @offence gets the
 * failing range that comes first in the file; if only the number of extents
 * fails, it gets nothing but that bit.
 */
u32 seal_map_unmet(const struct seal_map_info *info, u32 require,
		   u64 max_extents, struct seal_offence *offence);

/* The gate that maps are read with. */
extern struct seal_gate_set seal_map_gates;

/*
 * Attach and release the map gate; it stays attached while maps are read.
 * Errors as for seal_set_get().
 */
int seal_map_get(const struct seal_limit *limit);
void seal_map_put(void);

#endif /* SEAL_MAP_H */
