// SPDX-License-Identifier: GPL-2.0-only
/* A holder changes the map: one task at a time, and nobody joins meanwhile. */
#include <linux/fs.h>
#include <linux/wait.h>

#include "claim.h"

/* The entry if it is held so, with another claim on it, or why not. */
static struct seal_entry *change_find(struct seal_session *session,
				      struct inode *inode)
{
	struct seal_entry *entry = ERR_PTR(-EACCES);
	struct seal_claim *claim;

	if (session)
		mutex_lock(&session->lock);
	mutex_lock(&seal_table_lock);
	if (session) {
		claim = seal_session_find(session, inode);
		if (claim)
			entry = claim->holder.entry ?: ERR_PTR(-EOWNERDEAD);
	} else {
		entry = seal_entry_find(inode);
		if (!entry || !entry->sticky)
			entry = ERR_PTR(-EACCES);
	}
	if (!IS_ERR(entry)) {
		entry->claims++;
		entry->changers++;
	}
	mutex_unlock(&seal_table_lock);
	if (session)
		mutex_unlock(&session->lock);
	return entry;
}

/* Claims may have been dropped, and others have come, since it was found. */
static int change_start(struct seal_entry *entry, struct seal_session *session,
			bool grow)
{
	struct seal_claim *claim = NULL;
	int ret = 0;

	if (session)
		mutex_lock(&session->lock);
	mutex_lock(&seal_table_lock);
	if (session)
		claim = seal_session_find(session, entry->inode);
	if (session ? !claim : !entry->sticky)
		ret = -EACCES;
	else if (claim && seal_claim_revoked(claim))
		ret = -EOWNERDEAD;
	else if (grow && entry->claims - entry->changers !=
			 (session ? 1 : 0) + !!entry->sticky)
		ret = -EBUSY;
	else
		WRITE_ONCE(entry->growing, grow);
	mutex_unlock(&seal_table_lock);
	if (session)
		mutex_unlock(&session->lock);
	return ret;
}

struct seal_entry *seal_change_begin(struct seal_session *session,
				     struct inode *inode, bool grow)
{
	struct seal_entry *entry = change_find(session, inode);
	int ret = -EINTR;

	if (IS_ERR(entry))
		return entry;
	if (!mutex_lock_killable(&entry->change_lock)) {
		ret = change_start(entry, session, grow);
		if (!ret)
			return entry;
		mutex_unlock(&entry->change_lock);
	}
	seal_entry_drop(entry, 1, NULL);
	return ERR_PTR(ret);
}

void seal_change_end(struct seal_entry *entry, bool grow)
{
	if (grow) {
		mutex_lock(&seal_table_lock);
		WRITE_ONCE(entry->growing, false);
		mutex_unlock(&seal_table_lock);
		wake_up_all(&seal_state_changed);
	}
	mutex_unlock(&entry->change_lock);
	seal_entry_drop(entry, 1, NULL);
}
