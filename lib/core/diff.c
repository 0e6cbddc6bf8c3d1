// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two files that are sealed together while their maps are compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/diff.h"
#include "core/map.h"
#include "core/private.h"

static int side_open(struct diff_side *side, int fd, dev_t *device)
{
	struct stat st;

	side->fd = fd;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	side->size = (uint64_t)st.st_size;
	*device = st.st_dev;
	return seal_map_open(fd, &side->map);
}

/* Before the seek the map was at another place: it is read anew. */
static int side_seek(struct diff_side *side, uint64_t offset)
{
	int ret;

	if (side->fd < 0)
		return 0;
	seal_map_close(side->map);
	side->map = NULL;
	side->end = false;
	side->extent = (struct seal_extent){ 0 };
	ret = seal_map_open(side->fd, &side->map);
	if (!ret)
		side->map->pos = offset;
	return ret;
}

/* The files are sealed already: a map that was read before could be old. */
static int open_maps(struct seal_diff *diff, int old_fd, int new_fd)
{
	dev_t old_device = 0, new_device = 0;
	int ret;

	ret = side_open(&diff->old, old_fd, &old_device);
	if (!ret)
		ret = side_open(&diff->new, new_fd, &new_device);
	diff->same_filesystem = old_device == new_device;
	return ret;
}

SEAL_EXPORT int seal_diff_open_sized(int old_fd, int new_fd,
				     struct seal_diff **diff,
				     struct seal_files *report, size_t size)
{
	const struct seal_files none = { .bad_index = SEAL_NO_INDEX };
	const int fds[2] = { new_fd, old_fd };
	struct seal_diff *new;
	int ret;

	new = calloc(1, sizeof(*new));
	if (!new) {
		if (report)
			seal_give(report, size, &none, sizeof(none));
		return -ENOMEM;
	}
	ret = seal_read_open_sized(fds, old_fd < 0 ? 1 : 2, &new->reading,
				   report, size);
	if (!ret)
		ret = open_maps(new, old_fd, new_fd);
	if (ret) {
		seal_diff_close(new);
		return ret;
	}
	*diff = new;
	return 0;
}

int diff_ask_seal(struct seal_diff *diff)
{
	const struct seal_session *session = seal_read_session(diff->reading);
	int ret = 0;

	if (diff->old.map)
		ret = map_ask_seal(diff->old.map, session);
	return ret ? ret : map_ask_seal(diff->new.map, session);
}

static int check_side(struct seal_diff *diff, const struct diff_side *side)
{
	struct seal_status status;
	int ret;

	if (side->fd < 0)
		return 0;
	ret = seal_ask_status(seal_read_session(diff->reading), side->fd,
			      &status);
	if (ret)
		return ret;
	if (!(status.flags & SEAL_STATUS_HELD) ||
	    (status.flags & (SEAL_STATUS_REPAIRED | SEAL_STATUS_DISARMED |
			     SEAL_STATUS_MISSED | SEAL_STATUS_BROKEN)))
		return -ESTALE;
	return 0;
}

SEAL_EXPORT int seal_diff_check(struct seal_diff *diff)
{
	int lost, ret = check_side(diff, &diff->old);

	if (!ret)
		ret = check_side(diff, &diff->new);
	/* Asked last: it may be the reason why a seal is not there any more. */
	lost = seal_read_check(diff->reading);
	return lost ? lost : ret;
}

SEAL_EXPORT int seal_diff_next_sized(struct seal_diff *diff,
				     struct seal_diff_range *range, size_t size)
{
	struct seal_diff_range whole;
	int ret = diff_merged(diff, &whole);

	if (ret > 0)
		seal_give(range, size, &whole, sizeof(whole));
	return ret ? ret : seal_diff_check(diff);
}

SEAL_EXPORT int seal_diff_seek(struct seal_diff *diff, uint64_t offset)
{
	int ret;

	if (offset > INT64_MAX)
		return -EINVAL;
	diff->pos = offset;
	diff->pending = false;
	ret = side_seek(&diff->old, offset);
	return ret ? ret : side_seek(&diff->new, offset);
}

SEAL_EXPORT int seal_diff_rewind(struct seal_diff *diff)
{
	return seal_diff_seek(diff, 0);
}

SEAL_EXPORT void seal_diff_sizes(const struct seal_diff *diff,
				 uint64_t *old_size, uint64_t *new_size)
{
	*old_size = diff->old.size;
	*new_size = diff->new.size;
}

SEAL_EXPORT struct seal_session *seal_diff_session(const struct seal_diff *diff)
{
	return seal_read_session(diff->reading);
}

SEAL_EXPORT struct seal_read *seal_diff_reading(const struct seal_diff *diff)
{
	return diff->reading;
}

SEAL_EXPORT void seal_diff_close(struct seal_diff *diff)
{
	if (!diff)
		return;
	seal_map_close(diff->old.map);
	seal_map_close(diff->new.map);
	seal_read_close(diff->reading);
	free(diff);
}
