// SPDX-License-Identifier: GPL-2.0-only
/* A holder changes the map of a sealed file: one task at a time. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "base/lock.h"
#include "changes/change.h"
#include "gates/tripwire.h"
#include "map/map.h"
#include "sealing/release.h"
#include "table/claim.h"
#include "table/grantee.h"

#define REREAD_TRIES	5

/*
 * Find the entry on which @session (NULL: the lasting claim) has a claim, and
 * add a claim to it for the change; or return the reason as an ERR_PTR.
 */
static struct seal_entry *change_find(struct seal_session *session,
				      struct inode *inode,
				      struct seal_change **fresh)
{
	struct seal_entry *entry = ERR_PTR(-EACCES);
	struct seal_claim *claim;

	if (session)
		mutex_lock(&session->lock);
	spin_lock(&seal_table_lock);
	if (session) {
		claim = seal_session_find(session, inode);
		if (claim)
			entry = claim->entry ?: ERR_PTR(-EOWNERDEAD);
	} else {
		entry = seal_entry_find(inode);
		if (!entry || !entry->sticky)
			entry = ERR_PTR(-EACCES);
	}
	if (!IS_ERR(entry))
		seal_entry_get_changer(entry, fresh);
	spin_unlock(&seal_table_lock);
	if (session)
		mutex_unlock(&session->lock);
	return entry;
}

/*
 * The lock of the change is held now. Look at the claims again: they may have
 * been dropped, and others may have come, since the entry was found.
 */
static int change_start(struct seal_entry *entry, struct seal_session *session,
			bool grow)
{
	struct seal_claim *claim = NULL;
	int ret = 0;

	if (session)
		mutex_lock(&session->lock);
	spin_lock(&seal_table_lock);
	if (session)
		claim = seal_session_find(session, entry->inode);
	if (session ? !claim : !entry->sticky)
		ret = -EACCES;
	else if (claim && seal_claim_revoked(claim))
		ret = -EOWNERDEAD;
	else if (grow && entry->claims - seal_entry_change(entry)->changers !=
			 (session ? 1 : 0) + entry->sticky)
		ret = -EBUSY;
	else
		WRITE_ONCE(entry->growing, grow);
	spin_unlock(&seal_table_lock);
	if (session)
		mutex_unlock(&session->lock);
	return ret;
}

bool seal_change_claimed(struct seal_entry *entry,
			 struct seal_session *session)
{
	struct seal_claim *claim;
	bool claimed;

	mutex_lock(&session->lock);
	spin_lock(&seal_table_lock);
	claim = seal_session_find(session, entry->inode);
	claimed = claim && claim->entry == entry;
	spin_unlock(&seal_table_lock);
	mutex_unlock(&session->lock);
	return claimed;
}

struct seal_entry *seal_change_begin(struct seal_session *session,
				     struct inode *inode, bool grow,
				     const struct seal_limit *limit)
{
	struct seal_change *change = seal_change_alloc(GFP_KERNEL_ACCOUNT);
	struct seal_entry *entry;
	int ret;

	if (!change)
		return ERR_PTR(-ENOMEM);
	entry = change_find(session, inode, &change);
	kfree(change);
	if (IS_ERR(entry))
		return entry;
	/* others have it while they change the map, and wait for a disk then */
	ret = seal_mutex_lock(&seal_entry_change(entry)->lock, limit,
			      SEAL_CHANGING);
	if (!ret) {
		ret = change_start(entry, session, grow);
		if (!ret)
			return entry;
		seal_grants_unlock(entry);
	}
	seal_entry_put_changer(entry);
	return ERR_PTR(ret);
}

void seal_change_end(struct seal_entry *entry, bool grow)
{
	if (grow) {
		spin_lock(&seal_table_lock);
		WRITE_ONCE(entry->growing, false);
		spin_unlock(&seal_table_lock);
		wake_up_all(&seal_state_changed);
	}
	seal_grants_unlock(entry);
	seal_entry_put_changer(entry);
}

void seal_change_allow(struct seal_entry *entry)
{
	WRITE_ONCE(seal_entry_change(entry)->changer, current);
}

void seal_change_forbid(struct seal_entry *entry)
{
	WRITE_ONCE(seal_entry_change(entry)->changer, NULL);
}

void seal_change_reread(struct seal_entry *entry)
{
	struct seal_table *table;
	char reason[SEAL_REASON_LEN];
	struct seal_map_info info;
	int tries, ret = -ENOMEM;

	for (tries = 0; ret == -ENOMEM && tries < REREAD_TRIES; tries++) {
		table = kzalloc(sizeof(*table), GFP_KERNEL);
		if (!table)
			continue;
		ret = seal_map_reread(entry->inode, &info, &table->ranges,
				      reason);
		if (!ret) {
			seal_entry_publish(entry, table, &info.sum);
			return;
		}
		seal_table_free(table);
	}
	/* STATUS now tells of a map that is out of date: the seal is broken */
	atomic64_inc(&entry->changes);
	seal_report_broken(entry, "by its holder, and it cannot be read again");
}

int seal_may_change(struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
}

int seal_change_enter(struct file *file, const struct seal_limit *limit)
{
	/* as mnt_want_write_file() */
	return __mnt_is_readonly(file->f_path.mnt) ? -EROFS :
						     seal_map_get(limit);
}

void seal_change_leave(void)
{
	seal_map_put();
}

int seal_change_thawed(struct file *file, int (*try)(void *arg), void *arg)
{
	struct super_block *sb = file_inode(file)->i_sb;
	int ret;

	while ((ret = try(arg)) == -EAGAIN) {
		/* mnt_want_write_file() would sleep, whatever signal comes */
		ret = seal_write_access_wait(sb);
		if (ret)
			break;
		sb_end_write(sb);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return ret;
}

int seal_change_error(int error, char *reason)
{
	if (error == -EACCES)
		strscpy(reason, "the file is not sealed by this session",
			SEAL_REASON_LEN);
	else if (error == -EBUSY && !reason[0])
		strscpy(reason, "somebody else holds the file sealed, too",
			SEAL_REASON_LEN);
	return error;
}
