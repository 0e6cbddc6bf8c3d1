/* SPDX-License-Identifier: GPL-2.0-only */
/* Dropping and revoking claims. */
#ifndef SEAL_RELEASE_H
#define SEAL_RELEASE_H

#include <linux/types.h>

struct inode;
struct seal_entry;
struct seal_event;
struct seal_session;

/*
 * Drop one count of entry->claims; the last one unseals. @event, or NULL, is
 * queued afterwards, but before the file can be sealed again. May sleep.
 */
void seal_entry_put(struct seal_entry *entry, struct seal_event *event);
/* The same, with the path added to @event; an event of type 0 is not queued. */
void seal_entry_put_tell(struct seal_entry *entry, struct seal_event *event);

/* Drop the claim that seal_entry_get_changer() has added. */
void seal_entry_put_changer(struct seal_entry *entry);

/* Drop the claim of @session on @inode. Returns 0, also if there is none. */
int seal_unclaim(struct seal_session *session, struct inode *inode);
/* Drop the lasting claim on @inode. Returns 0, also if there is none. */
int seal_unclaim_sticky(struct inode *inode);
/*
 * Drop the lasting claim with this number. Returns 0; -ENOENT: no claim has
 * this number; -EBUSY: it is the claim of a session; -EPERM: the caller neither
 * owns the file nor has CAP_FOWNER.
 */
int seal_unclaim_number(u64 id);

/*
 * Revoke all claims on @inode. *@revoked gets the number of claims that were
 * revoked. Returns 0; -EINTR: killed before all of them were; -EBUSY: a holder
 * was changing the map until the end of the limit, and none was.
 */
int seal_revoke(struct inode *inode, u32 *revoked);

/*
 * Drop all claims of a session, and free it: at once if they are few, else soon.
 * No other task uses the session. @why, an enum seal_why, is told to listeners.
 */
void seal_session_close(struct seal_session *session, u32 why);

int seal_release_init(void);
void seal_release_exit(void);

#endif /* SEAL_RELEASE_H */
