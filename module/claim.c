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
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/wait.h>

#include "claim.h"
#include "compat.h"
#include "eligible.h"
#include "entered.h"
#include "freeze.h"
#include "gate.h"
#include "grant.h"
#include "kthreads.h"
#include "mode.h"
#include "trace.h"
#include "tripwire.h"
#include "xfs_inode.h"

static const struct rhashtable_params entry_params = {
	.head_offset		= offsetof(struct seal_entry, node),
	.key_offset		= offsetof(struct seal_entry, inode),
	.key_len		= sizeof(struct inode *),
	.automatic_shrinking	= true,
};

static struct rhashtable entries;
static LIST_HEAD(entry_list);
static DEFINE_MUTEX(table_lock);	/* entries, their states and counts */
static DECLARE_WAIT_QUEUE_HEAD(state_changed);
static u64 generation;			/* the last one given, under table_lock */

struct seal_claim {
	struct list_head	list;
	struct seal_entry	*entry;
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
	entry->inode = file_inode(file);
	entry->path = file->f_path;
	path_get(&entry->path);
	entry->fs = fs;
	entry->fs_flags = fs_flags;
	entry->state = SEAL_ENTRY_SEALING;
	entry->claims = 1;
	mutex_init(&entry->change_lock);
	INIT_LIST_HEAD(&entry->grantees);
	return entry;
}

static void entry_free(struct seal_entry *entry)
{
	path_put(&entry->path);
	call_rcu(&entry->rcu, entry_free_rcu);
}

static void entry_drop(struct seal_entry *entry, unsigned int changers)
{
	bool was_sealed;

	mutex_lock(&table_lock);
	entry->changers -= changers;
	if (--entry->claims) {
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
	mutex_unlock(&table_lock);
	wake_up_all(&state_changed);

	if (was_sealed)
		trace_seal_unsealed(entry->inode, entry->info.digest);
	seal_fs_put(entry->fs);
	seal_grants_free(entry);
	entry_free(entry);
}

/* Drop one claim; the last one unseals. */
static void entry_put(struct seal_entry *entry)
{
	entry_drop(entry, 0);
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

static struct seal_claim *session_find(struct seal_session *session,
				       struct inode *inode)
{
	struct seal_claim *claim;

	list_for_each_entry(claim, &session->claims, list)
		if (claim->entry->inode == inode)
			return claim;
	return NULL;
}

/* Turn the claims the jobs hold into claims of the session or sticky ones. */
static void jobs_commit(struct job *jobs, unsigned int nr,
			struct seal_session *session, struct seal_request *req)
{
	unsigned int i;

	mutex_lock(&session->lock);
	mutex_lock(&table_lock);
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
			entry->sticky = true;
			__module_get(THIS_MODULE);
			jobs[i].entry = NULL;
		} else if (!req->sticky &&
			   !session_find(session, entry->inode)) {
			entry->sessions++;
			jobs[i].claim->entry = entry;
			list_add(&jobs[i].claim->list, &session->claims);
			jobs[i].claim = NULL;
			jobs[i].entry = NULL;
		}
	}
	mutex_unlock(&table_lock);
	mutex_unlock(&session->lock);
	wake_up_all(&state_changed);
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
	}
	sort(jobs, req->nr, sizeof(*jobs), job_cmp, NULL);

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
		jobs_commit(jobs, req->nr, session, req);
out_put:
	/* claims that were not handed over; a failed seal is taken back here */
	for (i = 0; i < req->nr; i++)
		if (jobs[i].entry)
			entry_put(jobs[i].entry);
	seal_map_put();
out_free:
	for (i = 0; i < req->nr; i++)
		kfree(jobs[i].claim);
	kvfree(jobs);
	return ret;
}

/* --- dropping claims --- */

static void claim_drop(struct seal_session *session, struct seal_claim *claim)
{
	seal_grants_leave(claim->entry, session);
	mutex_lock(&table_lock);
	claim->entry->sessions--;
	mutex_unlock(&table_lock);
	entry_put(claim->entry);
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
		claim_drop(session, claim);
	return 0;
}

int seal_unclaim_sticky(struct inode *inode)
{
	struct seal_entry *entry;

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (entry && entry->sticky)
		entry->sticky = false;
	else
		entry = NULL;
	mutex_unlock(&table_lock);
	if (entry) {
		seal_grants_leave_sticky(entry);
		entry_put(entry);
		module_put(THIS_MODULE);
	}
	return 0;
}

void seal_session_init(struct seal_session *session)
{
	mutex_init(&session->lock);
	INIT_LIST_HEAD(&session->claims);
}

void seal_session_end(struct seal_session *session)
{
	struct seal_claim *claim, *next;

	list_for_each_entry_safe(claim, next, &session->claims, list)
		claim_drop(session, claim);
}

/* --- a holder changes the map --- */

/* The entry if it is held so, with another claim on it. */
static struct seal_entry *change_find(struct seal_session *session,
				      struct inode *inode)
{
	struct seal_entry *entry = NULL;
	struct seal_claim *claim;

	if (session)
		mutex_lock(&session->lock);
	mutex_lock(&table_lock);
	if (session) {
		claim = session_find(session, inode);
		entry = claim ? claim->entry : NULL;
	} else {
		entry = find_entry(inode);
		if (entry && !entry->sticky)
			entry = NULL;
	}
	if (entry) {
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

	if (session) {
		mutex_lock(&session->lock);
		claim = session_find(session, entry->inode);
		mutex_unlock(&session->lock);
	}
	mutex_lock(&table_lock);
	if (session ? !claim : !entry->sticky)
		ret = -EACCES;
	else if (grow && entry->claims - entry->changers !=
			 (session ? 1 : 0) + entry->sticky)
		ret = -EBUSY;
	else
		entry->growing = grow;
	mutex_unlock(&table_lock);
	return ret;
}

struct seal_entry *seal_change_begin(struct seal_session *session,
				     struct inode *inode, bool grow)
{
	struct seal_entry *entry = change_find(session, inode);
	int ret = -EINTR;

	if (!entry)
		return ERR_PTR(-EACCES);
	if (!mutex_lock_killable(&entry->change_lock)) {
		ret = change_start(entry, session, grow);
		if (!ret)
			return entry;
		mutex_unlock(&entry->change_lock);
	}
	entry_drop(entry, 1);
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
	entry_drop(entry, 1);
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
	struct seal_entry *entry;
	int ret;

	status->dev_major = MAJOR(dev);
	status->dev_minor = MINOR(dev);

	mutex_lock(&session->lock);
	if (session_find(session, inode))
		status->flags |= SEAL_STATUS_HELD;
	mutex_unlock(&session->lock);

	mutex_lock(&table_lock);
	entry = find_entry(inode);
	if (entry && entry->state == SEAL_ENTRY_SEALED) {
		status->flags |= SEAL_STATUS_SEALED;
		if (entry->sticky)
			status->flags |= SEAL_STATUS_STICKY;
		status->holders = entry->sessions + entry->sticky;
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
}
