// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealed inodes and who holds them.
 *
 * Locks, outermost first: session->lock, table_lock. Neither is held while
 * i_rwsem is waited for or data is written. An entry that is being sealed or
 * taken apart is owned by the task that does it; others wait for the state
 * to change. A task that seals several files takes them in the order of
 * their inodes' addresses, so two of them cannot wait for each other.
 */
#include <linux/blk_types.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "claim.h"
#include "compat.h"
#include "eligible.h"
#include "entered.h"
#include "events.h"
#include "freeze.h"
#include "gate.h"
#include "grant.h"
#include "kthreads.h"
#include "mode.h"
#include "trace.h"
#include "tripwire.h"
#include "xfs_inode.h"

/*
 * The gates look up inodes by their address. The functions the hash table has
 * for keys of any length take four times as many instructions.
 */
static u32 hash_inode(const void *key, u32 length, u32 seed)
{
	return hash_64((unsigned long)*(struct inode *const *)key ^ seed, 32);
}

static int cmp_inode(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct seal_entry *entry = object;

	return entry->inode != *(struct inode *const *)arg->key;
}

static const struct rhashtable_params entry_params = {
	.head_offset		= offsetof(struct seal_entry, node),
	.key_offset		= offsetof(struct seal_entry, inode),
	.key_len		= sizeof(struct inode *),
	.hashfn			= hash_inode,
	.obj_cmpfn		= cmp_inode,
	.automatic_shrinking	= true,
};

static struct rhashtable entries;
static LIST_HEAD(entry_list);
static DEFINE_MUTEX(table_lock);	/* entries, their states and counts */
static DECLARE_WAIT_QUEUE_HEAD(state_changed);
static u64 generation;			/* the last one given, under table_lock */

/* Numbers of entries and claims grow, so the claims are in order of age. */
static DEFINE_XARRAY_FLAGS(holders, XA_FLAGS_ACCOUNT);
static atomic64_t last_id;

struct seal_claim {
	struct list_head	list;		/* of the session */
	struct list_head	siblings;	/* on the same entry */
	struct seal_session	*session;	/* NULL: sticky */
	struct seal_holder	holder;
	/* the file, still known after the claim was revoked */
	dev_t			dev;
	u64			ino;
	u32			generation;
};

struct seal_entry *seal_lookup(struct inode *inode)
{
	return rhashtable_lookup(&entries, &inode, entry_params);
}

static struct seal_entry *find_entry(struct inode *inode)
{
	struct seal_entry *entry;

	lockdep_assert_held(&table_lock);
	rcu_read_lock();
	entry = seal_lookup(inode);
	rcu_read_unlock();
	return entry;
}

bool seal_any_on(struct super_block *sb)
{
	struct seal_entry *entry;
	bool found = false;

	mutex_lock(&table_lock);
	list_for_each_entry(entry, &entry_list, list)
		found |= entry->inode->i_sb == sb;
	mutex_unlock(&table_lock);
	return found;
}

/* Have the gates been attached since a file of this filesystem was sealed? */
static bool sealed_on(struct super_block *sb)
{
	struct seal_entry *entry;
	bool found = false;

	mutex_lock(&table_lock);
	list_for_each_entry(entry, &entry_list, list)
		found |= entry->inode->i_sb == sb &&
			 entry->state == SEAL_ENTRY_SEALED;
	mutex_unlock(&table_lock);
	return found;
}

/* Can a claim be added to it now? */
static bool entry_settled(const struct seal_entry *entry)
{
	return entry->state == SEAL_ENTRY_SEALED && !entry->growing;
}

static bool entry_in_transit(struct inode *inode)
{
	struct seal_entry *entry;
	bool transit;

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	transit = entry && !entry_settled(entry);
	mutex_unlock(&table_lock);
	return transit;
}

static void entry_free_rcu(struct rcu_head *rcu)
{
	struct seal_entry *entry = container_of(rcu, struct seal_entry, rcu);
	struct seal_table *table = rcu_dereference_protected(entry->table, 1);

	seal_ranges_free(&table->ranges);
	kfree(table);
	kfree(entry);
}

static struct seal_entry *entry_alloc(struct file *file, struct seal_fs *fs,
				      u32 fs_flags)
{
	struct seal_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	struct seal_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);

	if (!entry || !table) {
		kfree(table);
		kfree(entry);
		return NULL;
	}
	RCU_INIT_POINTER(entry->table, table);
	entry->id = atomic64_inc_return(&last_id);
	entry->inode = file_inode(file);
	entry->path = file->f_path;
	path_get(&entry->path);
	entry->fs = fs;
	entry->fs_flags = fs_flags;
	entry->state = SEAL_ENTRY_SEALING;
	entry->claims = 1;
	mutex_init(&entry->change_lock);
	INIT_LIST_HEAD(&entry->grantees);
	INIT_LIST_HEAD(&entry->holders);
	return entry;
}

static void entry_free(struct seal_entry *entry)
{
	path_put(&entry->path);
	call_rcu(&entry->rcu, entry_free_rcu);
}

/* --- who holds a claim, and telling it --- */

static u32 entry_flags(struct seal_entry *entry)
{
	u32 flags = 0;

	if (entry->state == SEAL_ENTRY_SEALED)
		flags |= SEAL_STATUS_SEALED;
	if (seal_changes(entry))
		flags |= SEAL_STATUS_BROKEN;
	if (seal_fs_missed(entry->fs))
		flags |= SEAL_STATUS_MISSED;
	if (seal_is_log_only())
		flags |= SEAL_STATUS_LOG_ONLY;
	return flags;
}

/* The path of an entry in @page; NULL if current cannot reach it. */
static char *entry_path(const struct seal_entry *entry, char *page,
			bool *deleted)
{
	static const char suffix[] = " (deleted)";
	struct path root;
	bool reachable;
	size_t length;
	char *path;

	get_fs_root(current->fs, &root);
	reachable = path_is_under(&entry->path, &root);
	path_put(&root);
	if (!reachable)
		return NULL;
	path = d_path(&entry->path, page, PAGE_SIZE);
	if (IS_ERR(path))
		return NULL;
	length = strlen(path);
	*deleted = d_unlinked(entry->path.dentry) &&
		   length > strlen(suffix) &&
		   !strcmp(path + length - strlen(suffix), suffix);
	if (*deleted)
		path[length - strlen(suffix)] = '\0';
	return path;
}

static char *entry_path_copy(const struct seal_entry *entry, bool *deleted)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	char *path;

	if (!page)
		return NULL;
	path = entry_path(entry, page, deleted);
	if (path)
		path = kstrdup(path, GFP_KERNEL);
	free_page((unsigned long)page);
	return path;
}

char *seal_entry_path(struct inode *inode, u64 id, bool *deleted)
{
	struct seal_entry *entry;
	char *path = NULL;

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (entry && entry->id == id)
		path = entry_path_copy(entry, deleted);
	mutex_unlock(&table_lock);
	return path;
}

struct path_work {
	struct work_struct	work;
	const struct seal_entry	*entry;
	char			*path;
	bool			*deleted;
};

static void path_work(struct work_struct *work)
{
	struct path_work *pw = container_of(work, struct path_work, work);

	pw->path = entry_path_copy(pw->entry, pw->deleted);
}

/*
 * The path of an entry as kernel threads see it, like that of all events. A
 * task that ends has no root directory any more.
 */
static char *entry_path_init(const struct seal_entry *entry, bool *deleted)
{
	struct path_work pw = { .entry = entry, .deleted = deleted };

	INIT_WORK_ONSTACK(&pw.work, path_work);
	schedule_work(&pw.work);
	flush_work(&pw.work);
	destroy_work_on_stack(&pw.work);
	return pw.path;
}

/* A holder with its number; until holder_add() nobody sees it. */
static int holder_init(struct seal_holder *holder,
		       const struct seal_request *req)
{
	holder->id = atomic64_inc_return(&last_id);
	holder->require = req->require;
	holder->max_extents = req->max_extents;
	holder->recall_ms = req->recall_ms;
	holder->recalled = false;
	holder->sticky = req->sticky;
	holder->pid = task_tgid_nr(current);
	holder->uid = current_uid();
	get_task_comm(holder->comm, current);
	return xa_reserve(&holders, holder->id, GFP_KERNEL);
}

/* Also for one that was never added. */
static void holder_remove(struct seal_holder *holder)
{
	xa_erase(&holders, holder->id);
}

static void holder_event(const struct seal_holder *holder, u32 type, u32 why,
			 struct seal_event *event)
{
	struct seal_entry *entry = holder->entry;

	lockdep_assert_held(&table_lock);
	memset(event, 0, sizeof(*event));
	event->type = type;
	event->why = why;
	event->time = ktime_get_real_ns();
	event->entry_id = entry->id;
	event->inode = entry->inode;
	event->ino = entry->inode->i_ino;
	event->dev = entry->inode->i_sb->s_dev;
	event->claim = holder->id;
	event->pid = holder->pid;
	event->uid = holder->uid;
	strscpy(event->comm, holder->comm, sizeof(event->comm));
	event->flags = entry_flags(entry);
	if (holder->sticky)
		event->flags |= SEAL_STATUS_STICKY;
}

/* --- asking holders to let go --- */

/* Ask one: by an event, and through its session. */
static void claim_recall(struct seal_claim *claim, const char *gate)
{
	struct seal_entry *entry = claim->holder.entry;
	struct seal_event event;

	claim->holder.recalled = true;
	claim->session->alerts++;
	wake_up_all(&claim->session->wait);
	if (!seal_events_wanted())
		return;
	holder_event(&claim->holder, SEAL_EVENT_RECALL, 0, &event);
	event.holders = seal_entry_holders(entry);
	/* who wants it, not who has it */
	event.pid = task_tgid_nr(current);
	event.uid = current_uid();
	get_task_comm(event.comm, current);
	event.gate = gate;
	event.recall = entry->recall;
	event.deadline = entry->recall_time;
	seal_event_queue(&event);
}

static void claim_unrecall(struct seal_claim *claim)
{
	if (!claim->holder.recalled)
		return;
	claim->holder.recalled = false;
	claim->session->alerts--;
}

static bool held_by_current(const struct seal_entry *entry)
{
	const struct seal_claim *claim;

	list_for_each_entry(claim, &entry->holders, siblings)
		if (claim->holder.pid == task_tgid_nr(current))
			return true;
	return false;
}

/* The holder that needs longest gets as long as it said. */
static void recall_start(struct seal_entry *entry, const char *gate)
{
	struct seal_claim *claim;
	u32 ms = 0;

	list_for_each_entry(claim, &entry->holders, siblings)
		ms = max(ms, claim->holder.recall_ms);
	entry->recall = atomic64_inc_return(&last_id);
	entry->recall_end = jiffies + msecs_to_jiffies(ms);
	entry->recall_time = ktime_get_real_ns() + (u64)ms * NSEC_PER_MSEC;
	list_for_each_entry(claim, &entry->holders, siblings)
		claim_recall(claim, gate);
}

/* For the last steps of unsealing, which take no time worth mentioning. */
#define LEAVING_TIME	(10 * HZ)

bool seal_recall_begin(struct inode *inode, const char *gate,
		       struct seal_recall_ticket *ticket)
{
	struct seal_entry *entry;
	bool begun = false;

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (!entry || entry->state == SEAL_ENTRY_SEALING || !entry->recalls ||
	    entry->recallers != seal_entry_holders(entry) ||
	    held_by_current(entry))
		goto out;
	ticket->end = jiffies + LEAVING_TIME;
	if (entry->recallers) {
		if (!entry->recall)
			recall_start(entry, gate);
		/* one that has run out is not waited for again */
		else if (time_after_eq(jiffies, entry->recall_end))
			goto out;
		ticket->end = entry->recall_end;
	}
	entry->recall_waiters++;
	ticket->entry_id = entry->id;
	begun = true;
out:
	mutex_unlock(&table_lock);
	return begun;
}

static bool entry_gone(struct inode *inode, u64 id)
{
	struct seal_entry *entry;
	bool gone;

	rcu_read_lock();
	entry = seal_lookup(inode);
	gone = !entry || entry->id != id;
	rcu_read_unlock();
	return gone;
}

void seal_recall_wait(struct inode *inode,
		      const struct seal_recall_ticket *ticket)
{
	long left = ticket->end - jiffies;

	/* for whatever reason it ends: the gate looks for itself */
	if (left > 0)
		wait_event_killable_timeout(state_changed,
					    entry_gone(inode, ticket->entry_id),
					    left);
}

void seal_recall_end(struct inode *inode,
		     const struct seal_recall_ticket *ticket)
{
	struct seal_entry *entry;
	struct seal_claim *claim;

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (entry && entry->id == ticket->entry_id &&
	    !--entry->recall_waiters) {
		entry->recall = 0;
		list_for_each_entry(claim, &entry->holders, siblings)
			claim_unrecall(claim);
	}
	mutex_unlock(&table_lock);
}

/* --- taking and dropping --- */

/* @claim, which holds a reference to @entry, is @session's, or the sticky one. */
static void claim_attach(struct seal_claim *claim, struct seal_entry *entry,
			 struct seal_session *session)
{
	struct seal_holder *holder = &claim->holder;
	struct seal_event event;

	lockdep_assert_held(&table_lock);
	claim->dev = entry->inode->i_sb->s_dev;
	claim->ino = entry->inode->i_ino;
	claim->generation = entry->inode->i_generation;
	claim->session = session;
	if (session) {
		entry->sessions++;
		list_add(&claim->list, &session->claims);
	} else {
		entry->sticky = claim;
	}
	list_add_tail(&claim->siblings, &entry->holders);
	if (holder->recall_ms) {
		entry->recallers++;
		WRITE_ONCE(entry->recalls, true);
	}
	holder->since = ktime_get_real_ns();
	holder->entry = entry;
	/* its place is reserved: this cannot fail */
	xa_store(&holders, holder->id, holder, GFP_KERNEL);
	if (seal_events_wanted()) {
		holder_event(holder, SEAL_EVENT_SEALED, 0, &event);
		event.holders = seal_entry_holders(entry);
		seal_event_queue(&event);
	}
	/* it comes while the others are asked to go */
	if (entry->recall && holder->recall_ms)
		claim_recall(claim, "seal");
}

/*
 * Take a claim off its entry: what it held, with the reference, and an event
 * to tell it with (of type 0: nobody listens). NULL if it was revoked.
 */
static struct seal_entry *claim_detach(struct seal_claim *claim, u32 type,
				       u32 why, struct seal_event *event)
{
	struct seal_entry *entry = claim->holder.entry;

	lockdep_assert_held(&table_lock);
	if (!entry)
		return NULL;
	event->type = 0;
	if (seal_events_wanted())
		holder_event(&claim->holder, type, why, event);
	if (claim->holder.recall_ms)
		entry->recallers--;
	claim_unrecall(claim);
	if (claim->session)
		entry->sessions--;
	else
		entry->sticky = NULL;
	list_del(&claim->siblings);
	WRITE_ONCE(claim->holder.entry, NULL);
	holder_remove(&claim->holder);
	return entry;
}

u64 seal_claims_last(void)
{
	return atomic64_read(&last_id);
}

static int walk_claim(const struct seal_holder *holder, char *page,
		      int (*fn)(void *arg, const struct seal_claim_info *info),
		      void *arg)
{
	struct seal_claim_info info = {
		.holder		= holder,
		.entry		= holder->entry,
		.flags		= entry_flags(holder->entry),
		.refused	= atomic64_read(&holder->entry->refused),
		.broken		= seal_changes(holder->entry),
	};

	if (holder->sticky)
		info.flags |= SEAL_STATUS_STICKY;
	info.path = entry_path(holder->entry, page, &info.deleted);
	return fn(arg, &info);
}

/* Others may take and drop claims between this many. */
#define WALK_BATCH	64

int seal_claims_walk(u64 *next, u64 last, char *page,
		     int (*fn)(void *arg, const struct seal_claim_info *info),
		     void *arg)
{
	struct seal_holder *holder = NULL;
	unsigned long id = *next;
	unsigned int i;
	int ret = 0;

	do {
		mutex_lock(&table_lock);
		for (i = 0; i < WALK_BATCH; i++, id++) {
			holder = xa_find(&holders, &id, last, XA_PRESENT);
			if (!holder)
				break;
			ret = walk_claim(holder, page, fn, arg);
			if (ret)
				break;
		}
		mutex_unlock(&table_lock);
		cond_resched();
	} while (holder && !ret);
	*next = holder ? id : last + 1;
	return ret;
}

/*
 * Drop one claim; the last one unseals. @event, which tells that, is sent
 * when it is done and before the file can be sealed again.
 */
static void entry_drop(struct seal_entry *entry, unsigned int changers,
		       struct seal_event *event)
{
	bool was_sealed;

	mutex_lock(&table_lock);
	entry->changers -= changers;
	if (--entry->claims) {
		if (event) {
			event->holders = seal_entry_holders(entry);
			seal_event_queue(event);
		}
		mutex_unlock(&table_lock);
		return;
	}
	was_sealed = entry->state == SEAL_ENTRY_SEALED;
	entry->state = SEAL_ENTRY_LEAVING;
	mutex_unlock(&table_lock);

	seal_thaw_map(entry);

	mutex_lock(&table_lock);
	rhashtable_remove_fast(&entries, &entry->node, entry_params);
	list_del(&entry->list);
	if (event)
		seal_event_queue(event);
	mutex_unlock(&table_lock);
	wake_up_all(&state_changed);

	if (was_sealed)
		trace_seal_unsealed(entry->inode, entry->info.digest);
	seal_fs_put(entry->fs);
	seal_grants_free(entry);
	entry_free(entry);
}

static void entry_put(struct seal_entry *entry, struct seal_event *event)
{
	entry_drop(entry, 0, event);
}

/* What claim_detach() left to be done. */
static void entry_put_tell(struct seal_entry *entry, struct seal_event *event)
{
	if (event->type)
		event->path = entry_path_init(entry, &event->deleted);
	entry_put(entry, event->type ? event : NULL);
}

/* --- sealing --- */

struct job {
	struct file		*file;
	struct seal_fs		*fs;
	u32			fs_flags;
	u32			index;		/* in the request */
	struct seal_entry	*entry;		/* holds one claim */
	struct seal_claim	*claim;		/* for the session */
	bool			mine;		/* sealed by this request */
	bool			settled;	/* map is final */
};

static int job_cmp(const void *a, const void *b)
{
	const struct job *x = a, *y = b;
	unsigned long i = (unsigned long)file_inode(x->file);
	unsigned long j = (unsigned long)file_inode(y->file);

	return i < j ? -1 : i > j;
}

/* Get a claim on the entry of a job's inode; make the entry if there is none. */
static int job_acquire(struct job *job, struct seal_request *req)
{
	struct inode *inode = file_inode(job->file);
	struct seal_entry *entry, *fresh;
	int ret;

	ret = seal_fs_get(job->fs, inode, req->reason);
	if (ret)
		return ret;
	fresh = entry_alloc(job->file, job->fs, job->fs_flags);
	if (!fresh) {
		seal_fs_put(job->fs);
		return -ENOMEM;
	}

	for (;;) {
		mutex_lock(&table_lock);
		entry = find_entry(inode);
		if (!entry || entry_settled(entry))
			break;
		mutex_unlock(&table_lock);
		ret = wait_event_killable(state_changed,
					  !entry_in_transit(inode));
		if (ret) {
			ret = -EINTR;
			goto out_fresh;
		}
	}

	if (entry) {
		entry->claims++;
		job->entry = entry;
	} else {
		ret = rhashtable_insert_fast(&entries, &fresh->node,
					     entry_params);
		if (!ret) {
			list_add(&fresh->list, &entry_list);
			job->entry = fresh;
			job->mine = true;
			fresh = NULL;
		}
	}
	mutex_unlock(&table_lock);
	if (!fresh)
		return 0;
out_fresh:
	seal_fs_put(job->fs);
	entry_free(fresh);
	return ret;
}

static int job_check(const struct job *job, const struct seal_map_info *info,
		     struct seal_request *req)
{
	struct seal_offence offence;

	if (!seal_map_unmet(info, req->require, req->max_extents, &offence))
		return 0;

	req->bad_index = job->index;
	req->bad_require = offence.require;
	req->bad_state = offence.state;
	req->bad_offset = offence.offset;
	req->bad_length = offence.length;
	switch (offence.require) {
	case SEAL_REQ_ALLOCATED:
		strscpy(req->reason, "hole before the end of the file",
			SEAL_REASON_LEN);
		break;
	case SEAL_REQ_WRITTEN:
		strscpy(req->reason, "unwritten extent", SEAL_REASON_LEN);
		break;
	case SEAL_REQ_UNSHARED:
		strscpy(req->reason, offence.state == SEAL_RANGE_SHARED ?
			"shared extent" :
			"the inode was reflinked once, its writes are still redirected",
			SEAL_REASON_LEN);
		break;
	default:
		snprintf(req->reason, SEAL_REASON_LEN,
			 "%llu extents, at most %llu are asked for",
			 info->extents, req->max_extents);
		break;
	}
	return -EBADFD;
}

/*
 * The gates are attached and stay so. On a filesystem where none of them was
 * needed before, wait for who entered it without.
 */
static int jobs_drain_entered(struct job *jobs, unsigned int nr, char *reason)
{
	struct super_block *sb, *last = NULL;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine)
			continue;
		sb = file_inode(jobs[i].file)->i_sb;
		if (sb == last)
			continue;
		last = sb;
		if (sealed_on(sb))
			continue;
		ret = seal_drain_entered(&jobs[i].file->f_path) ?:
		      seal_drain_kthreads(sb, reason);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Who broke a layout has write access to the filesystem, and is waited for
 * like those who entered it without gates. 1: there was one, and what it did is
 * to be settled.
 */
static int jobs_drain_layouts(struct job *jobs, unsigned int nr)
{
	unsigned int i;
	int ret, waited = 0;

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine || !jobs[i].entry->layout_broken)
			continue;
		ret = seal_drain_entered(&jobs[i].file->f_path);
		if (ret)
			return ret;
		jobs[i].entry->layout_broken = false;
		waited = 1;
	}
	return waited;
}

/* A map that does not stand still for this many rounds is given up. */
#define MAX_ROUNDS	16

static int jobs_freeze(struct job *jobs, unsigned int nr,
		       struct seal_request *req)
{
	unsigned int i, round, open = 0;
	int ret;

	/* look first: most refusals need no gate */
	for (i = 0; i < nr; i++) {
		struct job *job = &jobs[i];

		if (!job->entry)
			continue;
		if (!job->mine && seal_changes(job->entry) &&
		    !seal_is_log_only()) {
			strscpy(req->reason, "the seal that is held on it was broken",
				SEAL_REASON_LEN);
			ret = -ESTALE;
		} else if (!job->mine) {
			struct seal_map_info *info = kmalloc(sizeof(*info),
							     GFP_KERNEL_ACCOUNT);

			if (!info)
				return -ENOMEM;
			/* a holder may be changing it */
			mutex_lock(&table_lock);
			*info = job->entry->info;
			mutex_unlock(&table_lock);
			ret = job_check(job, info, req);
			kfree(info);
		} else {
			ret = seal_freeze_look(job->entry, req->reason);
			if (!ret)
				ret = job_check(job, &job->entry->info, req);
		}
		if (ret) {
			req->bad_index = job->index;
			return ret;
		}
	}

	ret = jobs_drain_entered(jobs, nr, req->reason);
	if (ret)
		return ret;

	/* shut every gate before the first map is read */
	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine)
			continue;
		ret = seal_freeze_shut(jobs[i].entry);
		if (ret)
			return ret;
		open++;
	}

	for (round = 0; open; round++) {
		if (round == MAX_ROUNDS) {
			strscpy(req->reason, "the map does not come to rest, try again",
				SEAL_REASON_LEN);
			return -EBUSY;
		}
		ret = seal_drain_wrappers();
		if (ret)
			return ret;
		for (i = 0; i < nr; i++) {
			if (!jobs[i].mine || jobs[i].settled)
				continue;
			ret = seal_freeze_settle(jobs[i].entry, jobs[i].file,
						 req->reason);
			if (ret) {
				req->bad_index = jobs[i].index;
				return ret;
			}
		}
		ret = jobs_drain_layouts(jobs, nr);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		for (i = 0; i < nr; i++) {
			if (!jobs[i].mine || jobs[i].settled)
				continue;
			ret = seal_freeze_read(jobs[i].entry, req->reason);
			if (ret < 0) {
				req->bad_index = jobs[i].index;
				return ret;
			}
			if (ret) {
				jobs[i].settled = true;
				open--;
			}
		}
	}

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine)
			continue;
		ret = job_check(&jobs[i], &jobs[i].entry->info, req);
		if (ret)
			return ret;
		if (seal_changes(jobs[i].entry) && !seal_is_log_only()) {
			req->bad_index = jobs[i].index;
			strscpy(req->reason, "the map changes although every gate is shut",
				SEAL_REASON_LEN);
			return -ESTALE;
		}
	}
	return 0;
}

/* A claim nobody holds yet; NULL is none. */
static void claim_free(struct seal_claim *claim)
{
	if (!claim)
		return;
	holder_remove(&claim->holder);
	kfree(claim);
}

static struct seal_claim *session_find(struct seal_session *session,
				       struct inode *inode)
{
	struct seal_claim *claim;

	list_for_each_entry(claim, &session->claims, list)
		if (claim->ino == inode->i_ino &&
		    claim->generation == inode->i_generation &&
		    claim->dev == inode->i_sb->s_dev)
			return claim;
	return NULL;
}

static bool claim_revoked(const struct seal_claim *claim)
{
	return !READ_ONCE(claim->holder.entry);
}

int seal_session_check(struct seal_session *session, struct inode *inode)
{
	struct seal_claim *claim;
	int ret = 0;

	mutex_lock(&session->lock);
	claim = session_find(session, inode);
	if (claim && claim_revoked(claim))
		ret = -EOWNERDEAD;
	mutex_unlock(&session->lock);
	return ret;
}

/* Was one of the files taken from this session, perhaps just now? */
static int jobs_check_revoked(const struct job *jobs, unsigned int nr,
			      struct seal_session *session,
			      struct seal_request *req)
{
	const struct seal_claim *claim;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		claim = session_find(session, file_inode(jobs[i].file));
		if (!claim || !claim_revoked(claim))
			continue;
		req->bad_index = jobs[i].index;
		strscpy(req->reason, "its seal was revoked, unseal it first",
			SEAL_REASON_LEN);
		return -EOWNERDEAD;
	}
	return 0;
}

/* Turn the claims the jobs hold into claims of the session or sticky ones. */
static int jobs_commit(struct job *jobs, unsigned int nr,
		       struct seal_session *session, struct seal_request *req)
{
	unsigned int i;
	int ret;

	mutex_lock(&session->lock);
	mutex_lock(&table_lock);
	ret = jobs_check_revoked(jobs, nr, session, req);
	if (ret)
		goto out;
	for (i = 0; i < nr; i++) {
		struct seal_entry *entry = jobs[i].entry;

		if (!entry)
			continue;
		/* from here on a tripwire reports; before, it only counted */
		smp_store_mb(entry->state, SEAL_ENTRY_SEALED);
		if (jobs[i].mine) {
			entry->generation = ++generation;
			trace_seal_sealed(entry->inode, entry->info.digest);
			if (seal_changes(entry))
				seal_report_broken(entry,
						   "between the last look at it and the end of sealing");
		}
		if (req->sticky && !entry->sticky) {
			claim_attach(jobs[i].claim, entry, NULL);
			__module_get(THIS_MODULE);
			jobs[i].claim = NULL;
			jobs[i].entry = NULL;
		} else if (!req->sticky &&
			   !session_find(session, entry->inode)) {
			claim_attach(jobs[i].claim, entry, session);
			jobs[i].claim = NULL;
			jobs[i].entry = NULL;
		}
	}
out:
	mutex_unlock(&table_lock);
	mutex_unlock(&session->lock);
	wake_up_all(&state_changed);
	return ret;
}

int seal_claim_files(struct seal_session *session, struct seal_request *req)
{
	struct job *jobs;
	unsigned int i;
	int ret;

	req->bad_index = SEAL_NO_INDEX;
	if (seal_is_disabled()) {
		strscpy(req->reason, "the module was loaded with seal.disable=1",
			SEAL_REASON_LEN);
		return -EOPNOTSUPP;
	}
	jobs = kvcalloc(req->nr, sizeof(*jobs), GFP_KERNEL_ACCOUNT);
	if (!jobs)
		return -ENOMEM;

	for (i = 0; i < req->nr; i++) {
		jobs[i].file = req->files[i];
		jobs[i].index = i;
		jobs[i].fs = seal_eligible(jobs[i].file, &jobs[i].fs_flags,
					   req->reason);
		if (IS_ERR(jobs[i].fs)) {
			ret = PTR_ERR(jobs[i].fs);
			req->bad_index = i;
			goto out_free;
		}
		jobs[i].claim = kmalloc(sizeof(*jobs[i].claim),
					GFP_KERNEL_ACCOUNT);
		if (!jobs[i].claim) {
			ret = -ENOMEM;
			goto out_free;
		}
		ret = holder_init(&jobs[i].claim->holder, req);
		if (ret)
			goto out_free;
	}
	sort(jobs, req->nr, sizeof(*jobs), job_cmp, NULL);

	mutex_lock(&session->lock);
	ret = jobs_check_revoked(jobs, req->nr, session, req);
	mutex_unlock(&session->lock);
	if (ret)
		goto out_free;
	ret = seal_map_get();
	if (ret) {
		if (ret != -ENOMEM) {
			strscpy(req->reason, "no probe on fiemap_fill_next_extent",
				SEAL_REASON_LEN);
			ret = -EOPNOTSUPP;
		}
		goto out_free;
	}
	for (i = 0; i < req->nr; i++) {
		/* the same file again */
		if (i && !job_cmp(&jobs[i - 1], &jobs[i]))
			continue;
		ret = job_acquire(&jobs[i], req);
		if (ret) {
			req->bad_index = jobs[i].index;
			goto out_put;
		}
	}
	ret = jobs_freeze(jobs, req->nr, req);
	if (!ret)
		ret = jobs_commit(jobs, req->nr, session, req);
out_put:
	/* claims that were not handed over; a failed seal is taken back here */
	for (i = 0; i < req->nr; i++)
		if (jobs[i].entry)
			entry_put(jobs[i].entry, NULL);
	seal_map_put();
out_free:
	for (i = 0; i < req->nr; i++)
		claim_free(jobs[i].claim);
	kvfree(jobs);
	return ret;
}

/* --- dropping claims --- */

/* @claim is not in the list of its session any more. */
static void claim_drop(struct seal_claim *claim, u32 why)
{
	struct seal_event event;
	struct seal_entry *entry;

	mutex_lock(&table_lock);
	entry = claim_detach(claim, SEAL_EVENT_UNSEALED, why, &event);
	if (!entry)
		claim->session->alerts--;
	mutex_unlock(&table_lock);
	if (entry) {
		seal_grants_leave(entry, claim->session);
		entry_put_tell(entry, &event);
	}
	kfree(claim);
}

int seal_unclaim(struct seal_session *session, struct inode *inode)
{
	struct seal_claim *claim;

	mutex_lock(&session->lock);
	claim = session_find(session, inode);
	if (claim)
		list_del(&claim->list);
	mutex_unlock(&session->lock);
	if (claim)
		claim_drop(claim, SEAL_WHY_CALL);
	return 0;
}

int seal_unclaim_sticky(struct inode *inode)
{
	struct seal_claim *claim = NULL;
	struct seal_event event;
	struct seal_entry *entry;

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (entry && entry->sticky) {
		claim = entry->sticky;
		claim_detach(claim, SEAL_EVENT_UNSEALED, SEAL_WHY_CALL, &event);
	}
	mutex_unlock(&table_lock);
	if (claim) {
		seal_grants_leave_sticky(entry);
		entry_put_tell(entry, &event);
		kfree(claim);
		module_put(THIS_MODULE);
	}
	return 0;
}

/*
 * Take one claim off @entry: false if there is none (any more). @session: whose
 * it was, NULL if it was the sticky one; @last: there was no other.
 */
static bool revoke_one(struct seal_entry *entry, struct seal_event *event,
		       struct seal_session **session, bool *last)
{
	struct seal_claim *claim;

	mutex_lock(&table_lock);
	claim = list_first_entry_or_null(&entry->holders, struct seal_claim,
					 siblings);
	if (claim) {
		claim_detach(claim, SEAL_EVENT_REVOKED, 0, event);
		*session = claim->session;
		*last = list_empty(&entry->holders);
		if (claim->session) {
			/* the session cannot end before it had the lock */
			claim->session->alerts++;
			wake_up_all(&claim->session->wait);
		} else {
			kfree(claim);
		}
	}
	mutex_unlock(&table_lock);
	return claim;
}

/*
 * With the change_lock held nobody can be granted anything: what a session was
 * granted goes with its claim, even if another session gets its address.
 */
int seal_revoke(struct inode *inode, u32 *revoked)
{
	struct seal_session *session;
	struct seal_event event;
	struct seal_entry *entry;
	bool last = false;
	int ret = 0;

	*revoked = 0;
	mutex_lock(&table_lock);
	entry = find_entry(inode);
	/* one that is on its way in or out has none */
	if (entry && list_empty(&entry->holders))
		entry = NULL;
	if (entry) {
		entry->claims++;
		entry->changers++;
	}
	mutex_unlock(&table_lock);
	if (!entry)
		return 0;
	if (mutex_lock_killable(&entry->change_lock)) {
		entry_drop(entry, 1, NULL);
		return -EINTR;
	}
	while (!last && !ret && revoke_one(entry, &event, &session, &last)) {
		++*revoked;
		seal_grants_drop(entry, session);
		/* it tells when the file is not sealed any more, see below */
		if (!last)
			entry_put_tell(entry, &event);
		if (!session)
			module_put(THIS_MODULE);
		/* the claims are gone one by one: what is done stays done */
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	mutex_unlock(&entry->change_lock);
	entry_drop(entry, 1, NULL);
	if (last)
		entry_put_tell(entry, &event);
	return ret;
}

void seal_session_init(struct seal_session *session)
{
	mutex_init(&session->lock);
	INIT_LIST_HEAD(&session->claims);
	init_waitqueue_head(&session->wait);
}

void seal_session_end(struct seal_session *session, u32 why)
{
	struct seal_claim *claim, *next;

	list_for_each_entry_safe(claim, next, &session->claims, list)
		claim_drop(claim, why);
}

/* --- a holder changes the map --- */

/* The entry if it is held so, with another claim on it, or why not. */
static struct seal_entry *change_find(struct seal_session *session,
				      struct inode *inode)
{
	struct seal_entry *entry = ERR_PTR(-EACCES);
	struct seal_claim *claim;

	if (session)
		mutex_lock(&session->lock);
	mutex_lock(&table_lock);
	if (session) {
		claim = session_find(session, inode);
		if (claim)
			entry = claim->holder.entry ?: ERR_PTR(-EOWNERDEAD);
	} else {
		entry = find_entry(inode);
		if (!entry || !entry->sticky)
			entry = ERR_PTR(-EACCES);
	}
	if (!IS_ERR(entry)) {
		entry->claims++;
		entry->changers++;
	}
	mutex_unlock(&table_lock);
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
	mutex_lock(&table_lock);
	if (session)
		claim = session_find(session, entry->inode);
	if (session ? !claim : !entry->sticky)
		ret = -EACCES;
	else if (claim && claim_revoked(claim))
		ret = -EOWNERDEAD;
	else if (grow && entry->claims - entry->changers !=
			 (session ? 1 : 0) + !!entry->sticky)
		ret = -EBUSY;
	else
		entry->growing = grow;
	mutex_unlock(&table_lock);
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
	entry_drop(entry, 1, NULL);
	return ERR_PTR(ret);
}

void seal_change_end(struct seal_entry *entry, bool grow)
{
	if (grow) {
		mutex_lock(&table_lock);
		entry->growing = false;
		mutex_unlock(&table_lock);
		wake_up_all(&state_changed);
	}
	mutex_unlock(&entry->change_lock);
	entry_drop(entry, 1, NULL);
}

void seal_entry_publish(struct seal_entry *entry, struct seal_table *table,
			const struct seal_map_info *info)
{
	mutex_lock(&table_lock);
	seal_table_publish(entry, table);
	entry->info = *info;
	entry->generation = ++generation;
	mutex_unlock(&table_lock);
}

/* --- asking --- */

static void query_info(struct seal_status *status,
		       const struct seal_map_info *info)
{
	struct seal_offence offence;
	const u32 all = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
			SEAL_REQ_UNSHARED;

	status->met = all & ~seal_map_unmet(info, all, 0, &offence);
	status->file_size = info->file_size;
	status->extents = info->extents;
	status->written = info->written;
	status->unwritten = info->unwritten;
	status->shared = info->shared;
	status->delalloc = info->delalloc;
	status->hole = info->hole;
	status->in_place = info->in_place;
	status->digest = info->digest;
}

/* The inode flag of a sealed file was lost: put it back, and tell. */
static bool query_repair(struct inode *inode)
{
	bool lost;

	inode_lock(inode);
	rcu_read_lock();
	lost = !seal_flagged(inode) && seal_lookup(inode);
	rcu_read_unlock();
	if (lost)
		set_mask_bits(&inode->i_flags, 0, S_SEALED);
	inode_unlock(inode);
	return lost;
}

int seal_query(struct seal_session *session, struct file *file,
	       struct seal_status *status)
{
	struct inode *inode = file_inode(file);
	struct block_device *bdev = inode->i_sb->s_bdev;
	dev_t dev = bdev ? bdev->bd_dev : inode->i_sb->s_dev;
	char reason[SEAL_REASON_LEN];
	struct seal_map_info info;
	struct seal_claim *claim;
	struct seal_entry *entry;
	int ret;

	status->dev_major = MAJOR(dev);
	status->dev_minor = MINOR(dev);

	mutex_lock(&session->lock);
	claim = session_find(session, inode);
	if (claim)
		status->flags |= claim_revoked(claim) ? SEAL_STATUS_REVOKED :
							SEAL_STATUS_HELD;
	if (claim && READ_ONCE(claim->holder.recalled))
		status->flags |= SEAL_STATUS_RECALLED;
	mutex_unlock(&session->lock);

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (entry && entry->state == SEAL_ENTRY_SEALED) {
		status->flags |= SEAL_STATUS_SEALED;
		if (entry->sticky)
			status->flags |= SEAL_STATUS_STICKY;
		status->holders = seal_entry_holders(entry);
		status->refused = atomic64_read(&entry->refused);
		status->missed = seal_fs_missed(entry->fs);
		status->broken = seal_changes(entry);
		status->generation = entry->generation;
		status->granted = READ_ONCE(entry->granted);
		query_info(status, &entry->info);
	}
	mutex_unlock(&table_lock);

	if (status->flags & SEAL_STATUS_SEALED) {
		if (!seal_flagged(inode) && query_repair(inode))
			status->flags |= SEAL_STATUS_REPAIRED;
		if (!seal_gates_armed())
			status->flags |= SEAL_STATUS_DISARMED;
		if (status->missed)
			status->flags |= SEAL_STATUS_MISSED;
		if (status->broken)
			status->flags |= SEAL_STATUS_BROKEN;
		if (seal_is_log_only())
			status->flags |= SEAL_STATUS_LOG_ONLY;
		return 0;
	}

	ret = filemap_write_and_wait(inode->i_mapping);
	if (ret)
		return ret;
	ret = seal_map_get();
	if (ret)
		return ret;
	ret = seal_map_read(inode, &info, NULL, reason);
	seal_map_put();
	if (!ret)
		query_info(status, &info);
	return ret;
}

int seal_claims_init(void)
{
	return rhashtable_init(&entries, &entry_params);
}

void seal_claims_exit(void)
{
	rcu_barrier();
	rhashtable_destroy(&entries);
	xa_destroy(&holders);
}
