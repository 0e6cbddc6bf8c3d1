/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GRANT: a holder lets others write to blocks of a sealed file through the
 * device.
 */
#ifndef SEAL_GRANT_H
#define SEAL_GRANT_H

#include <linux/types.h>

#include "uapi/seal.h"

struct file;
struct seal_session;

/*
 * Grant the range of @grant to @session. @extents has room for
 * @grant->nr_extents items and gets the extents; the other results go into
 * @grant. Returns 0 or -errno. See struct seal_grant. May sleep.
 */
int seal_grant_blocks(struct seal_session *session, struct file *file,
		      struct seal_grant *grant,
		      struct seal_grant_extent *extents);

/* End grants. Returns 0 or -errno. See struct seal_release. May sleep. */
int seal_grant_release(struct seal_session *session, struct file *file,
		       const struct seal_release *release);

#endif /* SEAL_GRANT_H */
