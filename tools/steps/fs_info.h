/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the module about itself and about filesystems.
 */
#ifndef SEALCTL_FS_INFO_H
#define SEALCTL_FS_INFO_H

#include "base/sealctl.h"

/* @fs gets an array of info->nr_fs entries, which the caller frees. */
int get_info(struct seal_session *session, struct seal_info *info,
	     struct seal_fs_info **fs);

/* The entry of the filesystem that @fd is on; NULL: it cannot be sealed at all. */
const struct seal_fs_info *find_fs_info(const struct seal_info *info,
					const struct seal_fs_info *fs, int fd);

#endif /* SEALCTL_FS_INFO_H */
