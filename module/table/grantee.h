/* SPDX-License-Identifier: GPL-2.0-only */
/* Who has been granted what; all under the lock of entry->change. */
#ifndef SEAL_GRANTEE_H
#define SEAL_GRANTEE_H

#include <linux/list.h>

#include "base/ranges.h"

struct inode;
struct seal_entry;
struct seal_session;

struct seal_grantee {
	struct list_head	list;
	struct seal_session	*session;	/* NULL: the sticky claim */
	struct seal_ranges	ranges;
	u64			grow_to;	/* COMMIT may move EOF up to here */
};

/* What is granted and committed: so many bytes, a power of two. */
u64 seal_grant_unit(struct inode *inode);
bool seal_grant_whole_units(struct inode *inode, u64 offset, u64 length);

/* What @session (NULL: the sticky claim) has been granted, or NULL. */
struct seal_grantee *seal_grantee_find(struct seal_entry *entry,
				       struct seal_session *session);

/*
 * [start, end) is @session's now, and no longer the sticky claim's. @flags:
 * SEAL_GRANT_*. If it fails, nothing has happened.
 */
int seal_grantee_add(struct seal_entry *entry, struct seal_session *session,
		     u32 flags, u64 start, u64 end);

/* It is not any more; of the sticky claim if @session is NULL. */
int seal_grantee_remove(struct seal_entry *entry, struct seal_session *session,
			u64 start, u64 end);

/* Forget who has nothing, and tell the gates and STATUS what is granted. */
void seal_grants_settle(struct seal_entry *entry);

/*
 * The claim of @session on @entry is going: its grants go with it. Takes the
 * lock itself.
 */
void seal_grants_leave(struct seal_entry *entry, struct seal_session *session);

/* The same for the sticky claim. */
void seal_grants_leave_sticky(struct seal_entry *entry);

/* The claim of @session (NULL: the sticky one) was revoked; change->lock held. */
void seal_grants_drop(struct seal_entry *entry, struct seal_session *session);

/* Free what the last claim has left. */
void seal_grants_free(struct seal_entry *entry);

#endif /* SEAL_GRANTEE_H */
