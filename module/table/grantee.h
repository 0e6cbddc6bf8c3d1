/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To whom blocks of a sealed file are granted. The caller of every function
 * holds the lock of entry->change, if nothing else is said.
 *
 * The owner of that lock waits for disks, and for other tasks. Who drops a claim,
 * perhaps because the process ends, must not wait for him. So that task only marks
 * the grantee, under change->grantees_lock, and the owner of the lock sees it:
 * before it gives anything to the grantee, and when it releases the lock.
 */
#ifndef SEAL_GRANTEE_H
#define SEAL_GRANTEE_H

#include <linux/list.h>

#include "base/ranges.h"

struct inode;
struct seal_entry;
struct seal_session;

struct seal_grantee {
	struct list_head	list;
	/* these two also change without change->lock, see above */
	struct seal_session	*session;	/* NULL: the lasting claim */
	bool			gone;		/* its claim was dropped: nobody */
	struct seal_ranges	ranges;
	/* the greatest file size that COMMIT may set */
	u64			grow_to;
};

/* Grants and commits are multiples of this many bytes, a power of two. */
u64 seal_grant_unit(struct inode *inode);
/* Is this a non-empty range of whole units? */
bool seal_grant_whole_units(struct inode *inode, u64 offset, u64 length);

/* The grantee of @session (NULL: of the lasting claim), or NULL. */
struct seal_grantee *seal_grantee_find(struct seal_entry *entry,
				       struct seal_session *session);

/*
 * Grant [start, end) to @session, and take it from the lasting claim. @flags:
 * SEAL_GRANT_*. Returns 0; -ENOMEM; -EACCES: its claim was dropped meanwhile. If it
 * fails, no grant has changed. The caller looks afterwards whether the claim is
 * still there: if not, seal_grants_leave() may have been called before.
 */
int seal_grantee_add(struct seal_entry *entry, struct seal_session *session,
		     u32 flags, u64 start, u64 end);

/*
 * Take [start, end) back from @session (NULL: from the lasting claim). Returns
 * 0 or -ENOMEM.
 */
int seal_grantee_remove(struct seal_entry *entry, struct seal_session *session,
			u64 start, u64 end);

/*
 * Free grantees that have nothing, and update what gates and STATUS read about
 * grants. To be called after every change of them.
 */
void seal_grants_settle(struct seal_entry *entry);

/* Why change->lock was not free in time. */
#define SEAL_CHANGING	"another holder is changing the map of the file"

/* Release change->lock, after what came due while it was held. */
void seal_grants_unlock(struct seal_entry *entry);

/*
 * The claim of @session on @entry was detached: its grants go to the lasting
 * claim, if there is one, else they end. Needs no lock and waits for nobody.
 */
void seal_grants_leave(struct seal_entry *entry, struct seal_session *session);
/* The same with the lock held. */
void seal_grants_leave_locked(struct seal_entry *entry,
			      struct seal_session *session);

/* The lasting claim was detached: its grants end. Waits for nobody, either. */
void seal_grants_leave_sticky(struct seal_entry *entry);

/* The claim of @session (NULL: the lasting one) was revoked: end its grants. */
void seal_grants_drop(struct seal_entry *entry, struct seal_session *session);

/* Free the grantees of an entry that has no claim any more. Takes no lock. */
void seal_grants_free(struct seal_entry *entry);

#endif /* SEAL_GRANTEE_H */
