/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sealed files of which devices are made.
 *
 * The UUID of such a device, which the kernel keeps, names its file: it has the
 * device of the filesystem and the handle of the file. There is no state on
 * disk that could be out of date, and none is left after a reboot.
 */
#ifndef SEALCTL_EXPORT_H
#define SEALCTL_EXPORT_H

#include <sys/stat.h>

#include "base/sealctl.h"
#include "export/dm.h"

#define EXPORT_ID_LEN	130

struct export_id {
	char text[EXPORT_ID_LEN];	/* up to the last '-' */
};

/* id.c */
int export_id_of(int fd, struct export_id *id);
/* Find the device that was made of the file. Return: is there one? */
bool export_find(const struct export_id *id, char *name, size_t size);
/* The same by device and inode, for files that cannot be opened. */
bool export_find_inode(const struct stat *st, char *name, size_t size);
/* Is it the UUID of an export? @kept: the file had a lasting seal before. */
bool export_parse(const char *uuid, struct export_id *id, bool *kept);
void export_uuid(const struct export_id *id, bool kept,
		 char uuid[EXPORT_ID_LEN]);
/* Open the file by its handle, wherever it is now; -1 after a complaint. */
int export_open_file(const char *name, const struct export_id *id);

/* table.c: the file as segments of the devices below its filesystem */
int export_table(const char *path, int fd, struct dm_segments *segments);

/* cache.c: write back and drop the page cache; 0, or -1 after a complaint */
int export_drop_cache(const char *path, int fd);

#endif /* SEALCTL_EXPORT_H */
