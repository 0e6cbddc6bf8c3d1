/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sealed inodes. An entry is one of them; it lives while it has a claim, sticky
 * or not.
 */
#ifndef SEAL_ENTRY_H
#define SEAL_ENTRY_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "map/map.h"

struct seal_fs;

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

enum seal_entry_state {
	SEAL_ENTRY_SEALING,	/* map not known yet, see below */
	SEAL_ENTRY_SEALED,
	SEAL_ENTRY_LEAVING,	/* last claim gone, being taken apart */
} __packed;

/* What the gates do for an entry; sealing begins with the first one. */
enum seal_gates_state {
	SEAL_GATES_WATCHED,	/* all pass; the first one opens them */
	SEAL_GATES_OPEN,	/* all pass */
	SEAL_GATES_SHUT,	/* what is in the table passes */
} __packed;

struct seal_table {
	struct seal_ranges	ranges;
	struct rcu_head		rcu;
};

/*
 * Who changes the map, and to whom blocks are granted. Few files need it: it is
 * made when the first holder wants to, and kept as long as the entry.
 */
struct seal_change {
	struct mutex		lock;		/* one at a time */
	struct task_struct	*changer;	/* doing it now, under the lock */
	unsigned int		changers;	/* claims that wait for the lock */
	bool			unshared;	/* and has to stay so */
	struct list_head	grantees;
	u64			granted;	/* bytes */
};

struct seal_entry {
	struct rhash_head	node;
	union {
		struct list_head	list;	/* as long as it is in the table */
		struct rcu_head		rcu;	/* afterwards */
	};
	u64			id;		/* never used again */
	struct inode		*inode;
	struct path		path;		/* pins the inode and its mount */
	enum seal_entry_state	state;
	enum seal_gates_state	gates;
	bool			sticky;		/* there is such a claim */
	bool			recalls;	/* claims could be asked; holds gates for it */
	bool			recalled;	/* they are being asked, see recall.c */
	bool			growing;	/* by a holder: nobody may join in */
	bool			layout_broken;	/* not waited for yet */
	bool			small_folios;	/* no large ones, see folios.h */
	bool			resized;	/* under the seal, and told */
	struct seal_fs		*fs;
	u32			folio_bits;	/* what they were */
	u32			fs_flags;	/* FS_*_FL when it was sealed */
	unsigned int		claims;		/* sticky one and pins included */
	unsigned int		sessions;	/* claims of sessions */
	struct list_head	holders;	/* claims that were taken */
	struct seal_table __rcu	*table;		/* writes that may pass */
	struct seal_map_sum	sum;
	u64			generation;	/* of @sum and @table */
	u64			switched;	/* kprobes, see observers.h */
	struct seal_change __rcu *change;	/* NULL: no holder has wanted to */
	atomic64_t		refused;
	/* of the map, as tripwires see it, since it was read */
	atomic64_t		changes;
	const char		*first_change;	/* what saw one first */
};

static inline bool seal_flagged(const struct inode *inode)
{
	return READ_ONCE(inode->i_flags) & S_SEALED;
}

/* With a claim on it, or inside the RCU section; once there, it stays. */
static inline struct seal_change *
seal_entry_change(const struct seal_entry *entry)
{
	return rcu_dereference_check(entry->change, true);
}

/* The same. Is this task changing the map for a holder? */
static inline bool seal_entry_changing(const struct seal_entry *entry)
{
	const struct seal_change *change = seal_entry_change(entry);

	return change && READ_ONCE(change->changer) == current;
}

/* None, or the seal is broken. */
static inline u64 seal_changes(struct seal_entry *entry)
{
	return atomic64_read(&entry->changes);
}

/*
 * A gate is about to refuse: may the caller pass because the gates are not
 * shut? Who passes is seen by sealing (freeze.c). If not, and it was the table
 * that refused, it may have been replaced when the gates were shut: look again.
 */
static inline bool seal_gates_pass(struct seal_entry *entry)
{
	/* pairs with who shuts them: the table was published before */
	if (likely(smp_load_acquire(&entry->gates) == SEAL_GATES_SHUT))
		return false;
	cmpxchg(&entry->gates, SEAL_GATES_WATCHED, SEAL_GATES_OPEN);
	/* too late: they were shut, and the table they were shut with is seen */
	return smp_load_acquire(&entry->gates) != SEAL_GATES_SHUT;
}

/* Claims on an entry, as users count them. */
static inline u32 seal_entry_holders(const struct seal_entry *entry)
{
	return entry->sessions + entry->sticky;
}

/* The entry of a sealed inode; valid inside the RCU section. */
struct seal_entry *seal_lookup(struct inode *inode);

/* Entries, their states and counts, and the claims on them. */
extern struct mutex seal_table_lock;

/* Is there an entry, whatever its state? The flag of the inode may be out of date. */
bool seal_is_sealed(struct inode *inode);

/* Woken when an entry has settled or is gone. */
extern wait_queue_head_t seal_state_changed;

/* The same with the table locked; NULL if @inode is not sealed. */
struct seal_entry *seal_entry_find(struct inode *inode);

/* An entry in state SEALING with one claim, in no table yet. */
struct seal_entry *seal_entry_alloc(struct file *file, struct seal_fs *fs,
				    u32 fs_flags);
/* Free one that is in no table (any more). */
void seal_entry_free(struct seal_entry *entry);
/* With the table locked, and no entry of this inode in it. 0 or -errno. */
int seal_entry_insert(struct seal_entry *entry);
/* Take it out again. With the table locked. */
void seal_entry_remove(struct seal_entry *entry);

/*
 * Is this task changing the map of @inode for a holder? Gates on the functions
 * it does that with let it pass. RCU or not.
 */
bool seal_changing(struct inode *inode);

/* Can a claim be added to it now? For sure only with the table locked. */
bool seal_entry_settled(const struct seal_entry *entry);
/* Is there one to which no claim could be added a moment ago? */
bool seal_entry_in_transit(struct inode *inode);

/* What seal_entry_get_changer() may need; kfree() what it leaves. */
struct seal_change *seal_change_alloc(gfp_t gfp);
/*
 * Add a claim that waits for change->lock: the change @fresh becomes that of
 * the entry if there is none. With the table locked.
 */
void seal_entry_get_changer(struct seal_entry *entry,
			    struct seal_change **fresh);

/* Replace entry->table, and free the old one when nobody looks at it. */
void seal_table_publish(struct seal_entry *entry, struct seal_table *table);
/* Free a table that was never published. */
void seal_table_free(struct seal_table *table);

/* Replace table, map and generation, as one step. Takes over @table. */
void seal_entry_publish(struct seal_entry *entry, struct seal_table *table,
			const struct seal_map_sum *sum);

/* Its gates and tripwires are attached as long as the entry lives. */
struct seal_fs *seal_entry_fs(const struct seal_entry *entry);

/* SEAL_STATUS_* of the entry itself; with the table locked. */
u32 seal_entry_flags(struct seal_entry *entry);

/*
 * The path of an entry, in @page; NULL if current cannot reach it. With the
 * table locked.
 */
char *seal_entry_path_page(const struct seal_entry *entry, char *page,
			   bool *deleted);

/*
 * The same for kernel threads, seen from the root directory of init:
 * kmalloc()ed. With the table locked, or with a claim on the entry. May sleep.
 */
char *seal_entry_path_copy(const struct seal_entry *entry, bool *deleted);

/*
 * For kernel threads: where a sealed file is, seen from the root directory of
 * init: kmalloc()ed, NULL if it cannot be reached from there, is not sealed any
 * more, or there is no memory. @id: of the entry of @inode. May sleep.
 */
char *seal_entry_path(struct inode *inode, u64 id, bool *deleted);

/* Is any file of this superblock sealed? May sleep. */
bool seal_any_on(struct super_block *sb);

/* A number for a map that is published; with the table locked. */
u64 seal_new_generation(void);

int seal_entries_init(void);
void seal_entries_exit(void);

#endif /* SEAL_ENTRY_H */
