/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who holds a sealed inode: a claim is one session's hold on an entry, or a
 * sticky one.
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

#include "base/lock.h"
#include "table/entry.h"

struct file;
struct seal_event;

/*
 * Who holds claims, and what was asked for: mostly the same for all files of a
 * session, so their claims share it.
 */
struct seal_holder {
	refcount_t		users;
	pid_t			pid;		/* process, initial namespace */
	kuid_t			uid;
	u32			require;
	u64			max_extents;
	struct seal_session	*session;	/* NULL: sticky */
	u32			recall_ms;	/* 0: not to be asked */
	char			comm[TASK_COMM_LEN];
};

/* A file, still known after its claim was revoked. */
struct seal_file_key {
	u64			ino;
	u32			generation;
	dev_t			dev;
};

struct seal_claim {
	struct rb_node		node;		/* of the session, by @key */
	struct list_head	siblings;	/* on the same entry */
	struct seal_holder	*holder;
	struct seal_entry	*entry;		/* NULL: it was revoked */
	u64			id;		/* never used again */
	u64			since;		/* ns since 1970 */
	struct seal_file_key	key;
};

struct seal_session {
	struct mutex		lock;		/* protects @claims, @holder */
	struct rb_root		claims;
	struct seal_holder	*holder;	/* of the last request, or NULL */
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
	struct seal_limit	limit;
	/* results */
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

/* Claims are numbered in the order in which they are made: the newest one. */
u64 seal_last_claim(void);

/* A claim as seal_claims_walk() shows it. */
struct seal_claim_info {
	const struct seal_claim	*claim;
	const struct seal_entry	*entry;
	u32			flags;		/* SEAL_STATUS_* */
	u64			refused;
	u64			broken;
	const char		*path;		/* NULL: cannot be reached */
	bool			deleted;
};

/* The claim with this number, or NULL. With the table locked. */
struct seal_claim *seal_claim_find(u64 id);

/*
 * Call @fn for the claims numbered from *@next to @last, until it returns
 * something else than 0, and return that. *@next is the number of the claim
 * @fn did not take, or beyond @last. @page: a page for paths. May sleep; @fn
 * is called with locks held and must not.
 */
int seal_claims_walk(u64 *next, u64 last, char *page,
		     int (*fn)(void *arg, const struct seal_claim_info *info),
		     void *arg);

/* --- for those who make, change and drop them --- */

/* Current, for claims of @session or sticky ones; NULL: no memory. */
struct seal_holder *seal_holder_get(struct seal_session *session,
				    const struct seal_request *req);
/* NULL is none. */
void seal_holder_put(struct seal_holder *holder);

/* A claim for @holder, with a number, on nothing yet; NULL: no memory. */
struct seal_claim *seal_claim_alloc(struct seal_holder *holder);
/* Free it, if it was not attached. NULL is none. */
void seal_claim_free(struct seal_claim *claim);
/* The same for one that was detached. */
void seal_claim_forget(struct seal_claim *claim);
/*
 * @claim, which holds a reference to @entry, is its holder's from now on. With
 * the table locked, and the session.
 */
void seal_claim_attach(struct seal_claim *claim, struct seal_entry *entry);
/*
 * Take a claim off its entry: what it held, with the reference, and an event
 * to tell it with (of type 0: nobody listens). NULL if it was revoked. With the
 * table locked.
 */
struct seal_entry *seal_claim_detach(struct seal_claim *claim, u32 type,
				     u32 why, struct seal_event *event);
/* That of @session, which is locked, on @inode, revoked or not; or NULL. */
struct seal_claim *seal_session_find(struct seal_session *session,
				     struct inode *inode);
bool seal_claim_revoked(const struct seal_claim *claim);
/* What there is to be told of a claim. With the table locked. */
void seal_claim_event(const struct seal_claim *claim, u32 type, u32 why,
		      struct seal_event *event);

/* --- asking holders to let go, see recall.h; with the table locked --- */

/*
 * Somebody who waits for the holders of a file. Those that wait for one file
 * share a recall, which lasts until the last of them has gone.
 */
struct seal_ticket {
	struct list_head	list;
	u64			entry_id;
	u64			recall;		/* number; 0: none was left to be asked */
	u64			deadline;	/* ns since 1970 */
	unsigned long		end;		/* the same in jiffies */
};

void seal_ticket_add(struct seal_ticket *ticket);
void seal_ticket_remove(struct seal_ticket *ticket);
/* The recall of an entry, as one of those that wait has it, or NULL. */
const struct seal_ticket *seal_ticket_find(u64 entry_id);

/* Ask one: by an event, and through its session. */
void seal_claim_ask(struct seal_claim *claim, const struct seal_ticket *ticket,
		    const char *gate);
/*
 * Is this one being asked? If so, tell a claim that has just come, or forget
 * that a claim which goes was told.
 */
bool seal_claim_recalled(const struct seal_claim *claim);
void seal_claim_recall(struct seal_claim *claim);
void seal_claim_unrecall(struct seal_claim *claim);

int seal_claims_init(void);
void seal_claims_exit(void);

#endif /* SEAL_CLAIM_H */
