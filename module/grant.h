/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Granted blocks: what a holder may let others write to through the device,
 * and have converted afterwards.
 */
#ifndef SEAL_GRANT_H
#define SEAL_GRANT_H

#include <linux/types.h>

#include "../uapi/seal.h"

struct file;
struct inode;
struct seal_entry;
struct seal_session;

/* @grant is filled in; @extents has room for @grant->nr_extents. */
int seal_grant_blocks(struct seal_session *session, struct file *file,
		      struct seal_grant *grant,
		      struct seal_grant_extent *extents);

int seal_grant_commit(struct seal_session *session, struct file *file,
		      struct seal_commit *commit,
		      const struct seal_commit_range *ranges);

int seal_grant_release(struct seal_session *session, struct file *file,
		       const struct seal_release *release);

/* The claim of @session on @entry is going: its grants go with it. */
void seal_grants_leave(struct seal_entry *entry, struct seal_session *session);

/* The same for the sticky claim. */
void seal_grants_leave_sticky(struct seal_entry *entry);

/* The claim of @session (NULL: the sticky one) was revoked; change->lock held. */
void seal_grants_drop(struct seal_entry *entry, struct seal_session *session);

/* Free what the last claim has left. */
void seal_grants_free(struct seal_entry *entry);

#endif /* SEAL_GRANT_H */
