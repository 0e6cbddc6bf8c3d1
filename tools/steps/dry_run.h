/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sealctl seal --dry-run: print what would happen, without doing it.
 */
#ifndef SEALCTL_DRY_RUN_H
#define SEALCTL_DRY_RUN_H

#include "base/sealctl.h"

int dry_run(struct seal_session *session, const struct file_list *list,
	    const struct requirements *require, bool prepare);

#endif /* SEALCTL_DRY_RUN_H */
