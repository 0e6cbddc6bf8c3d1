/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether what is to be allocated fits into the filesystem.
 */
#ifndef SEALCTL_SPACE_H
#define SEALCTL_SPACE_H

#include "base/sealctl.h"

/* Is there space for the holes, and for copies of shared blocks? */
bool space_suffices(int fd, const struct seal_status *status, uint64_t *need,
		    uint64_t *space);

/* The same. Return: 0, or -ENOSPC after a complaint. */
int space_check(const char *path, int fd, const struct seal_status *status);

#endif /* SEALCTL_SPACE_H */
