/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sealed inodes and who holds them.
 *
 * An entry is one sealed inode; a claim is one session's hold on an entry. An
 * entry lives while it has a claim, sticky or not.
 */
#ifndef SEAL_CLAIM_H
#define SEAL_CLAIM_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

#include "map.h"

/*
 * Fast filter in the gates: a bit of inode->i_flags no kernel uses. The table
 * is the truth; STATUS compares the two.
 */
#define S_SEALED	BIT(30)
/*
 * Another one: who broke a layout of this file may have passed a gate and be
 * without the lock now. Set with i_rwsem held.
 */
#define S_LAYOUT_BROKEN	BIT(29)

struct seal_fs;
struct file;
struct seal_claim;
struct seal_status;

enum seal_entry_state {
	SEAL_ENTRY_SEALING,	/* gates shut, map not read yet */
	SEAL_ENTRY_SEALED,
	SEAL_ENTRY_LEAVING,	/* last claim gone, being taken apart */
};

struct seal_table {
	struct seal_ranges	ranges;
	struct rcu_head		rcu;
};

/* Who holds a claim, what was asked for, and since when. */
struct seal_holder {
	u64			id;		/* never used again */
	u64			since;		/* ns since 1970 */
	u64			max_extents;
	u32			require;
	u32			recall_ms;	/* 0: not to be asked */
	bool			recalled;	/* it is being asked */
	struct seal_entry	*entry;		/* NULL: it was revoked */
	bool			sticky;
	pid_t			pid;		/* process, initial namespace */
	kuid_t			uid;
	char			comm[TASK_COMM_LEN];
};

struct seal_entry {
	struct rhash_head	node;
	struct list_head	list;
	u64			id;		/* never used again */
	struct inode		*inode;
	struct path		path;		/* pins the inode and its mount */
	struct seal_fs		*fs;
	enum seal_entry_state	state;
	unsigned int		claims;		/* sticky one and pins included */
	unsigned int		sessions;	/* claims of sessions */
	struct list_head	holders;	/* claims that were taken */
	unsigned int		recallers;	/* of them, those that can be asked */
	bool			recalls;	/* there were some */
	u64			recall;		/* number of the one under way, or 0 */
	u64			recall_time;	/* its deadline, ns since 1970 */
	unsigned long		recall_end;	/* the same in jiffies */
	unsigned int		recall_waiters;
	struct seal_claim	*sticky;	/* NULL: there is none */
	bool			cow;		/* no block is overwritten in place */
	bool			layout_broken;	/* not waited for yet */
	bool			small_folios;	/* large ones were switched off */
	unsigned long		folio_bits;	/* what they were */
	u32			fs_flags;	/* FS_*_FL when it was sealed */
	struct seal_table __rcu	*table;		/* writes that may pass */
	struct seal_map_info	info;
	u64			generation;	/* of @info and @table */
	/* grant.c; a holder changes the map */
	struct mutex		change_lock;
	struct task_struct	*changer;	/* doing it now, under the lock */
	unsigned int		changers;	/* claims that wait for the lock */
	bool			growing;	/* nobody may join in */
	bool			unshared;	/* and has to stay so */
	struct list_head	grantees;
	u64			granted;	/* bytes */
	atomic64_t		refused;
	atomic64_t		changes;	/* of the map, as tripwires see it */
	u64			changes_read;	/* before @info was read */
	struct rcu_head		rcu;
};

struct seal_session {
	struct mutex		lock;		/* protects @claims */
	struct list_head	claims;
	/*
	 * Claims that were revoked and not dropped yet, or are being recalled;
	 * under the table's lock.
	 */
	unsigned int		alerts;
	wait_queue_head_t	wait;		/* for alerts */
};

struct seal_request {
	struct file		**files;
	unsigned int		nr;
	u32			require;
	u64			max_extents;
	u32			recall_ms;
	bool			sticky;
	/* results */
	u32			bad_index;
	u32			bad_state;
	u32			bad_require;
	u64			bad_offset;
	u64			bad_length;
	char			reason[SEAL_REASON_LEN];
};

static inline bool seal_flagged(const struct inode *inode)
{
	return READ_ONCE(inode->i_flags) & S_SEALED;
}

/* Changes of the map since it was read: none, or the seal is broken. */
static inline u64 seal_changes(struct seal_entry *entry)
{
	return atomic64_read(&entry->changes) - entry->changes_read;
}

/* Claims on an entry, as users count them. */
static inline u32 seal_entry_holders(const struct seal_entry *entry)
{
	return entry->sessions + (entry->sticky ? 1 : 0);
}

/* The entry of a sealed inode; valid inside the RCU section. */
struct seal_entry *seal_lookup(struct inode *inode);

int seal_claim_files(struct seal_session *session, struct seal_request *req);
int seal_unclaim(struct seal_session *session, struct inode *inode);
int seal_unclaim_sticky(struct inode *inode);
void seal_session_init(struct seal_session *session);

/* Take the file from all its holders, *@revoked of them. 0 or -EINTR. */
int seal_revoke(struct inode *inode, u32 *revoked);

/* A recall somebody waits for; recall.h. */
struct seal_recall_ticket {
	u64		entry_id;
	unsigned long	end;		/* jiffies */
};

/*
 * False: not all holders can be asked, or current is one of them. True also if
 * the last one is just letting go.
 */
bool seal_recall_begin(struct inode *inode, const char *gate,
		       struct seal_recall_ticket *ticket);
/* Until @inode is not held any more, the end, or a fatal signal. */
void seal_recall_wait(struct inode *inode,
		      const struct seal_recall_ticket *ticket);
void seal_recall_end(struct inode *inode,
		     const struct seal_recall_ticket *ticket);

/* -EOWNERDEAD if @session held @inode until that was revoked, else 0. */
int seal_session_check(struct seal_session *session, struct inode *inode);

/* Drop all its claims; @why for those who listen: enum seal_why. */
void seal_session_end(struct seal_session *session, u32 why);

/*
 * A holder is about to change the map: the entry of @inode that @session has a
 * claim on (NULL: that has a sticky claim), pinned, with its change_lock taken.
 * With @grow nobody else may hold it, or join until the end. -EACCES: no such
 * claim; -EBUSY: others hold it; -EINTR.
 */
struct seal_entry *seal_change_begin(struct seal_session *session,
				     struct inode *inode, bool grow);
void seal_change_end(struct seal_entry *entry, bool grow);

/* Replace table, map and generation, as one step. Takes over @table. */
void seal_entry_publish(struct seal_entry *entry, struct seal_table *table,
			const struct seal_map_info *info);

int seal_query(struct seal_session *session, struct file *file,
	       struct seal_status *status);

/*
 * Where a sealed file is, seen from the root directory of current: kmalloc()ed,
 * NULL if it cannot be reached from there, is not sealed any more, or there is
 * no memory. @id: of the entry of @inode. May sleep.
 */
char *seal_entry_path(struct inode *inode, u64 id, bool *deleted);

/* A claim as seal_claims_walk() shows it. */
struct seal_claim_info {
	const struct seal_holder *holder;
	const struct seal_entry	*entry;
	u32			flags;		/* SEAL_STATUS_* */
	u64			refused;
	u64			broken;
	const char		*path;		/* NULL: cannot be reached */
	bool			deleted;
};

/* The number of the newest claim, for seal_claims_walk(). */
u64 seal_claims_last(void);

/*
 * Call @fn for the claims numbered from *@next to @last, until it returns
 * something else than 0, and return that. *@next is the number of the claim
 * @fn did not take, or beyond @last. @page: a page for paths. May sleep; @fn
 * is called with locks held and must not.
 */
int seal_claims_walk(u64 *next, u64 last, char *page,
		     int (*fn)(void *arg, const struct seal_claim_info *info),
		     void *arg);

/* Is any file of this superblock sealed? May sleep. */
bool seal_any_on(struct super_block *sb);

int seal_claims_init(void);
void seal_claims_exit(void);

#endif /* SEAL_CLAIM_H */
