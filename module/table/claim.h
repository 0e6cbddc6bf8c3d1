/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Claims. A claim is the hold of one session on the entry of a sealed inode, or
 * a lasting one (STICKY), which belongs to no session.
 */
#ifndef SEAL_CLAIM_H
#define SEAL_CLAIM_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "base/lock.h"
#include "table/entry.h"

struct file;
struct seal_event;

/*
 * Who holds a claim, and what was asked for. This is mostly the same for all
 * files of a session, so their claims share one seal_holder.
 */
struct seal_holder {
	refcount_t		users;
	pid_t			pid;		/* process, initial namespace */
	kuid_t			uid;
	u32			require;
	u64			max_extents;
	struct seal_session	*session;	/* NULL: a lasting claim */
	u32			recall_ms;	/* 0: it cannot be asked */
	char			comm[TASK_COMM_LEN];
};

/* Identifies the file of a claim, also after the claim was revoked. */
struct seal_file_key {
	u64			ino;
	u32			generation;
	dev_t			dev;
};

struct seal_claim {
	struct rb_node		node;		/* of the session, by @key */
	struct list_head	siblings;	/* of entry->holders */
	struct seal_holder	*holder;
	struct seal_entry	*entry;		/* NULL: it was revoked */
	u64			id;		/* never used again */
	u64			since;		/* ns since 1970 */
	struct seal_file_key	key;
};

struct seal_session {
	struct mutex		lock;		/* protects @claims, @holder */
	struct rb_root		claims;
	/* of the last request, to be shared by the next one, or NULL */
	struct seal_holder	*holder;
	/*
	 * The number of claims that were revoked but not dropped yet, or are
	 * being recalled. Written under seal_table_lock.
	 */
	unsigned int		alerts;
	wait_queue_head_t	wait;		/* for alerts */
	/* when it has been closed, see seal_session_close() */
	struct work_struct	work;
	u32			why;
};

struct seal_request {
	struct file		**files;
	unsigned int		nr;
	u32			require;
	u64			max_extents;
	u32			recall_ms;
	bool			sticky;
	struct seal_limit	limit;		/* for all waits together */
	/* results; offset and length in bytes */
	u32			bad_index;
	u32			bad_state;
	u32			bad_require;
	u64			bad_offset;
	u64			bad_length;
	char			reason[SEAL_REASON_LEN];
};

void seal_session_init(struct seal_session *session);

/* -EOWNERDEAD if @session held @inode until that was revoked, else 0. */
int seal_session_check(struct seal_session *session, struct inode *inode);

/* The number of the newest claim. Claims are numbered as they are made. */
u64 seal_last_claim(void);

/*
 * A claim as seal_claims_walk() shows it: a copy, because the claim itself may
 * be dropped at any time.
 */
struct seal_claim_info {
	u64			id;
	u64			since;		/* ns since 1970 */
	pid_t			pid;
	kuid_t			uid;
	char			comm[TASK_COMM_LEN];
	u32			require;
	u64			max_extents;
	u32			flags;		/* SEAL_STATUS_* */
	u32			holders;
	u64			refused;
	u64			broken;
	struct seal_map_sum	sum;
	u64			ino;
	dev_t			dev;
	kuid_t			owner;		/* of the file */
	const char		*path;		/* NULL: cannot be reached */
	bool			deleted;
};

/* The claim with this number, or NULL. The caller holds seal_table_lock. */
struct seal_claim *seal_claim_find(u64 id);

/*
 * Call @fn for the claims with numbers from *@next to @last until it returns
 * something other than 0, and return that. Afterwards *@next is the number of
 * the claim for which @fn did so, or greater than @last. @page is a page of
 * memory for paths. seal_table_lock is held only while a claim is copied: @fn may
 * sleep.
 */
int seal_claims_walk(u64 *next, u64 last, char *page,
		     int (*fn)(void *arg, const struct seal_claim_info *info),
		     void *arg);

/* --- for those who make, change and drop claims --- */

/*
 * A holder for the current task and @req, of @session unless a lasting claim is
 * asked for. The caller puts it. NULL: no memory.
 */
struct seal_holder *seal_holder_get(struct seal_session *session,
				    const struct seal_request *req);
/* Does nothing for NULL. */
void seal_holder_put(struct seal_holder *holder);

/* Make a claim for @holder, with a number, on no entry. NULL: no memory. */
struct seal_claim *seal_claim_alloc(struct seal_holder *holder);
/* Free a claim that was never attached. Does nothing for NULL. */
void seal_claim_free(struct seal_claim *claim);
/* Free a claim that was detached. */
void seal_claim_forget(struct seal_claim *claim);
/*
 * Make @claim a claim of its holder on @entry. One count of entry->claims of
 * the caller becomes that of the claim. The caller holds session->lock and
 * seal_table_lock.
 */
void seal_claim_attach(struct seal_claim *claim, struct seal_entry *entry);
/*
 * Take a claim off its entry. Returns the entry; the caller gets its count of
 * entry->claims, and in @event what listeners are to be told (type 0: there is
 * no listener). Returns NULL if the claim was revoked before. The caller holds
 * seal_table_lock.
 */
struct seal_entry *seal_claim_detach(struct seal_claim *claim, u32 type,
				     u32 why, struct seal_event *event);
/*
 * The claim of @session on @inode, revoked or not, or NULL. The caller holds
 * session->lock.
 */
struct seal_claim *seal_session_find(struct seal_session *session,
				     struct inode *inode);
bool seal_claim_revoked(const struct seal_claim *claim);
/* Fill in an event about a claim. The caller holds seal_table_lock. */
void seal_claim_event(const struct seal_claim *claim, u32 type, u32 why,
		      struct seal_event *event);

/* --- asking holders to let go, see recall.h; under seal_table_lock --- */

/*
 * A task that waits for the holders of a file. Tasks that wait for the same
 * file share one recall, which ends with the last of them.
 */
struct seal_ticket {
	struct list_head	list;
	u64			entry_id;
	/* the number of the recall; 0: the last holder is already leaving */
	u64			recall;
	u64			deadline;	/* ns since 1970 */
	unsigned long		end;		/* the deadline in jiffies */
};

void seal_ticket_add(struct seal_ticket *ticket);
void seal_ticket_remove(struct seal_ticket *ticket);
/* A ticket of the recall of an entry, from any task that waits, or NULL. */
const struct seal_ticket *seal_ticket_find(u64 entry_id);

/* Ask the holder of @claim: by an event, and by POLLPRI on its session. */
void seal_claim_ask(struct seal_claim *claim, const struct seal_ticket *ticket,
		    const char *gate);
/* Is the holder of @claim being asked to let go? */
bool seal_claim_recalled(const struct seal_claim *claim);
/* A recall is in progress: ask the holder of a new claim, too. */
void seal_claim_recall(struct seal_claim *claim);
/* @claim goes, or the recall ends: take back the alert of its session. */
void seal_claim_unrecall(struct seal_claim *claim);

int seal_claims_init(void);
void seal_claims_exit(void);

#endif /* SEAL_CLAIM_H */
