// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims are dropped or revoked. When the last claim on a file is dropped, the
 * file is unsealed.
 */
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/trace.h"
#include "gates/tripwire.h"
#include "probes/fs.h"
#include "sealing/freeze.h"
#include "sealing/release.h"
#include "table/claim.h"
#include "table/events.h"
#include "table/grantee.h"

static struct workqueue_struct *path_worker, *session_workers;

struct path_work {
	struct work_struct	work;
	const struct seal_entry	*entry;
	char			*page;
	char			*path;		/* in @page, or NULL */
	bool			*deleted;
};

static void path_work(struct work_struct *work)
{
	struct path_work *pw = container_of(work, struct path_work, work);

	pw->path = seal_entry_path_init(pw->entry, pw->page, pw->deleted);
}

/*
 * Have a worker find the path: a task that exits has no root directory any more,
 * and any other may have one of its own.
 *
 * Every user can fill the workqueues that all share with work that never ends.
 * Therefore this one is the module's own. Its work waits for nobody, and the
 * thread that it has in reserve needs no memory.
 */
static void path_find(struct path_work *pw)
{
	INIT_WORK_ONSTACK(&pw->work, path_work);
	queue_work(path_worker, &pw->work);
	flush_work(&pw->work);
	destroy_work_on_stack(&pw->work);
}

/* The path of an entry as kernel threads see it, as in all other events. */
static char *entry_path(const struct seal_entry *entry, bool *deleted)
{
	struct path_work pw = { .entry = entry, .deleted = deleted };
	char *path;

	pw.page = (char *)__get_free_page(GFP_KERNEL);
	if (!pw.page)
		return NULL;
	if (current->flags & PF_KTHREAD)
		path_work(&pw.work);
	else
		path_find(&pw);
	path = pw.path ? kstrdup(pw.path, GFP_KERNEL) : NULL;
	free_page((unsigned long)pw.page);
	return path;
}

static void entry_drop(struct seal_entry *entry, bool changer,
		       struct seal_event *event)
{
	bool was_sealed;

	spin_lock(&seal_table_lock);
	if (changer)
		seal_entry_change(entry)->changers--;
	if (--entry->claims) {
		if (event) {
			event->holders = seal_entry_holders(entry);
			seal_event_queue(event);
		}
		spin_unlock(&seal_table_lock);
		return;
	}
	seal_trip_size(entry);
	was_sealed = entry->state == SEAL_ENTRY_SEALED;
	WRITE_ONCE(entry->state, SEAL_ENTRY_LEAVING);
	spin_unlock(&seal_table_lock);

	seal_thaw_map(entry);

	spin_lock(&seal_table_lock);
	seal_entry_remove(entry);
	if (event)
		seal_event_queue(event);
	spin_unlock(&seal_table_lock);
	wake_up_all(&seal_state_changed);

	if (was_sealed)
		trace_seal_unsealed(entry->inode, entry->sum.digest);
	if (entry->recalls)
		seal_fs_recalls_put(seal_entry_fs(entry));
	seal_fs_put(seal_entry_fs(entry));
	seal_grants_free(entry);
	seal_entry_free(entry);
}

void seal_entry_put(struct seal_entry *entry, struct seal_event *event)
{
	entry_drop(entry, false, event);
}

void seal_entry_put_tell(struct seal_entry *entry, struct seal_event *event)
{
	if (event->type)
		event->path = entry_path(entry, &event->deleted);
	seal_entry_put(entry, event->type ? event : NULL);
}

void seal_entry_put_changer(struct seal_entry *entry)
{
	entry_drop(entry, true, NULL);
}

/* Drop @claim, which was taken out of the tree of its session. */
static void claim_drop(struct seal_claim *claim, u32 why)
{
	struct seal_session *session = claim->holder->session;
	struct seal_event event;
	struct seal_entry *entry;

	spin_lock(&seal_table_lock);
	entry = seal_claim_detach(claim, SEAL_EVENT_UNSEALED, why, &event);
	if (!entry)
		session->alerts--;
	spin_unlock(&seal_table_lock);
	if (entry) {
		seal_grants_leave(entry, session);
		seal_entry_put_tell(entry, &event);
	}
	seal_claim_forget(claim);
}

int seal_unclaim(struct seal_session *session, struct inode *inode)
{
	struct seal_claim *claim;

	mutex_lock(&session->lock);
	claim = seal_session_find(session, inode);
	if (claim)
		rb_erase(&claim->node, &session->claims);
	mutex_unlock(&session->lock);
	if (claim)
		claim_drop(claim, SEAL_WHY_CALL);
	return 0;
}

static struct seal_claim *sticky_claim(struct seal_entry *entry)
{
	struct seal_claim *claim;

	list_for_each_entry(claim, &entry->holders, siblings)
		if (!claim->holder->session)
			return claim;
	return NULL;
}

/* Do the rest after seal_claim_detach() of a lasting claim. */
static void sticky_drop(struct seal_claim *claim, struct seal_entry *entry,
			struct seal_event *event)
{
	seal_grants_leave_sticky(entry);
	seal_entry_put_tell(entry, event);
	seal_claim_forget(claim);
	module_put(THIS_MODULE);
}

int seal_unclaim_sticky(struct inode *inode)
{
	struct seal_claim *claim = NULL;
	struct seal_event event;
	struct seal_entry *entry;

	spin_lock(&seal_table_lock);
	entry = seal_entry_find(inode);
	if (entry)
		claim = sticky_claim(entry);
	if (claim)
		seal_claim_detach(claim, SEAL_EVENT_UNSEALED, SEAL_WHY_CALL,
				  &event);
	spin_unlock(&seal_table_lock);
	if (claim)
		sticky_drop(claim, entry, &event);
	return 0;
}

int seal_unclaim_number(u64 id)
{
	struct seal_claim *claim;
	struct seal_event event;
	struct seal_entry *entry;
	int ret = 0;

	spin_lock(&seal_table_lock);
	claim = seal_claim_find(id);
	if (!claim)
		ret = -ENOENT;
	else if (claim->holder->session)
		ret = -EBUSY;
	else if (!seal_path_owner_or_capable(&claim->entry->path))
		ret = -EPERM;
	else
		entry = seal_claim_detach(claim, SEAL_EVENT_UNSEALED,
					  SEAL_WHY_CALL, &event);
	spin_unlock(&seal_table_lock);
	if (!ret)
		sticky_drop(claim, entry, &event);
	return ret;
}

/*
 * Take one claim off @entry; false if there is none. @session gets its session,
 * NULL if it was the lasting one; @last: was it the last claim?
 */
static bool revoke_one(struct seal_entry *entry, struct seal_event *event,
		       struct seal_session **session, bool *last)
{
	struct seal_claim *claim;

	spin_lock(&seal_table_lock);
	claim = list_first_entry_or_null(&entry->holders, struct seal_claim,
					 siblings);
	if (claim) {
		seal_claim_detach(claim, SEAL_EVENT_REVOKED, 0, event);
		*session = claim->holder->session;
		*last = list_empty(&entry->holders);
		if (*session) {
			/* a session that ends takes the lock first */
			(*session)->alerts++;
			wake_up_all(&(*session)->wait);
		} else {
			seal_claim_forget(claim);
		}
	}
	spin_unlock(&seal_table_lock);
	return claim;
}

/*
 * While change->lock is held, no block can be granted. So the grants of a
 * session end together with its claim, before another session can get its
 * address.
 */
int seal_revoke(struct inode *inode, u32 *revoked)
{
	char reason[SEAL_REASON_LEN];
	struct seal_session *session;
	struct seal_change *change;
	struct seal_event event;
	struct seal_entry *entry;
	struct seal_limit limit;
	bool last = false;
	int ret;

	*revoked = 0;
	/* REVOKE is the last resort and must not fail with -ENOMEM */
	change = seal_change_alloc(GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	spin_lock(&seal_table_lock);
	entry = seal_entry_find(inode);
	/* an entry that is being sealed or dismantled has no holder */
	if (entry && list_empty(&entry->holders))
		entry = NULL;
	if (entry)
		seal_entry_get_changer(entry, &change);
	spin_unlock(&seal_table_lock);
	kfree(change);
	if (!entry)
		return 0;
	seal_limit_start(&limit, reason);
	ret = seal_mutex_lock(&seal_entry_change(entry)->lock, &limit,
			      SEAL_CHANGING);
	if (ret) {
		seal_entry_put_changer(entry);
		return ret;
	}
	while (!last && !ret && revoke_one(entry, &event, &session, &last)) {
		++*revoked;
		seal_grants_drop(entry, session);
		/* the event of the last claim is sent below, after unsealing */
		if (!last)
			seal_entry_put_tell(entry, &event);
		if (!session)
			module_put(THIS_MODULE);
		/* claims are revoked one by one; those that are stay revoked */
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	seal_grants_unlock(entry);
	seal_entry_put_changer(entry);
	if (last)
		seal_entry_put_tell(entry, &event);
	return ret;
}

static void session_end(struct seal_session *session)
{
	struct seal_claim *claim, *next;

	rbtree_postorder_for_each_entry_safe(claim, next, &session->claims,
					     node) {
		claim_drop(claim, session->why);
		cond_resched();
	}
	seal_holder_put(session->holder);
	kfree(session);
}

static void session_work(struct work_struct *work)
{
	session_end(container_of(work, struct seal_session, work));
	/* seal_release_exit() waits for the rest */
	module_put(THIS_MODULE);
}

/* So many claims are dropped at once. */
#define FEW	16

static bool has_few(const struct seal_session *session)
{
	struct rb_node *node = rb_first(&session->claims);
	unsigned int nr;

	for (nr = 0; node && nr <= FEW; nr++)
		node = rb_next(node);
	return nr <= FEW;
}

/*
 * The last descriptor of a session may be closed by a task that has nothing to do
 * with it: it was sent to a socket of that task. So the task does not do more than
 * a little. Users expect their few files to be unsealed when close(2) returns.
 */
void seal_session_close(struct seal_session *session, u32 why)
{
	session->why = why;
	if (has_few(session)) {
		session_end(session);
		return;
	}
	__module_get(THIS_MODULE);
	INIT_WORK(&session->work, session_work);
	queue_work(session_workers, &session->work);
}

int seal_release_init(void)
{
	path_worker = alloc_ordered_workqueue("seal_path", WQ_MEM_RECLAIM);
	if (!path_worker)
		return -ENOMEM;
	session_workers = alloc_workqueue("seal_sessions",
					  WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (session_workers)
		return 0;
	destroy_workqueue(path_worker);
	return -ENOMEM;
}

void seal_release_exit(void)
{
	destroy_workqueue(session_workers);
	destroy_workqueue(path_worker);
}
