/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Granted blocks: what a holder may let others write to through the device,
 * and have converted afterwards.
 */
#ifndef SEAL_GRANT_H
#define SEAL_GRANT_H

#include <linux/types.h>

#include "uapi/seal.h"

struct file;
struct seal_session;

/* @grant is filled in; @extents has room for @grant->nr_extents. */
int seal_grant_blocks(struct seal_session *session, struct file *file,
		      struct seal_grant *grant,
		      struct seal_grant_extent *extents);

int seal_grant_release(struct seal_session *session, struct file *file,
		       const struct seal_release *release);

#endif /* SEAL_GRANT_H */
