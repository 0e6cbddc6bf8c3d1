// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealing: one or more files in one step, all or none.
 *
 * A task that seals several files acquires their entries in the order of the
 * inodes' addresses, so that two tasks cannot wait for each other.
 */
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/wait.h>

#include "base/debug.h"
#include "base/lock.h"
#include "base/mode.h"
#include "base/trace.h"
#include "gates/eligible.h"
#include "gates/inside.h"
#include "gates/observers.h"
#include "gates/tripwire.h"
#include "probes/fs.h"
#include "sealing/freeze.h"
#include "sealing/older.h"
#include "sealing/release.h"
#include "sealing/sealing.h"
#include "table/claim.h"

struct job {
	struct file		*file;
	struct seal_fs		*fs;
	u32			fs_flags;
	u32			index;		/* in the request */
	struct seal_entry	*entry;		/* the job has a claim on it */
	struct seal_claim	*claim;		/* for the session */
	u64			switched;	/* see observers.h */
	bool			mine;		/* sealed by this request */
	bool			recalls;	/* has attached recall gates */
	bool			settled;	/* its map is final */
};

static int job_cmp(const void *a, const void *b)
{
	const struct job *x = a, *y = b;
	unsigned long i = (unsigned long)file_inode(x->file);
	unsigned long j = (unsigned long)file_inode(y->file);

	return i < j ? -1 : i > j;
}

/* Wait for another task that seals or unseals the file, or makes it grow. */
static int wait_settled(struct inode *inode, const struct seal_limit *limit)
{
	long left = limit->end - jiffies;

	left = wait_event_killable_timeout(seal_state_changed,
					   !seal_entry_in_transit(inode),
					   max(left, 1L));
	if (left < 0)
		return -EINTR;
	return left ? 0 :
	       seal_limit_tell(limit, "somebody else is sealing the file, or making it grow");
}

/* Get a claim on the entry of the job's inode. Make an entry if needed. */
static int job_acquire(struct job *job, struct seal_request *req)
{
	struct inode *inode = file_inode(job->file);
	struct seal_entry *entry, *fresh;
	int ret;

	job->switched = seal_kprobes_switched();
	ret = seal_fs_get(job->fs, job->file, &req->limit);
	if (ret)
		return ret;
	seal_eligible_learn(job->fs, inode);
	fresh = seal_entry_alloc(job->file, job->fs, job->fs_flags);
	if (!fresh) {
		seal_fs_put(job->fs);
		return -ENOMEM;
	}

	for (;;) {
		spin_lock(&seal_table_lock);
		entry = seal_entry_find(inode);
		if (!entry || seal_entry_settled(entry))
			break;
		spin_unlock(&seal_table_lock);
		ret = wait_settled(inode, &req->limit);
		if (ret)
			goto out_fresh;
	}

	if (entry) {
		entry->claims++;
		job->entry = entry;
	} else {
		ret = seal_entry_insert(fresh);
		if (!ret) {
			job->entry = fresh;
			job->mine = true;
			fresh = NULL;
		}
	}
	spin_unlock(&seal_table_lock);
	if (!fresh)
		return 0;
out_fresh:
	seal_fs_put(job->fs);
	seal_entry_free(fresh);
	return ret;
}

/* Attach the gates of recalls if the holder wants to be asked first. */
static int job_recalls(struct job *job, struct seal_request *req)
{
	int ret;

	if (!req->recall_ms)
		return 0;
	ret = seal_fs_recalls_get(job->fs, &req->limit);
	job->recalls = !ret;
	return ret;
}

static int job_check(const struct job *job, struct seal_map_info *info,
		     struct seal_request *req)
{
	struct seal_offence offence;
	int ret;

	/* if anything is shared, say where */
	if (req->require & SEAL_REQ_UNSHARED && info->sum.places) {
		ret = seal_map_read(job->entry->inode, info, NULL, &req->limit);
		if (ret)
			return ret;
	}

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
			 "%llu extent%s, at most %llu are asked for",
			 info->sum.extents, info->sum.extents == 1 ? "" : "s",
			 req->max_extents);
		break;
	}
	return -EBADFD;
}

static struct module *job_module(const struct job *job)
{
	return file_inode(job->file)->i_sb->s_type->owner;
}

/* The gates are attached. Wait for calls that came before they were. */
static int jobs_wait_older(struct job *jobs, unsigned int nr,
			   struct seal_request *req)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine)
			continue;
		ret = seal_wait_older(jobs[i].fs, job_module(&jobs[i]),
				      &req->limit);
		if (ret) {
			req->bad_index = jobs[i].index;
			return ret;
		}
	}
	return 0;
}

/*
 * A call that broke a layout may have dropped the lock of the file: wait for
 * it. Returns 1 if there was such a call: the map has to be settled again.
 */
static int jobs_wait_layouts(struct job *jobs, unsigned int nr,
			     struct seal_request *req)
{
	unsigned int i;
	int ret, waited = 0;

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine || !jobs[i].entry->layout_broken)
			continue;
		ret = seal_wait_dropped(jobs[i].fs, job_module(&jobs[i]),
					&req->limit);
		if (ret) {
			req->bad_index = jobs[i].index;
			return ret;
		}
		jobs[i].entry->layout_broken = false;
		waited = 1;
	}
	return waited;
}

/* The inodes have their flag. Wait for calls that a wrapper let pass before. */
static int jobs_drain_inside(struct job *jobs, unsigned int nr,
			     struct seal_request *req)
{
	struct super_block *last = NULL;
	unsigned int i;
	int ret;

	if (seal_step_skipped(SEAL_STEP_WRAPPERS))
		return 0;
	for (i = 0; i < nr; i++) {
		struct inode *inode = file_inode(jobs[i].file);

		if (!jobs[i].mine || jobs[i].settled)
			continue;
		ret = seal_inside_wait(inode, &req->limit);
		if (!ret && inode->i_sb != last)
			ret = seal_inside_wait(inode->i_sb, &req->limit);
		last = inode->i_sb;
		if (ret) {
			req->bad_index = jobs[i].index;
			return ret;
		}
	}
	return 0;
}

/*
 * Check the requirements for a file that is sealed already. The summary of its
 * map tells whether they are met. If not, read the map to name the range.
 */
static int job_join(const struct job *job, struct seal_request *req)
{
	struct seal_entry *entry = job->entry;
	struct seal_map_info *info;
	bool unmet;
	int ret;

	spin_lock(&seal_table_lock);
	seal_trip_size(entry);
	spin_unlock(&seal_table_lock);
	if (seal_changes(entry) && !seal_is_log_only()) {
		strscpy(req->reason, "the seal that is held on it was broken",
			SEAL_REASON_LEN);
		return -ESTALE;
	}
	/* under the lock, because a holder may be changing the map */
	spin_lock(&seal_table_lock);
	unmet = (req->require & entry->sum.unmet) ||
		(req->require & SEAL_REQ_EXTENTS &&
		 entry->sum.extents > req->max_extents);
	spin_unlock(&seal_table_lock);
	if (!unmet)
		return 0;

	info = kmalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info)
		return -ENOMEM;
	ret = seal_map_read(entry->inode, info, NULL, &req->limit) ?:
	      job_check(job, info, req);
	kfree(info);
	return ret;
}

/* The steps of freeze.h on one file. */

static int job_watch(struct job *job, struct seal_request *req)
{
	return seal_freeze_watch(job->entry, &req->limit);
}

/* If a call has passed a gate, gates have to decide from now on. */
static int job_shut(struct job *job, struct seal_request *req)
{
	if (!seal_freeze_opened(job->entry))
		return 0;
	return seal_freeze_look(job->entry, &req->limit) ?:
	       seal_freeze_shut(job->entry, &req->limit);
}

static int job_settle(struct job *job, struct seal_request *req)
{
	return seal_freeze_settle(job->entry, job->file, &req->limit);
}

/*
 * Look at the attributes again. Changes that were under way at the first look
 * have finished, and gates see all later ones.
 */
static int job_facts(struct job *job, struct seal_request *req)
{
	struct seal_fs *fs;

	if (seal_step_skipped(SEAL_STEP_FACTS))
		return 0;
	fs = seal_eligible(job->file, &job->fs_flags, req->reason);
	if (IS_ERR(fs))
		return PTR_ERR(fs);
	WRITE_ONCE(job->entry->fs_flags, job->fs_flags);
	return 0;
}

static int job_read(struct job *job, struct seal_request *req)
{
	struct seal_map_info info;
	int ret = job_facts(job, req) ?:
		  seal_freeze_read(job->entry, &info, &req->limit);

	if (ret > 0)
		ret = job_check(job, &info, req) ?:
		      seal_freeze_close(job->entry, job->file, &req->limit);
	if (ret < 0)
		return ret;
	job->settled = ret;
	return 0;
}

/* Do @step for each file whose map is not final yet. */
static int jobs_each(struct job *jobs, unsigned int nr,
		     struct seal_request *req,
		     int (*step)(struct job *job, struct seal_request *req))
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine || jobs[i].settled)
			continue;
		ret = step(&jobs[i], req);
		if (ret) {
			req->bad_index = jobs[i].index;
			return ret;
		}
	}
	return 0;
}

static bool jobs_settled(const struct job *jobs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (jobs[i].mine && !jobs[i].settled)
			return false;
	return true;
}

/* SEAL gives up if a map does not come to rest in this many rounds. */
#define MAX_ROUNDS	16

static int jobs_freeze(struct job *jobs, unsigned int nr,
		       struct seal_request *req)
{
	unsigned int i, round;
	int ret;

	for (i = 0; i < nr; i++) {
		if (!jobs[i].entry || jobs[i].mine)
			continue;
		ret = job_join(&jobs[i], req);
		if (ret) {
			req->bad_index = jobs[i].index;
			return ret;
		}
	}

	ret = jobs_wait_older(jobs, nr, req);
	if (ret)
		return ret;

	/* watch all files before the first map is read: one instant for all */
	ret = jobs_each(jobs, nr, req, job_watch);
	if (ret)
		return ret;

	for (round = 0; !jobs_settled(jobs, nr); round++) {
		if (round == MAX_ROUNDS ||
		    (round && seal_limit_over(&req->limit))) {
			for (i = 0; !jobs[i].mine || jobs[i].settled; i++)
				;
			req->bad_index = jobs[i].index;
			if (!req->reason[0])
				strscpy(req->reason, "the map does not come to rest, try again",
					SEAL_REASON_LEN);
			return -EBUSY;
		}
		req->reason[0] = '\0';
		ret = jobs_each(jobs, nr, req, job_shut) ?:
		      jobs_drain_inside(jobs, nr, req) ?:
		      jobs_each(jobs, nr, req, job_settle);
		if (ret)
			return ret;
		ret = jobs_wait_layouts(jobs, nr, req);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		ret = jobs_each(jobs, nr, req, job_read);
		if (ret)
			return ret;
	}

	for (i = 0; i < nr; i++) {
		if (!jobs[i].mine)
			continue;
		if (seal_changes(jobs[i].entry) && !seal_is_log_only()) {
			req->bad_index = jobs[i].index;
			strscpy(req->reason, "the map changes although every gate is shut",
				SEAL_REASON_LEN);
			return -ESTALE;
		}
	}
	return 0;
}

/* Was the claim of this session on one of the files revoked? */
static int jobs_check_revoked(const struct job *jobs, unsigned int nr,
			      struct seal_session *session,
			      struct seal_request *req)
{
	const struct seal_claim *claim;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		claim = seal_session_find(session, file_inode(jobs[i].file));
		if (!claim || !seal_claim_revoked(claim))
			continue;
		req->bad_index = jobs[i].index;
		strscpy(req->reason, "its seal was revoked, unseal it first",
			SEAL_REASON_LEN);
		return -EOWNERDEAD;
	}
	return 0;
}

/* Turn the claims of the jobs into claims of the session, or lasting ones. */
static int jobs_commit(struct job *jobs, unsigned int nr,
		       struct seal_session *session, struct seal_request *req)
{
	unsigned int i;
	int ret;

	mutex_lock(&session->lock);
	spin_lock(&seal_table_lock);
	ret = jobs_check_revoked(jobs, nr, session, req);
	if (ret)
		goto out;
	for (i = 0; i < nr; i++) {
		struct seal_entry *entry = jobs[i].entry;

		if (!entry)
			continue;
		if (jobs[i].recalls && !entry->recalls) {
			WRITE_ONCE(entry->recalls, true);
			jobs[i].recalls = false;
		}
		/*
		 * From here on a tripwire reports a change; before, it only
		 * counted. Pairs with the barrier in seal_trip(): this task
		 * sees the count below, or the tripwire sees the state.
		 */
		smp_store_mb(entry->state, SEAL_ENTRY_SEALED);
		if (jobs[i].mine) {
			entry->generation = seal_new_generation();
			entry->switched = jobs[i].switched;
			seal_freeze_shortcut(entry);
			trace_seal_sealed(entry->inode, entry->sum.digest);
			if (seal_changes(entry))
				seal_report_broken(entry,
						   "between the last look at it and the end of sealing");
		}
		if (req->sticky && !entry->sticky) {
			seal_claim_attach(jobs[i].claim, entry);
			__module_get(THIS_MODULE);
			jobs[i].claim = NULL;
			jobs[i].entry = NULL;
		} else if (!req->sticky &&
			   !seal_session_find(session, entry->inode)) {
			seal_claim_attach(jobs[i].claim, entry);
			jobs[i].claim = NULL;
			jobs[i].entry = NULL;
		}
	}
out:
	spin_unlock(&seal_table_lock);
	mutex_unlock(&session->lock);
	wake_up_all(&seal_state_changed);
	return ret;
}

int seal_claim_files(struct seal_session *session, struct seal_request *req)
{
	struct seal_holder *holder;
	struct job *jobs;
	unsigned int i;
	int ret;

	req->bad_index = SEAL_NO_INDEX;
	seal_limit_start(&req->limit, req->reason);
	if (seal_is_disabled()) {
		strscpy(req->reason, "the module was loaded with seal.disable=1",
			SEAL_REASON_LEN);
		return -EOPNOTSUPP;
	}
	jobs = kvcalloc(req->nr, sizeof(*jobs), GFP_KERNEL_ACCOUNT);
	if (!jobs)
		return -ENOMEM;
	holder = seal_holder_get(session, req);
	if (!holder) {
		ret = -ENOMEM;
		goto out_free;
	}

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
		jobs[i].claim = seal_claim_alloc(holder);
		if (!jobs[i].claim) {
			ret = -ENOMEM;
			goto out_free;
		}
	}
	sort(jobs, req->nr, sizeof(*jobs), job_cmp, NULL);

	mutex_lock(&session->lock);
	ret = jobs_check_revoked(jobs, req->nr, session, req);
	mutex_unlock(&session->lock);
	if (ret)
		goto out_free;
	for (i = 0; i < req->nr; i++) {
		/* the same file was listed twice */
		if (i && !job_cmp(&jobs[i - 1], &jobs[i]))
			continue;
		ret = job_acquire(&jobs[i], req) ?: job_recalls(&jobs[i], req);
		if (ret) {
			req->bad_index = jobs[i].index;
			goto out_put;
		}
	}
	ret = jobs_freeze(jobs, req->nr, req);
	if (!ret)
		ret = jobs_commit(jobs, req->nr, session, req);
out_put:
	/* drop claims that were not handed over; undoes a failed seal */
	for (i = 0; i < req->nr; i++) {
		if (jobs[i].entry)
			seal_entry_put(jobs[i].entry, NULL);
		if (jobs[i].recalls)
			seal_fs_recalls_put(jobs[i].fs);
	}
out_free:
	for (i = 0; i < req->nr; i++)
		seal_claim_free(jobs[i].claim);
	seal_holder_put(holder);
	kvfree(jobs);
	return ret;
}
