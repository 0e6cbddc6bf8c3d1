// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device-mapper, through libdevmapper.
 */
#include <errno.h>
#include <inttypes.h>
#include <libdevmapper.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/dm.h"

static char error[256];

/* Keep the first error message of the library. */
static void remember(int level, const char *file, int line, int number,
		     const char *format, ...)
{
	va_list args;

	(void)file;
	(void)line;
	(void)number;
	/* Only warnings and worse, which have smaller numbers. */
	if ((level & 7) > 4 || error[0])
		return;
	va_start(args, format);
	vsnprintf(error, sizeof(error), format, args);
	va_end(args);
}

static struct dm_task *begin(int type)
{
	struct dm_task *task;

	error[0] = '\0';
	dm_log_with_errno_init(remember);
	task = dm_task_create(type);
	if (!task && !error[0])
		snprintf(error, sizeof(error), "out of memory");
	return task;
}

static int end(struct dm_task *task, int good)
{
	if (!good && !error[0])
		snprintf(error, sizeof(error), "%s",
			 task ? strerror(dm_task_get_errno(task)) :
				"out of memory");
	if (task)
		dm_task_destroy(task);
	return good ? 0 : -1;
}

const char *dm_error(void)
{
	return error;
}

int dm_segments_add(struct dm_segments *segments,
		    const struct dm_segment *segment)
{
	struct dm_segment *last, *list;

	if (segments->nr) {
		last = &segments->list[segments->nr - 1];
		if (last->start + last->length == segment->start &&
		    last->target + last->length == segment->target &&
		    last->major_number == segment->major_number &&
		    last->minor_number == segment->minor_number) {
			last->length += segment->length;
			return 0;
		}
	}
	/* The room is doubled, so that many extents do not take very long. */
	if (!(segments->nr & (segments->nr - 1))) {
		list = realloc(segments->list, (segments->nr ?
			       2 * segments->nr : 1) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		segments->list = list;
	}
	segments->list[segments->nr++] = *segment;
	return 0;
}

void dm_segments_free(struct dm_segments *segments)
{
	free(segments->list);
	*segments = (struct dm_segments){ 0 };
}

bool dm_segments_equal(const struct dm_segments *a,
		       const struct dm_segments *b)
{
	size_t i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (a->list[i].start != b->list[i].start ||
		    a->list[i].length != b->list[i].length ||
		    a->list[i].target != b->list[i].target ||
		    a->list[i].major_number != b->list[i].major_number ||
		    a->list[i].minor_number != b->list[i].minor_number)
			return false;
	return true;
}

static int take_target(struct dm_segments *segments, uint64_t start,
		       uint64_t length, const char *type, const char *params)
{
	struct dm_segment segment = { .start = start, .length = length };

	if (!type || strcmp(type, "linear") != 0) {
		snprintf(error, sizeof(error),
			 "it has a target of type \"%s\", only \"linear\" leaves blocks where they are",
			 type ? type : "none");
		return -1;
	}
	if (sscanf(params, "%u:%u %" SCNu64, &segment.major_number,
		   &segment.minor_number, &segment.target) != 3) {
		snprintf(error, sizeof(error), "its table is not understood");
		return -1;
	}
	if (!dm_segments_add(segments, &segment))
		return 0;
	snprintf(error, sizeof(error), "out of memory");
	return -1;
}

static int take_table(struct dm_task *task, struct dm_segments *segments)
{
	uint64_t start, length;
	char *type, *params;
	void *next = NULL;

	do {
		type = NULL;
		next = dm_get_next_target(task, next, &start, &length, &type,
					  &params);
		if (take_target(segments, start, length, type, params))
			return -1;
	} while (next);
	return 0;
}

static int run_table(struct dm_task *task, struct dm_segments *segments)
{
	int good;

	*segments = (struct dm_segments){ 0 };
	good = dm_task_run(task) && !take_table(task, segments);
	if (!good)
		dm_segments_free(segments);
	return end(task, good);
}

int dm_read_table(unsigned int major_number, unsigned int minor_number,
		  struct dm_segments *segments)
{
	struct dm_task *task = begin(DM_DEVICE_TABLE);

	if (!task || !dm_task_set_major(task, (int)major_number) ||
	    !dm_task_set_minor(task, (int)minor_number))
		return end(task, 0);
	return run_table(task, segments);
}

int dm_read_named_table(const char *name, struct dm_segments *segments)
{
	struct dm_task *task = begin(DM_DEVICE_TABLE);

	if (!task || !dm_task_set_name(task, name))
		return end(task, 0);
	return run_table(task, segments);
}

int dm_state_of(const char *name, struct dm_state *state)
{
	struct dm_task *task = begin(DM_DEVICE_INFO);
	struct dm_info info;

	*state = (struct dm_state){ 0 };
	if (!task || !dm_task_set_name(task, name) || !dm_task_run(task) ||
	    !dm_task_get_info(task, &info))
		return end(task, 0);
	state->exists = info.exists;
	if (info.exists) {
		state->open_count = (unsigned int)info.open_count;
		snprintf(state->uuid, sizeof(state->uuid), "%s",
			 dm_task_get_uuid(task));
	}
	return end(task, 1);
}

/* If udevd runs, it has made the links when this returns. */
static int run_and_wait(struct dm_task *task)
{
	uint32_t cookie = 0;
	int good;

	if (!dm_task_set_cookie(task, &cookie, 0))
		return end(task, 0);
	good = dm_task_run(task);
	dm_udev_wait(cookie);
	dm_task_update_nodes();
	return end(task, good);
}

static int add_targets(struct dm_task *task, const struct dm_segments *segments)
{
	const struct dm_segment *segment;
	char params[64];
	size_t i;

	for (i = 0; i < segments->nr; i++) {
		segment = &segments->list[i];
		snprintf(params, sizeof(params), "%u:%u %" PRIu64,
			 segment->major_number, segment->minor_number,
			 segment->target);
		if (!dm_task_add_target(task, segment->start, segment->length,
					"linear", params))
			return 0;
	}
	return 1;
}

int dm_create(const char *name, const char *uuid,
	      const struct dm_segments *segments)
{
	struct dm_task *task = begin(DM_DEVICE_CREATE);

	if (!task || !dm_task_set_name(task, name) ||
	    !dm_task_set_uuid(task, uuid) || !add_targets(task, segments))
		return end(task, 0);
	return run_and_wait(task);
}

int dm_remove(const char *name)
{
	struct dm_task *task = begin(DM_DEVICE_REMOVE);

	if (!task || !dm_task_set_name(task, name))
		return end(task, 0);
	return run_and_wait(task);
}
