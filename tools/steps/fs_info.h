/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the module about itself and about filesystems.
 */
#ifndef SEALCTL_FS_INFO_H
#define SEALCTL_FS_INFO_H

#include <libseal.h>

/* @fs gets an array of info->nr_fs entries, which the caller frees. */
int get_info(struct seal_session *session, struct seal_info *info,
	     struct seal_fs_info **fs);

#endif /* SEALCTL_FS_INFO_H */
