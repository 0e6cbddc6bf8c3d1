/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module says about itself and about filesystems.
 */
#ifndef SEALCTL_FS_INFO_H
#define SEALCTL_FS_INFO_H

#include <libseal.h>

/* @fs is allocated, info->nr_fs entries; the caller frees it. */
int get_info(struct seal_session *session, struct seal_info *info,
	     struct seal_fs_info **fs);

#endif /* SEALCTL_FS_INFO_H */
