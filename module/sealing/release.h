/* SPDX-License-Identifier: GPL-2.0-only */
/* Letting go of sealed inodes. */
#ifndef SEAL_RELEASE_H
#define SEAL_RELEASE_H

#include <linux/types.h>

struct inode;
struct seal_entry;
struct seal_event;
struct seal_session;

/*
 * Drop one claim; the last one unseals. @event, or NULL, tells that: it is sent
 * when it is done and before the file can be sealed again.
 */
void seal_entry_put(struct seal_entry *entry, struct seal_event *event);
/* With the path in @event; one of type 0 is not sent. */
void seal_entry_put_tell(struct seal_entry *entry, struct seal_event *event);

/* What seal_entry_get_changer() added. */
void seal_entry_put_changer(struct seal_entry *entry);

int seal_unclaim(struct seal_session *session, struct inode *inode);
int seal_unclaim_sticky(struct inode *inode);
/* The sticky claim with this number, wherever its file is now. */
int seal_unclaim_number(u64 id);

/* Take the file from all its holders, *@revoked of them. 0 or -EINTR. */
int seal_revoke(struct inode *inode, u32 *revoked);

/* Drop all its claims; @why for those who listen: enum seal_why. */
void seal_session_end(struct seal_session *session, u32 why);

#endif /* SEAL_RELEASE_H */
