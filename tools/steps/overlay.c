// SPDX-License-Identifier: GPL-2.0-only
/*
 * A qcow2 file over a raw one, with a bitmap of what differs from another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "steps/compare.h"
#include "steps/overlay.h"

int overlay_granularity(const char *text, uint32_t *granularity)
{
	uint64_t size;

	if (parse_size(text, &size) || size < SEAL_BITMAP_MIN_GRANULARITY ||
	    size > SEAL_BITMAP_MAX_GRANULARITY || (size & (size - 1))) {
		complain(text, "not a granularity; give a power of two from 512 to 64M");
		return -1;
	}
	*granularity = (uint32_t)size;
	return 0;
}

static int compare(struct overlay *overlay, struct seal_bitmap **bitmap)
{
	struct seal_files report;
	int ret = seal_bitmap_open(overlay->old_fd, overlay->new_fd,
				   overlay->granularity, bitmap, &report);

	switch (ret) {
	case 0:
		seal_bitmap_info(*bitmap, &overlay->info);
		return 0;
	case -ENODATA:
		complain(overlay->new_path, "it is empty, there is nothing to back up");
		return -1;
	case -EFBIG:
		complain(overlay->new_path,
			 "the bitmap would be larger than 512 MiB, and programs would not take it; give a coarser granularity");
		return -1;
	case -ESTALE:
	case -EBUSY:
		/* Refused, unless nothing is said about why. */
		if (!report.reason[0]) {
			compare_failed(overlay->new_path, ret, "the bitmap");
			return -1;
		}
		break;
	}
	compare_refused(overlay->old_path, overlay->new_path, ret, &report);
	return -1;
}

/* The overlay has the path of the file: does it lead to the one that was compared? */
static int check_path(const struct overlay *overlay, const char *path)
{
	struct stat named, compared;

	if (stat(path, &named) < 0 || fstat(overlay->new_fd, &compared) < 0) {
		complain(overlay->new_path, "%s", strerror(errno));
		return -1;
	}
	if (named.st_dev == compared.st_dev && named.st_ino == compared.st_ino)
		return 0;
	complain(overlay->new_path,
		 "its name was given to another file meanwhile; use a copy that \"sealctl snapshot\" makes");
	return -1;
}

static int write_bitmap(const struct overlay *overlay,
			const struct seal_bitmap *bitmap, int fd)
{
	char *path = realpath(overlay->new_path, NULL);
	int ret;

	if (!path) {
		complain(overlay->new_path, "%s", strerror(errno));
		return -1;
	}
	ret = seal_bitmap_write(bitmap, fd, overlay->name, path);
	if (ret)
		complain(overlay->output, "writing it: %s", strerror(-ret));
	else
		ret = check_path(overlay, path);
	free(path);
	return ret;
}

/* A file that changed is not the one that was compared. */
static int check_unchanged(const struct overlay *overlay,
			   const struct stat *before)
{
	struct stat now;

	if (fstat(overlay->new_fd, &now) < 0) {
		complain(overlay->new_path, "%s", strerror(errno));
		return -1;
	}
	if (now.st_size == before->st_size &&
	    now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
		return 0;
	complain(overlay->new_path,
		 "it was written to meanwhile; use a copy that \"sealctl snapshot\" makes");
	return -1;
}

static bool good_name(const char *name)
{
	if (*name && strlen(name) <= 1023)
		return true;
	complain(name, "not a name for a bitmap; give one of 1 to 1023 bytes");
	return false;
}

int overlay_open(struct overlay *overlay)
{
	if (!good_name(overlay->name) || !have_module())
		return -1;
	overlay->old_fd = open_file(overlay->old_path, O_RDONLY);
	if (overlay->old_fd < 0)
		return -1;
	overlay->new_fd = open_file(overlay->new_path, O_RDONLY);
	if (overlay->new_fd >= 0)
		return 0;
	close(overlay->old_fd);
	return -1;
}

void overlay_close(struct overlay *overlay)
{
	close(overlay->old_fd);
	close(overlay->new_fd);
}

int overlay_write(struct overlay *overlay, int fd)
{
	struct seal_bitmap *bitmap;
	struct stat before;
	int ret;

	if (fstat(overlay->new_fd, &before) < 0) {
		complain(overlay->new_path, "%s", strerror(errno));
		return -1;
	}
	if (compare(overlay, &bitmap))
		return -1;
	ret = write_bitmap(overlay, bitmap, fd);
	seal_bitmap_close(bitmap);
	return ret ? ret : check_unchanged(overlay, &before);
}

static bool is_older(const struct overlay *overlay)
{
	struct stat old, new;

	if (fstat(overlay->old_fd, &old) < 0 ||
	    fstat(overlay->new_fd, &new) < 0)
		return false;
	if (new.st_mtim.tv_sec != old.st_mtim.tv_sec)
		return new.st_mtim.tv_sec < old.st_mtim.tv_sec;
	return new.st_mtim.tv_nsec < old.st_mtim.tv_nsec;
}

void overlay_warn(const struct overlay *overlay)
{
	const struct seal_bitmap_info *info = &overlay->info;

	if (!info->dirty_bytes)
		return;
	if (!info->same_bytes)
		complain(overlay->new_path,
			 "warning: no block of it is one of the other file, so all data count as changed; are they reflinked copies (\"sealctl snapshot\") of one file?");
	else if (is_older(overlay))
		complain(overlay->new_path,
			 "warning: it was written to before the other file; the older one comes first");
}
