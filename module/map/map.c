// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a block map inside the kernel.
 *
 * ->fiemap() reports extents through fiemap_fill_next_extent(), which copies
 * them to user memory. A gate on that function recognises a fiemap_extent_info
 * of ours and sends the call to capture_extent() instead. If the gate did not
 * work, the original would run: it would copy nothing (fi_extents_max is 0) but
 * count the extent in fi_extents_mapped, and walk() looks at that.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/xxhash.h>

#include "base/debug.h"
#include "base/lock.h"
#include "map/fiemap.h"
#include "map/map.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "probes/set.h"

/* Extents per call of seal_fiemap(), which holds locks of the file meanwhile. */
#define MAP_BATCH	1024

/* Its address is the user pointer of our calls; no other caller can pass it. */
static char map_cookie;

struct map_capture {
	struct fiemap_extent_info	fi;
	u64				pos;	/* reported up to here */
	u64				end;
	unsigned int			left;	/* extents of this batch */
	const struct seal_limit		*limit;	/* NULL: no signal ends it */
	int				ret;
	int (*fn)(void *arg, u64 start, u64 end, u64 physical, u32 flags);
	void				*arg;
};

static bool killed(const struct map_capture *cap)
{
	return cap->limit && fatal_signal_pending(current);
}

static noinline int capture_extent(struct fiemap_extent_info *fi, u64 logical,
				   u64 physical, u64 length, u32 flags)
{
	struct map_capture *cap = container_of(fi, struct map_capture, fi);
	u64 end = logical + length;

	/*
	 * iomap_fiemap() has an extent in hand when it is told to stop, and still
	 * reports it, as the last one.
	 */
	if (cap->ret)
		return 1;
	/* a call that begins inside an extent is told of all of it */
	if (logical < cap->pos) {
		physical += cap->pos - logical;
		logical = cap->pos;
	}
	end = min(end, cap->end);
	if (logical < end) {
		cap->ret = cap->fn(cap->arg, logical, end, physical, flags);
		if (!cap->ret && killed(cap))
			cap->ret = -EINTR;
		if (cap->ret)
			return 1;
		cap->pos = end;
	}
	if (flags & FIEMAP_EXTENT_LAST)
		return 1;
	return --cap->left ? 0 : 1;
}

/* fiemap_fill_next_extent(fieinfo, logical, physical, length, flags) */
static void enter_fill(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct fiemap_extent_info *fi;

	fi = seal_arg(call, 0, struct fiemap_extent_info *);
	if (unlikely((unsigned long)fi->fi_extents_start ==
		     (unsigned long)&map_cookie))
		seal_redirect(call, capture_extent);
}

static struct seal_gate map_gates[] = {
	SEAL_GATE("fiemap_fill_next_extent", enter_fill),
};

struct seal_gate_set seal_map_gates = {
	.name		= "map",
	.gates		= map_gates,
	.nr_gates	= ARRAY_SIZE(map_gates),
};

int seal_map_get(const struct seal_limit *limit)
{
	int ret = seal_set_get(&seal_map_gates, limit);

	/* to a user ENOENT would be a file that is missing */
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

void seal_map_put(void)
{
	seal_set_put(&seal_map_gates);
}

static int walk(struct inode *inode, u64 start, u64 end, bool shared,
		const struct seal_limit *limit,
		int (*fn)(void *arg, u64 start, u64 end, u64 physical,
			  u32 flags), void *arg)
{
	struct map_capture cap = {
		.fi.fi_extents_start =
			(struct fiemap_extent __user *)(unsigned long)&map_cookie,
		.pos	= start,
		.end	= min_t(u64, end, inode->i_sb->s_maxbytes),
		.limit	= limit,
		.fn	= fn,
		.arg	= arg,
	};

	if (!inode->i_op->fiemap)
		return -EOPNOTSUPP;

	while (cap.pos < cap.end) {
		int ret;

		cap.left = MAP_BATCH;
		ret = seal_fiemap(inode, &cap.fi, cap.pos, cap.end - cap.pos,
				  shared, limit);
		if (cap.ret)
			return cap.ret;
		/* an ext4 file without extents ends below s_maxbytes */
		if (ret == -EFBIG)
			return 0;
		if (ret)
			return ret;
		if (cap.fi.fi_extents_mapped)
			return -ENXIO;		/* the gate does not work */
		if (cap.left)
			return 0;
		if (killed(&cap))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int map_walk(struct inode *inode, u64 start, u64 end,
		    const struct seal_limit *limit,
		    int (*fn)(void *arg, u64 start, u64 end, u64 physical,
			      u32 flags), void *arg)
{
	return walk(inode, start, end, true, limit, fn, arg);
}

/* What to return if a walk failed with @error. */
static int unread(int error, char *reason)
{
	if (error != -ENXIO)
		return error;
	strscpy(reason, "ftrace is switched off, the map cannot be read",
		SEAL_REASON_LEN);
	return -EOPNOTSUPP;
}

static u32 range_state(u32 flags)
{
	if (flags & FIEMAP_EXTENT_DELALLOC)
		return SEAL_RANGE_DELALLOC;
	if (flags & FIEMAP_EXTENT_UNWRITTEN)
		return SEAL_RANGE_UNWRITTEN;
	if (flags & FIEMAP_EXTENT_SHARED)
		return SEAL_RANGE_SHARED;
	return SEAL_RANGE_WRITTEN;
}

struct map_builder {
	struct seal_map_info	*info;
	struct seal_ranges	*ranges;
	const struct seal_map_change *change;
	char			*reason;
	u64			pos;
	u64			eof;		/* rounded up to a block */
	struct xxh64_state	hash;
	/* the extent that is being merged, for the digest */
	u64			logical;
	u64			physical;
	u64			length;
	u32			state;
};

static void note_offence(struct seal_offence *offence, u32 state, u64 start,
			 u64 end, u64 eof)
{
	/* requirements are about the file up to its end */
	if (start >= eof)
		return;
	end = min(end, eof);
	if (!offence->state) {
		offence->state = state;
		offence->offset = start;
		offence->length = end - start;
	} else if (offence->offset + offence->length == start) {
		offence->length += end - start;
	}
}

/*
 * The digest is computed over the map with contiguous extents merged. It does
 * not tell shared blocks from others: when another file stops sharing a block,
 * this map has not changed.
 */
static void digest_flush(struct map_builder *b)
{
	__le64 record[4] = {
		cpu_to_le64(b->logical), cpu_to_le64(b->physical),
		cpu_to_le64(b->length), cpu_to_le64(b->state),
	};

	if (!b->length)
		return;
	xxh64_update(&b->hash, record, sizeof(record));
	b->info->sum.extents++;
	b->length = 0;
}

static void digest_add(struct map_builder *b, u64 start, u64 end, u64 physical,
		       u32 state)
{
	if (state == SEAL_RANGE_SHARED)
		state = SEAL_RANGE_WRITTEN;
	if (state == SEAL_RANGE_DELALLOC)
		physical = 0;

	if (b->length && b->state == state &&
	    b->logical + b->length == start &&
	    (state == SEAL_RANGE_DELALLOC ||
	     b->physical + b->length == physical)) {
		b->length += end - start;
		return;
	}
	digest_flush(b);
	b->logical = start;
	b->physical = physical;
	b->length = end - start;
	b->state = state;
}

static void add_hole(struct map_builder *b, u64 end)
{
	end = min(end, b->eof);
	if (b->pos >= end)
		return;
	b->info->sum.hole += end - b->pos;
	note_offence(&b->info->hole_at, SEAL_RANGE_HOLE, b->pos, end, b->eof);
	b->pos = end;
}

static void note_written(struct seal_map_info *info, u64 start, u64 end)
{
	if (info->first_written == U64_MAX)
		info->first_written = start;
	else if (info->first_written_end != start)
		return;
	info->first_written_end = end;
}

static int build_extent(void *arg, u64 start, u64 end, u64 physical, u32 flags)
{
	const u32 plain = FIEMAP_EXTENT_LAST | FIEMAP_EXTENT_MERGED |
			  FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_SHARED;
	struct map_builder *b = arg;
	struct seal_map_info *info = b->info;
	u32 state = range_state(flags);
	u64 length = end - start;

	if (flags & FIEMAP_EXTENT_DELALLOC)
		flags &= ~(FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN);
	if (flags & ~plain) {
		snprintf(b->reason, SEAL_REASON_LEN,
			 "extent at offset %llu has no plain address on the device (flags 0x%x: inline, compressed or encrypted)",
			 start, flags);
		return -EOPNOTSUPP;
	}

	add_hole(b, start);
	b->pos = end;

	switch (state) {
	case SEAL_RANGE_DELALLOC:
		info->sum.delalloc += length;
		note_offence(&info->delalloc_at, state, start, end, b->eof);
		break;
	case SEAL_RANGE_UNWRITTEN:
		info->sum.unwritten += length;
		note_offence(&info->unwritten_at, state, start, end, b->eof);
		break;
	case SEAL_RANGE_SHARED:
		info->sum.shared += length;
		note_offence(&info->shared_at, state, start, end, b->eof);
		note_written(info, start, end);
		break;
	default:
		info->sum.written += length;
		note_written(info, start, end);
		if (b->ranges) {
			int ret = seal_ranges_add(b->ranges, start, end);

			if (ret)
				return ret;
		}
		break;
	}
	digest_add(b, start, end, physical, state);
	return 0;
}

/* Report an unwritten extent as it will be once b->change has been made. */
static int build_changed(void *arg, u64 start, u64 end, u64 physical, u32 flags)
{
	struct map_builder *b = arg;
	struct seal_range piece;
	u64 pos = start;
	int ret = 0;

	if (range_state(flags) != SEAL_RANGE_UNWRITTEN)
		return build_extent(arg, start, end, physical, flags);

	while (!ret && pos < end) {
		u64 address = physical + (pos - start), stop = end;
		u32 now = flags;

		if (seal_ranges_next(b->change->written, pos, &piece)) {
			if (piece.start == pos)
				now &= ~FIEMAP_EXTENT_UNWRITTEN;
			stop = min(end, piece.start == pos ? piece.end :
							     piece.start);
		}
		ret = build_extent(arg, pos, stop, address, now);
		pos = stop;
	}
	return ret;
}

static int map_build(struct inode *inode, struct seal_map_info *info,
		     struct seal_ranges *ranges, char *reason,
		     const struct seal_map_change *change, bool shared,
		     const struct seal_limit *limit)
{
	struct map_builder b = {
		.info	= info,
		.ranges	= ranges,
		.change	= change,
		.reason	= reason,
	};
	struct seal_offence offence;
	int ret;

	memset(info, 0, sizeof(*info));
	info->sum.file_size = change ? change->file_size : i_size_read(inode);
	info->first_written = U64_MAX;
	b.eof = round_up(info->sum.file_size, (u64)i_blocksize(inode));
	xxh64_reset(&b.hash, 0);

	ret = walk(inode, 0, U64_MAX, shared, limit,
		   change ? build_changed : build_extent, &b);
	if (ret)
		return unread(ret, reason);
	add_hole(&b, b.eof);
	digest_flush(&b);
	info->sum.digest = xxh64_digest(&b.hash);
	info->sum.unmet = seal_map_unmet(info, SEAL_REQ_ALLOCATED |
					 SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED,
					 0, &offence);
	return 0;
}

void seal_map_redirected(struct seal_map_info *info, struct seal_ranges *ranges)
{
	info->sum.cow = true;
	info->sum.unmet |= SEAL_REQ_UNSHARED;
	if (ranges)
		seal_ranges_free(ranges);
}

static int map_read(struct inode *inode, struct seal_map_info *info,
		    struct seal_ranges *ranges, char *reason, bool shared,
		    const struct seal_limit *limit)
{
	int ret = map_build(inode, info, ranges, reason, NULL, shared, limit);

	if (!ret && info->first_written != U64_MAX &&
	    !seal_step_skipped(SEAL_STEP_COW) &&
	    seal_xfs_redirects(inode, info->first_written))
		seal_map_redirected(info, ranges);
	return ret;
}

int seal_map_read(struct inode *inode, struct seal_map_info *info,
		  struct seal_ranges *ranges, const struct seal_limit *limit)
{
	return map_read(inode, info, ranges, limit->reason, true, limit);
}

int seal_map_read_places(struct inode *inode, struct seal_map_info *info,
			 struct seal_ranges *ranges,
			 const struct seal_limit *limit)
{
	int ret = seal_map_redirects(inode, limit);

	if (ret < 0)
		return ret;
	if (ret) {
		ret = map_read(inode, info, ranges, limit->reason, false,
			       limit);
		info->sum.places = true;
		/* what is not redirected may be in place: shared or not? */
		if (ret || info->sum.cow)
			return ret;
		if (ranges)
			seal_ranges_free(ranges);
	}
	return seal_map_read(inode, info, ranges, limit);
}

int seal_map_reread(struct inode *inode, struct seal_map_info *info,
		    struct seal_ranges *ranges, char *reason)
{
	return map_read(inode, info, ranges, reason, true, NULL);
}

int seal_map_predict(struct inode *inode, struct seal_map_info *info,
		     struct seal_ranges *ranges,
		     const struct seal_limit *limit,
		     const struct seal_map_change *change)
{
	return map_build(inode, info, ranges, limit->reason, change, true,
			 limit);
}

static int find_written(void *arg, u64 start, u64 end, u64 physical, u32 flags)
{
	u64 *first = arg;
	u32 state = range_state(flags);

	if (state != SEAL_RANGE_WRITTEN && state != SEAL_RANGE_SHARED)
		return 0;
	*first = start;
	return 1;
}

int seal_map_redirects(struct inode *inode, const struct seal_limit *limit)
{
	u64 first;
	int ret;

	if (!seal_is_xfs(inode) || seal_step_skipped(SEAL_STEP_COW))
		return 0;
	ret = map_walk(inode, 0, U64_MAX, limit, find_written, &first);
	return ret > 0 ? seal_xfs_redirects(inode, first) :
	       ret < 0 ? unread(ret, limit->reason) : 0;
}

static int check_written(void *arg, u64 start, u64 end, u64 physical, u32 flags)
{
	u64 *pos = arg;

	if (start != *pos || range_state(flags) != SEAL_RANGE_WRITTEN)
		return 1;
	*pos = end;
	return 0;
}

bool seal_map_written(struct inode *inode, u64 start, u64 end)
{
	u64 pos = start;

	return !map_walk(inode, start, end, NULL, check_written, &pos) &&
	       pos == end;
}

struct map_list {
	struct seal_map_extent	*extents;
	unsigned int		nr;
	unsigned int		max;
};

static int list_extent(void *arg, u64 start, u64 end, u64 physical, u32 flags)
{
	struct map_list *list = arg;

	if (list->nr == list->max)
		return 1;
	list->extents[list->nr++] = (struct seal_map_extent) {
		.start	= start,
		.end	= end,
		.physical = physical,
		.state	= range_state(flags),
	};
	return 0;
}

static int list(struct inode *inode, u64 start, u64 end, bool shared,
		struct seal_map_extent *extents, unsigned int max,
		const struct seal_limit *limit)
{
	struct map_list list = { .extents = extents, .max = max };
	int ret;

	ret = walk(inode, start, end, shared, limit, list_extent, &list);
	if (ret == -ENXIO)
		return -EOPNOTSUPP;
	return ret < 0 ? ret : list.nr;
}

int seal_map_list(struct inode *inode, u64 start, u64 end,
		  struct seal_map_extent *extents, unsigned int max,
		  const struct seal_limit *limit)
{
	return list(inode, start, end, true, extents, max, limit);
}

int seal_map_list_places(struct inode *inode, u64 start,
			 struct seal_map_extent *extents, unsigned int max,
			 const struct seal_limit *limit)
{
	return list(inode, start, U64_MAX, false, extents, max, limit);
}

static void first_offence(struct seal_offence *first, u32 *unmet, u32 require,
			  const struct seal_offence *offence)
{
	if (!offence->state)
		return;
	*unmet |= require;
	if (first->state && first->offset <= offence->offset)
		return;
	*first = *offence;
	first->require = require;
}

u32 seal_map_unmet(const struct seal_map_info *info, u32 require,
		   u64 max_extents, struct seal_offence *offence)
{
	const struct seal_offence cow = {
		.state	= info->sum.cow ? SEAL_RANGE_COW : SEAL_RANGE_NONE,
		.offset	= info->first_written,
		.length	= info->first_written_end - info->first_written,
	};
	u32 unmet = 0;

	memset(offence, 0, sizeof(*offence));
	if (require & SEAL_REQ_ALLOCATED)
		first_offence(offence, &unmet, SEAL_REQ_ALLOCATED,
			      &info->hole_at);
	if (require & SEAL_REQ_WRITTEN)
		first_offence(offence, &unmet, SEAL_REQ_WRITTEN,
			      &info->unwritten_at);
	if (require & SEAL_REQ_UNSHARED)
		first_offence(offence, &unmet, SEAL_REQ_UNSHARED,
			      info->shared_at.state ? &info->shared_at : &cow);
	if ((require & SEAL_REQ_EXTENTS) && info->sum.extents > max_extents) {
		if (!unmet)
			offence->require = SEAL_REQ_EXTENTS;
		unmet |= SEAL_REQ_EXTENTS;
	}
	return unmet;
}
