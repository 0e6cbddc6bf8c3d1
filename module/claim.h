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

#include "entry.h"

struct file;
struct seal_status;

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
	/* results */
	u32			bad_index;
	u32			bad_state;
	u32			bad_require;
	u64			bad_offset;
	u64			bad_length;
	char			reason[SEAL_REASON_LEN];
};

int seal_claim_files(struct seal_session *session, struct seal_request *req);
int seal_unclaim(struct seal_session *session, struct inode *inode);
int seal_unclaim_sticky(struct inode *inode);
void seal_session_init(struct seal_session *session);

/* Take the file from all its holders, *@revoked of them. 0 or -EINTR. */
int seal_revoke(struct inode *inode, u32 *revoked);

/* -EOWNERDEAD if @session held @inode until that was revoked, else 0. */
int seal_session_check(struct seal_session *session, struct inode *inode);

/* Drop all its claims; @why for those who listen: enum seal_why. */
void seal_session_end(struct seal_session *session, u32 why);

int seal_query(struct seal_session *session, struct file *file,
	       struct seal_status *status);

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

/*
 * Call @fn for the claims numbered from *@next to @last, until it returns
 * something else than 0, and return that. *@next is the number of the claim
 * @fn did not take, or beyond @last. @page: a page for paths. May sleep; @fn
 * is called with locks held and must not.
 */
int seal_claims_walk(u64 *next, u64 last, char *page,
		     int (*fn)(void *arg, const struct seal_claim_info *info),
		     void *arg);

/* --- for sealing.c, change.c and query.c --- */

/* Current, for claims of @session or sticky ones; NULL: no memory. */
struct seal_holder *seal_holder_get(struct seal_session *session,
				    const struct seal_request *req);
/* NULL is none. */
void seal_holder_put(struct seal_holder *holder);

/* A claim for @holder, with a number, on nothing yet; NULL: no memory. */
struct seal_claim *seal_claim_alloc(struct seal_holder *holder);
/* Free it, if it was not attached. NULL is none. */
void seal_claim_free(struct seal_claim *claim);
/*
 * @claim, which holds a reference to @entry, is its holder's from now on. With
 * the table locked, and the session.
 */
void seal_claim_attach(struct seal_claim *claim, struct seal_entry *entry);
/* That of @session, which is locked, on @inode, revoked or not; or NULL. */
struct seal_claim *seal_session_find(struct seal_session *session,
				     struct inode *inode);
bool seal_claim_revoked(const struct seal_claim *claim);
/* What there is to be told of a claim. With the table locked. */
void seal_claim_event(const struct seal_claim *claim, u32 type, u32 why,
		      struct seal_event *event);

int seal_claims_init(void);
void seal_claims_exit(void);

#endif /* SEAL_CLAIM_H */
