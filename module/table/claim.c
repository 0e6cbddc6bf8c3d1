// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims: who holds a sealed inode, telling others, and asking it to let go.
 *
 * Locks, outermost first: session->lock, seal_table_lock. The former is not held
 * while i_rwsem is waited for or data is written; the latter is a spinlock.
 */
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/list.h>
#include <linux/path.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "table/claim.h"
#include "table/events.h"

/*
 * All claims by number, that is, in order of age. Numbers are given to claims
 * only: an unused index would take as much memory as a used one.
 */
static DEFINE_XARRAY_FLAGS(claims, XA_FLAGS_ACCOUNT);

/* The tickets of all tasks that wait, under seal_table_lock. There are few. */
static LIST_HEAD(tickets);

static struct kmem_cache *claim_cache;
static atomic64_t last_id;

u64 seal_last_claim(void)
{
	return atomic64_read(&last_id);
}

static struct seal_file_key file_key(const struct inode *inode)
{
	return (struct seal_file_key){
		.ino		= inode->i_ino,
		.generation	= inode->i_generation,
		.dev		= inode->i_sb->s_dev,
	};
}

static int key_cmp(const struct seal_file_key *a, const struct seal_file_key *b)
{
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->generation != b->generation)
		return a->generation < b->generation ? -1 : 1;
	return 0;
}

static int claim_cmp(const void *key, const struct rb_node *node)
{
	return key_cmp(key, &rb_entry(node, struct seal_claim, node)->key);
}

static bool claim_before(struct rb_node *a, const struct rb_node *b)
{
	return claim_cmp(&rb_entry(a, struct seal_claim, node)->key, b) < 0;
}

static bool same_holder(const struct seal_holder *a,
			const struct seal_holder *b)
{
	return a->session == b->session && a->pid == b->pid &&
	       uid_eq(a->uid, b->uid) && a->require == b->require &&
	       a->max_extents == b->max_extents &&
	       a->recall_ms == b->recall_ms && !strcmp(a->comm, b->comm);
}

struct seal_holder *seal_holder_get(struct seal_session *session,
				    const struct seal_request *req)
{
	struct seal_holder *holder = kzalloc(sizeof(*holder),
					     GFP_KERNEL_ACCOUNT);

	if (!holder)
		return NULL;
	refcount_set(&holder->users, 1);
	holder->pid = task_tgid_nr(current);
	holder->uid = current_uid();
	holder->require = req->require;
	holder->max_extents = req->max_extents;
	holder->session = req->sticky ? NULL : session;
	holder->recall_ms = req->recall_ms;
	get_task_comm(holder->comm, current);

	mutex_lock(&session->lock);
	if (!session->holder || !same_holder(session->holder, holder))
		swap(session->holder, holder);
	seal_holder_put(holder);
	holder = session->holder;
	refcount_inc(&holder->users);
	mutex_unlock(&session->lock);
	return holder;
}

void seal_holder_put(struct seal_holder *holder)
{
	if (holder && refcount_dec_and_test(&holder->users))
		kfree(holder);
}

struct seal_claim *seal_claim_alloc(struct seal_holder *holder)
{
	struct seal_claim *claim = kmem_cache_zalloc(claim_cache, GFP_KERNEL);

	if (!claim)
		return NULL;
	claim->id = atomic64_inc_return(&last_id);
	if (xa_reserve(&claims, claim->id, GFP_KERNEL)) {
		kmem_cache_free(claim_cache, claim);
		return NULL;
	}
	refcount_inc(&holder->users);
	claim->holder = holder;
	return claim;
}

void seal_claim_forget(struct seal_claim *claim)
{
	seal_holder_put(claim->holder);
	kmem_cache_free(claim_cache, claim);
}

void seal_claim_event(const struct seal_claim *claim, u32 type, u32 why,
		      struct seal_event *event)
{
	const struct seal_holder *holder = claim->holder;
	struct seal_entry *entry = claim->entry;

	lockdep_assert_held(&seal_table_lock);
	memset(event, 0, sizeof(*event));
	event->type = type;
	event->why = why;
	event->time = ktime_get_real_ns();
	event->entry_id = entry->id;
	event->inode = entry->inode;
	event->ino = entry->inode->i_ino;
	event->dev = entry->inode->i_sb->s_dev;
	event->claim = claim->id;
	event->pid = holder->pid;
	event->uid = holder->uid;
	event->owner = READ_ONCE(entry->inode->i_uid);
	strscpy(event->comm, holder->comm, sizeof(event->comm));
	event->flags = seal_entry_flags(entry);
	if (!holder->session)
		event->flags |= SEAL_STATUS_STICKY;
}

void seal_claim_free(struct seal_claim *claim)
{
	if (!claim)
		return;
	xa_erase(&claims, claim->id);
	seal_claim_forget(claim);
}

void seal_ticket_add(struct seal_ticket *ticket)
{
	lockdep_assert_held(&seal_table_lock);
	list_add(&ticket->list, &tickets);
}

void seal_ticket_remove(struct seal_ticket *ticket)
{
	lockdep_assert_held(&seal_table_lock);
	list_del(&ticket->list);
}

const struct seal_ticket *seal_ticket_find(u64 entry_id)
{
	const struct seal_ticket *ticket;

	list_for_each_entry(ticket, &tickets, list)
		if (ticket->entry_id == entry_id && ticket->recall)
			return ticket;
	return NULL;
}

void seal_claim_ask(struct seal_claim *claim, const struct seal_ticket *ticket,
		    const char *gate)
{
	struct seal_session *session = claim->holder->session;
	struct seal_entry *entry = claim->entry;
	struct seal_event event;

	session->alerts++;
	wake_up_all(&session->wait);
	if (!seal_events_wanted())
		return;
	seal_claim_event(claim, SEAL_EVENT_RECALL, 0, &event);
	event.holders = seal_entry_holders(entry);
	/* the event names the task that asks, not the holder */
	event.pid = task_tgid_nr(current);
	event.uid = current_uid();
	get_task_comm(event.comm, current);
	event.gate = gate;
	event.recall = ticket->recall;
	event.deadline = ticket->deadline;
	seal_event_queue(&event);
}

bool seal_claim_recalled(const struct seal_claim *claim)
{
	lockdep_assert_held(&seal_table_lock);
	return claim->entry && claim->entry->recalled &&
	       claim->holder->recall_ms;
}

void seal_claim_recall(struct seal_claim *claim)
{
	seal_claim_ask(claim, seal_ticket_find(claim->entry->id), "seal");
}

void seal_claim_unrecall(struct seal_claim *claim)
{
	if (seal_claim_recalled(claim))
		claim->holder->session->alerts--;
}

void seal_claim_attach(struct seal_claim *claim, struct seal_entry *entry)
{
	struct seal_session *session = claim->holder->session;
	struct seal_event event;

	lockdep_assert_held(&seal_table_lock);
	claim->key = file_key(entry->inode);
	if (session) {
		entry->sessions++;
		rb_add(&claim->node, &session->claims, claim_before);
	} else {
		entry->sticky = true;
	}
	list_add_tail(&claim->siblings, &entry->holders);
	claim->since = ktime_get_real_ns();
	claim->entry = entry;
	/* seal_claim_alloc() has reserved the index: this cannot fail */
	xa_store(&claims, claim->id, claim, GFP_ATOMIC);
	if (seal_events_wanted()) {
		seal_claim_event(claim, SEAL_EVENT_SEALED, 0, &event);
		event.holders = seal_entry_holders(entry);
		seal_event_queue(&event);
	}
	/* a recall is in progress: ask the new holder, too */
	if (seal_claim_recalled(claim))
		seal_claim_recall(claim);
}

struct seal_entry *seal_claim_detach(struct seal_claim *claim, u32 type,
				     u32 why, struct seal_event *event)
{
	struct seal_entry *entry = claim->entry;

	lockdep_assert_held(&seal_table_lock);
	if (!entry)
		return NULL;
	event->type = 0;
	if (seal_events_wanted())
		seal_claim_event(claim, type, why, event);
	seal_claim_unrecall(claim);
	if (claim->holder->session)
		entry->sessions--;
	else
		entry->sticky = false;
	list_del(&claim->siblings);
	WRITE_ONCE(claim->entry, NULL);
	xa_erase(&claims, claim->id);
	return entry;
}

struct seal_claim *seal_claim_find(u64 id)
{
	lockdep_assert_held(&seal_table_lock);
	/* an index is a long; claims never get a number above that */
	return id > ULONG_MAX ? NULL : xa_load(&claims, id);
}

static void claim_show(const struct seal_claim *claim, const struct path *root,
		       char *page, struct seal_claim_info *info)
{
	const struct seal_holder *holder = claim->holder;
	struct seal_entry *entry = claim->entry;

	lockdep_assert_held(&seal_table_lock);
	*info = (struct seal_claim_info){
		.id		= claim->id,
		.since		= claim->since,
		.pid		= holder->pid,
		.uid		= holder->uid,
		.require	= holder->require,
		.max_extents	= holder->max_extents,
		.flags		= seal_entry_flags(entry),
		.holders	= seal_entry_holders(entry),
		.refused	= atomic64_read(&entry->refused),
		.broken		= seal_changes(entry),
		.sum		= entry->sum,
		.ino		= entry->inode->i_ino,
		.dev		= entry->inode->i_sb->s_dev,
		.owner		= READ_ONCE(entry->inode->i_uid),
	};
	strscpy(info->comm, holder->comm, sizeof(info->comm));
	if (!holder->session)
		info->flags |= SEAL_STATUS_STICKY;
	info->path = seal_entry_path_page(entry, root, page, &info->deleted);
}

/* Show the first claim from *@id to @last, and set *@id to its number. */
static bool claim_show_next(unsigned long *id, u64 last,
			    const struct path *root, char *page,
			    struct seal_claim_info *info)
{
	const struct seal_claim *claim;

	spin_lock(&seal_table_lock);
	claim = xa_find(&claims, id, last, XA_PRESENT);
	if (claim)
		claim_show(claim, root, page, info);
	spin_unlock(&seal_table_lock);
	return claim;
}

int seal_claims_walk(u64 *next, u64 last, char *page,
		     int (*fn)(void *arg, const struct seal_claim_info *info),
		     void *arg)
{
	struct seal_claim_info info;
	unsigned long id = *next;
	struct path root;
	int ret = 0;

	get_fs_root(current->fs, &root);
	while (claim_show_next(&id, last, &root, page, &info)) {
		ret = fn(arg, &info);
		if (ret)
			break;
		id++;
		cond_resched();
	}
	path_put(&root);
	*next = ret ? id : last + 1;
	return ret;
}

struct seal_claim *seal_session_find(struct seal_session *session,
				     struct inode *inode)
{
	const struct seal_file_key key = file_key(inode);
	struct rb_node *node = rb_find(&key, &session->claims, claim_cmp);

	return node ? rb_entry(node, struct seal_claim, node) : NULL;
}

bool seal_claim_revoked(const struct seal_claim *claim)
{
	return !READ_ONCE(claim->entry);
}

int seal_session_check(struct seal_session *session, struct inode *inode)
{
	struct seal_claim *claim;
	int ret = 0;

	mutex_lock(&session->lock);
	claim = seal_session_find(session, inode);
	if (claim && seal_claim_revoked(claim))
		ret = -EOWNERDEAD;
	mutex_unlock(&session->lock);
	return ret;
}

void seal_session_init(struct seal_session *session)
{
	mutex_init(&session->lock);
	session->claims = RB_ROOT;
	session->holder = NULL;
	init_waitqueue_head(&session->wait);
}

int seal_claims_init(void)
{
	claim_cache = KMEM_CACHE(seal_claim, SLAB_ACCOUNT);
	return claim_cache ? 0 : -ENOMEM;
}

void seal_claims_exit(void)
{
	xa_destroy(&claims);
	kmem_cache_destroy(claim_cache);
}
