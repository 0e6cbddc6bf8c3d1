/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of sealed inodes. It has one entry for each of them, which exists
 * as long as there is a claim on it.
 */
#ifndef SEAL_ENTRY_H
#define SEAL_ENTRY_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "map/map.h"

struct seal_fs;

/*
 * Gates look at this bit first. It is a bit of inode->i_flags that no kernel
 * uses. If bit and table disagree, the table is right; STATUS compares them.
 */
#define S_SEALED	BIT(30)
/*
 * A second private bit. A task that broke a pNFS layout of this inode may be
 * past its gate but has dropped i_rwsem to wait for the client. The bit is set
 * with i_rwsem held.
 */
#define S_LAYOUT_BROKEN	BIT(29)
/*
 * A third one: the file is sealed and every block up to its end is in place, so a
 * gate lets a write inside the file pass without a look into the table. Set and
 * cleared with i_rwsem held; only thaw may be without it, see seal_thaw_map().
 */
#define S_ALL_IN_PLACE	BIT(28)

/*
 * Why bits of the inode: a gate asks for every write of every file, without a
 * lock, and this word has been read anyway. Why these: the kernel gives out bits
 * from below, one in some years, and changes i_flags by masks of its own bits,
 * so these stay as they are. What it has given out does not reach them:
 */
#ifndef S_ANON_INODE
#define S_ANON_INODE	0	/* before 6.16 */
#endif
static_assert(!((S_SEALED | S_LAYOUT_BROKEN | S_ALL_IN_PLACE) &
		(S_SYNC | S_NOATIME | S_APPEND | S_IMMUTABLE | S_DEAD |
		 S_NOQUOTA | S_DIRSYNC | S_NOCMTIME | S_SWAPFILE | S_PRIVATE |
		 S_IMA | S_AUTOMOUNT | S_NOSEC | S_DAX | S_ENCRYPTED |
		 S_CASEFOLD | S_VERITY | S_KERNEL_FILE | S_ANON_INODE)));
static_assert(sizeof_field(struct inode, i_flags) >= sizeof(u32));

enum seal_entry_state {
	SEAL_ENTRY_SEALING,	/* its map is not final, see below */
	SEAL_ENTRY_SEALED,
	SEAL_ENTRY_LEAVING,	/* the last claim is gone, it is dismantled */
} __packed;

/* What the gates do for an entry. Sealing begins with SEAL_GATES_WATCHED. */
enum seal_gates_state {
	SEAL_GATES_WATCHED,	/* all calls pass; the first opens the gates */
	SEAL_GATES_OPEN,	/* all calls pass */
	SEAL_GATES_SHUT,	/* only calls inside entry->table pass */
} __packed;

/* The in-place ranges of a file: a write inside them changes no map. */

struct seal_table {
	struct seal_ranges	ranges;
	struct rcu_head		rcu;
};

/*
 * The change of a sealed map by a holder, and the blocks that are granted. Few
 * files need it: it is allocated when a holder first wants a change, and freed
 * with the entry.
 */
struct seal_change {
	/*
	 * One holder changes the map at a time, and waits for disks meanwhile.
	 * Protects the fields below. Who drops a claim does not wait for it.
	 */
	struct mutex		lock;
	/* the task that is changing the map; gates read it without the lock */
	struct task_struct	*changer;
	/* claims of tasks that have or want the lock; under seal_table_lock */
	unsigned int		changers;
	bool			unshared;	/* nobody may share blocks */
	u64			granted;	/* bytes */
	struct list_head	grantees;
	/*
	 * Is held for a moment only: to change the list, and what a grantee is
	 * after its claim was dropped, see grantee.h.
	 */
	spinlock_t		grantees_lock;
	bool			left;		/* seal_grants_settle() is due */
};

struct seal_entry {
	struct rhash_head	node;
	struct rcu_head		rcu;		/* after it left the table */
	u64			id;		/* never used again */
	struct inode		*inode;
	/* pins the inode and its mount */
	struct path		path;
	enum seal_entry_state	state;
	enum seal_gates_state	gates;
	bool			sticky;		/* it has a lasting claim */
	bool			recalls;	/* holds gates of recalls */
	bool			recalled;	/* holders are being asked */
	bool			growing;	/* nobody may join meanwhile */
	bool			layout_broken;	/* is still to be waited for */
	bool			small_folios;	/* no large ones, see folios.h */
	bool			resized;	/* size changed, reported */
	struct seal_fs		*fs;
	u32			folio_bits;	/* before small_folios */
	u32			fs_flags;	/* FS_*_FL when it was sealed */
	unsigned int		claims;		/* all, with temporary ones */
	unsigned int		sessions;	/* claims of sessions */
	struct list_head	holders;	/* claims that were attached */
	struct seal_table __rcu	*table;		/* writes that may pass */
	struct seal_map_sum	sum;
	u64			generation;	/* of @sum and @table */
	u64			switched;	/* see observers.h */
	/* NULL: no holder has changed the map */
	struct seal_change __rcu *change;
	atomic64_t		refused;
	/* changes of the map that tripwires saw since it was read */
	atomic64_t		changes;
	const char		*first_change;	/* the first function seen */
};

static inline bool seal_flagged(const struct inode *inode)
{
	return READ_ONCE(inode->i_flags) & S_SEALED;
}

/* Of a sealed file: may all writes pass that end inside the file? */
static inline bool seal_all_in_place(const struct inode *inode)
{
	return READ_ONCE(inode->i_flags) & S_ALL_IN_PLACE;
}

/*
 * The caller has a claim on @entry, or is in an RCU read-side section. A change
 * that was once there stays until the entry is freed.
 */
static inline struct seal_change *
seal_entry_change(const struct seal_entry *entry)
{
	return rcu_dereference_check(entry->change, true);
}

/* Is this task changing the map for a holder? Called like the above. */
static inline bool seal_entry_changing(const struct seal_entry *entry)
{
	const struct seal_change *change = seal_entry_change(entry);

	return change && READ_ONCE(change->changer) == current;
}

/* Changes that nobody asked for. If the entry is sealed, 0 or a broken seal. */
static inline u64 seal_changes(struct seal_entry *entry)
{
	return atomic64_read(&entry->changes);
}

/*
 * A gate is about to refuse a call: may the call pass because the gates are not
 * shut? If it passes, the gates are now open, and sealing (freeze.c) sees that.
 * If this returns false, entry->table may have been replaced when the gates
 * were shut, so a caller that decided by the table has to look at it again.
 */
static inline bool seal_gates_pass(struct seal_entry *entry)
{
	/*
	 * Pairs with flag() and seal_freeze_close() in freeze.c, which publish
	 * the table before they shut the gates.
	 */
	if (likely(smp_load_acquire(&entry->gates) == SEAL_GATES_SHUT))
		return false;
	cmpxchg(&entry->gates, SEAL_GATES_WATCHED, SEAL_GATES_OPEN);
	/* if they were shut just now, the table of that moment is seen */
	return smp_load_acquire(&entry->gates) != SEAL_GATES_SHUT;
}

/* The number of holders, as users see it. */
static inline u32 seal_entry_holders(const struct seal_entry *entry)
{
	return entry->sessions + entry->sticky;
}

/*
 * Return the entry of @inode, in any state, or NULL. The caller is in an RCU
 * read-side section, and the entry is valid until it ends.
 */
struct seal_entry *seal_lookup(struct inode *inode);

/*
 * Protects the table, the states and counts of entries, and their claims. Every
 * user of the module takes it. It is a spinlock because a task that has used up
 * its processor time would stop with a mutex: where it sleeps, where it is
 * preempted, or when it is given the mutex. All the others would wait for it.
 */
extern spinlock_t seal_table_lock;

/*
 * Has @inode the flag, and an entry in any state? The flag alone does not tell,
 * since it can outlive the entry for a moment.
 */
bool seal_is_sealed(struct inode *inode);

/* Woken when an entry has become settled, or was removed from the table. */
extern wait_queue_head_t seal_state_changed;

/* Like seal_lookup(); the caller holds seal_table_lock. */
struct seal_entry *seal_entry_find(struct inode *inode);

/*
 * Make an entry in state SEALING with one claim, which is not in the table yet.
 * NULL: no memory.
 */
struct seal_entry *seal_entry_alloc(struct file *file, struct seal_fs *fs,
				    u32 fs_flags);
/* Free an entry that is not in the table; memory goes after an RCU period. */
void seal_entry_free(struct seal_entry *entry);
/*
 * Insert an entry. The caller holds seal_table_lock, and the inode has no entry
 * in the table. Returns 0 or -errno.
 */
int seal_entry_insert(struct seal_entry *entry);
/* Take an entry out of the table. The caller holds seal_table_lock. */
void seal_entry_remove(struct seal_entry *entry);

/*
 * Is this task changing the map of @inode for a holder? Then the gates on the
 * functions that make the change let it pass. Needs no lock.
 */
bool seal_changing(struct inode *inode);

/*
 * Can a claim be added to @entry now? Without seal_table_lock the answer can be
 * out of date when it arrives.
 */
bool seal_entry_settled(const struct seal_entry *entry);
/*
 * Has @inode an entry to which no claim can be added at the moment? A condition
 * to sleep on, so it takes no lock.
 */
bool seal_entry_in_transit(struct inode *inode);

/*
 * Allocate a change for seal_entry_get_changer(), which may use it. The caller
 * frees it with kfree() if it was not used. NULL: no memory.
 */
struct seal_change *seal_change_alloc(gfp_t gfp);
/*
 * Add a claim for a task that is going to take change->lock. If the entry has
 * no change yet, @fresh becomes its change and is set to NULL. The caller holds
 * seal_table_lock.
 */
void seal_entry_get_changer(struct seal_entry *entry,
			    struct seal_change **fresh);

/* Replace entry->table, and free the old table after an RCU grace period. */
void seal_table_publish(struct seal_entry *entry, struct seal_table *table);
/* Free a table that was never published. */
void seal_table_free(struct seal_table *table);

/*
 * Replace table, summary and generation of @entry in one step, under
 * seal_table_lock. Takes over @table.
 */
void seal_entry_publish(struct seal_entry *entry, struct seal_table *table,
			const struct seal_map_sum *sum);

/*
 * The filesystem type of the entry, whose gates and tripwires are attached as
 * long as the entry exists.
 */
struct seal_fs *seal_entry_fs(const struct seal_entry *entry);

/* SEAL_STATUS_* of the entry itself. The caller holds seal_table_lock. */
u32 seal_entry_flags(struct seal_entry *entry);

/*
 * The path of an entry, in @page, a page of memory; NULL if it cannot be reached
 * from @root, the root directory of the current task. The caller holds
 * seal_table_lock or has a claim on the entry. Does not sleep, so it takes @root:
 * to give up a reference to a directory may sleep.
 */
char *seal_entry_path_page(const struct seal_entry *entry,
			   const struct path *root, char *page, bool *deleted);

/* The same as seen from the root directory of init. For kernel threads. */
char *seal_entry_path_init(const struct seal_entry *entry, char *page,
			   bool *deleted);

/*
 * The same for the file @inode if it still has the entry with number @id, in
 * memory from kmalloc(); NULL: it has not, or it cannot be reached, or no memory.
 * @inode is only compared. For kernel threads. May sleep.
 */
char *seal_entry_path(struct inode *inode, u64 id, bool *deleted);

/*
 * Has any file of this filesystem an entry, in any state? Needs no lock. A caller
 * that goes on if there is none is inside, see inside.h: then sealing waits for it.
 */
bool seal_any_on(struct super_block *sb);

/* A number for a map that is published. The caller holds seal_table_lock. */
u64 seal_new_generation(void);

int seal_entries_init(void);
void seal_entries_exit(void);

#endif /* SEAL_ENTRY_H */
