// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two files that are sealed together while a bitmap is made of what differs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "core/bitmap.h"
#include "core/diff.h"
#include "core/private.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A map is read by the seal, which may be gone: then that is the reason. */
static bool lost_seal(int error)
{
	return error == -EACCES || error == -EOWNERDEAD;
}

static int compare(struct seal_bitmap *bitmap, struct seal_diff *diff,
		   uint32_t granularity)
{
	uint64_t old_size, new_size;
	int check, ret;

	seal_diff_sizes(diff, &old_size, &new_size);
	ret = bitmap_begin(bitmap, old_size, new_size, granularity);
	if (!ret)
		ret = bitmap_compare(bitmap, diff);
	if (ret && !lost_seal(ret))
		return ret;
	check = seal_diff_check(diff);
	return check ? check : ret;
}

static int make(struct seal_bitmap *bitmap, int old_fd, int new_fd,
		uint32_t granularity, struct seal_files *report)
{
	uint64_t start = now_ns();
	struct seal_diff *diff;
	int ret;

	ret = seal_diff_open(old_fd, new_fd, &diff, report);
	if (ret)
		return ret;
	ret = diff_ask_seal(diff);
	/* A file that is in use is not the same any more when it is backed up. */
	if (!ret)
		ret = read_only(seal_diff_reading(diff), 0, new_fd, report);
	if (!ret)
		ret = compare(bitmap, diff, granularity);
	seal_diff_close(diff);
	bitmap->info.held_ns = now_ns() - start;
	return ret;
}

SEAL_EXPORT int seal_bitmap_open_sized(int old_fd, int new_fd,
				       uint32_t granularity,
				       struct seal_bitmap **bitmap,
				       struct seal_files *report, size_t size)
{
	struct seal_files whole = {
		.size = sizeof(whole),
		.bad_index = SEAL_NO_INDEX,
	};
	struct seal_bitmap *new = calloc(1, sizeof(*new));
	int ret = -ENOMEM;

	if (new)
		ret = make(new, old_fd, new_fd, granularity, &whole);
	if (report)
		seal_give(report, size, &whole, sizeof(whole));
	if (ret) {
		seal_bitmap_close(new);
		return ret;
	}
	*bitmap = new;
	return 0;
}

SEAL_EXPORT void seal_bitmap_close(struct seal_bitmap *bitmap)
{
	if (!bitmap)
		return;
	bitmap_free(bitmap);
	free(bitmap);
}
