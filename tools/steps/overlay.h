/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A qcow2 file over a raw one, with a bitmap of what differs from another.
 */
#ifndef SEALCTL_OVERLAY_H
#define SEALCTL_OVERLAY_H

#include "base/sealctl.h"

#define OVERLAY_BITMAP "changed"	/* its name, unless another is given */

struct overlay {
	const char *old_path;
	const char *new_path;
	const char *name;	/* of the bitmap */
	const char *output;	/* what is written, for people */
	uint32_t granularity;	/* 0: the default */
	int old_fd;
	int new_fd;
	struct seal_bitmap_info info;
};

/* What was given as the granularity. Return: 0, or -1 after having told. */
int overlay_granularity(const char *text, uint32_t *granularity);

/* Open both files for reading. Return: 0, or -1 after having told. */
int overlay_open(struct overlay *overlay);
void overlay_close(struct overlay *overlay);

/* Compare them, write the overlay to @fd. Return: 0, or -1 after having told. */
int overlay_write(struct overlay *overlay, int fd);

/* Say so if what was compared looks like a mistake. */
void overlay_warn(const struct overlay *overlay);

#endif /* SEALCTL_OVERLAY_H */
