// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Comparing two maps, block by block.
 */
#include <errno.h>

#include "core/diff.h"
#include "core/private.h"

/* A uniform part of a side, from the current position on. */
struct part {
	uint64_t end;
	uint64_t physical;	/* 0: none */
	uint32_t state;
	bool absent;		/* it is beyond the end of the file */
};

static bool has_data(const struct part *part)
{
	return part->state == SEAL_RANGE_WRITTEN ||
	       part->state == SEAL_RANGE_SHARED;
}

static bool is_zero(const struct part *part)
{
	return part->state == SEAL_RANGE_HOLE ||
	       part->state == SEAL_RANGE_UNWRITTEN;
}

/* Describe a side at @pos. Blocks beyond the end of its file do not count. */
static int look(struct diff_side *side, uint64_t pos, struct part *part)
{
	struct seal_extent *extent = &side->extent;
	uint64_t end;
	int ret;

	*part = (struct part){ .end = UINT64_MAX };
	if (side->fd < 0 || pos >= side->size) {
		part->absent = true;
		return 0;
	}
	while (!side->end && extent->logical + extent->length <= pos) {
		ret = seal_map_next(side->map, extent);
		if (ret < 0)
			return ret;
		side->end = !ret;
	}
	/* The map ended before EOF, so it has changed. */
	if (side->end)
		return -ESTALE;
	end = extent->logical + extent->length;
	part->end = end < side->size ? end : side->size;
	part->state = extent->state;
	if (has_data(part) || extent->state == SEAL_RANGE_UNWRITTEN)
		part->physical = extent->physical + (pos - extent->logical);
	return 0;
}

/* Do the two parts differ? Fills in kind and reason. */
static bool differ(const struct part *old, const struct part *new,
		   bool same_filesystem, struct seal_diff_range *range)
{
	if (new->absent) {
		range->kind = SEAL_DIFF_GONE;
		range->reason = SEAL_DIFF_SIZE;
		return true;
	}
	range->kind = is_zero(new) ? SEAL_DIFF_ZERO : SEAL_DIFF_DATA;
	if (old->absent) {
		range->reason = SEAL_DIFF_SIZE;
		return true;
	}
	if ((!is_zero(new) && !has_data(new)) ||
	    (!is_zero(old) && !has_data(old))) {
		range->reason = SEAL_DIFF_NO_ADDRESS;
		return true;
	}
	range->reason = is_zero(old) == is_zero(new) ? SEAL_DIFF_ADDRESS :
						       SEAL_DIFF_STATE;
	if (is_zero(old) && is_zero(new)) {
		range->kind = SEAL_DIFF_LAYOUT;
		if (old->state != new->state) {
			range->reason = SEAL_DIFF_STATE;
			return true;
		}
		if (old->state == SEAL_RANGE_HOLE)
			return false;
	}
	if (!same_filesystem) {
		range->reason = SEAL_DIFF_FILESYSTEM;
		return true;
	}
	return is_zero(old) != is_zero(new) || old->physical != new->physical;
}

int diff_part(struct seal_diff *diff, struct seal_diff_range *range,
	      bool *different)
{
	uint64_t pos = diff->pos;
	struct part old, new;
	int ret;

	ret = look(&diff->old, pos, &old);
	if (!ret)
		ret = look(&diff->new, pos, &new);
	if (ret)
		return ret;
	if (old.absent && new.absent)
		return 0;
	*range = (struct seal_diff_range){
		.offset = pos,
		.old_physical = old.physical,
		.new_physical = new.physical,
		.old_state = old.state,
		.new_state = new.state,
	};
	diff->pos = old.end < new.end ? old.end : new.end;
	range->length = diff->pos - pos;
	*different = differ(&old, &new, diff->same_filesystem, range);
	return 1;
}

int diff_step(struct seal_diff *diff, struct seal_diff_range *range)
{
	bool different = false;
	int ret;

	do
		ret = diff_part(diff, range, &different);
	while (ret > 0 && !different);
	return ret;
}

static bool follows(uint64_t before, uint64_t length, uint64_t after)
{
	return before ? after == before + length : !after;
}

static bool extends(const struct seal_diff_range *range,
		    const struct seal_diff_range *next)
{
	return next->offset == range->offset + range->length &&
	       next->kind == range->kind && next->reason == range->reason &&
	       next->old_state == range->old_state &&
	       next->new_state == range->new_state &&
	       follows(range->old_physical, range->length, next->old_physical) &&
	       follows(range->new_physical, range->length, next->new_physical);
}

int diff_merged(struct seal_diff *diff, struct seal_diff_range *range)
{
	struct seal_diff_range next;
	int ret;

	if (!diff->pending) {
		ret = diff_step(diff, &diff->range);
		if (ret <= 0)
			return ret;
	}
	*range = diff->range;
	diff->pending = false;
	while ((ret = diff_step(diff, &next)) > 0) {
		if (!extends(range, &next)) {
			diff->range = next;
			diff->pending = true;
			break;
		}
		range->length += next.length;
	}
	return ret < 0 ? ret : 1;
}

SEAL_EXPORT const char *seal_diff_kind_name(uint32_t kind)
{
	switch (kind) {
	case SEAL_DIFF_DATA:
		return "data";
	case SEAL_DIFF_ZERO:
		return "zero";
	case SEAL_DIFF_LAYOUT:
		return "layout";
	case SEAL_DIFF_GONE:
		return "gone";
	default:
		return "unknown";
	}
}

SEAL_EXPORT const char *seal_diff_reason_name(uint32_t reason)
{
	switch (reason) {
	case SEAL_DIFF_ADDRESS:
		return "other blocks";
	case SEAL_DIFF_STATE:
		return "other state";
	case SEAL_DIFF_SIZE:
		return "beyond one end";
	case SEAL_DIFF_NO_ADDRESS:
		return "no address to compare";
	case SEAL_DIFF_FILESYSTEM:
		return "different filesystem";
	default:
		return "unknown";
	}
}
