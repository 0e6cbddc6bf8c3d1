// SPDX-License-Identifier: GPL-2.0-only
/* Recall: waiting for holders to let go. */
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "claim.h"
#include "events.h"
#include "mode.h"
#include "recall.h"

DEFINE_STATIC_SRCU(recalls_srcu);

static u64 last_recall;			/* its number, with the table locked */

int seal_recall_enter(void)
	__acquires(&recalls_srcu)
{
	return srcu_read_lock(&recalls_srcu);
}

void seal_recall_leave(int cookie)
	__releases(&recalls_srcu)
{
	srcu_read_unlock(&recalls_srcu, cookie);
}

bool seal_recallable(struct inode *inode)
{
	struct seal_entry *entry;
	bool recallable;

	/* in log-only mode everything passes, without asking */
	if (likely(!seal_flagged(inode)) || seal_is_log_only())
		return false;
	rcu_read_lock();
	entry = seal_lookup(inode);
	recallable = entry && READ_ONCE(entry->recalls);
	rcu_read_unlock();
	return recallable;
}

/* Ask one: by an event, and through its session. */
void seal_claim_recall(struct seal_claim *claim, const char *gate)
{
	struct seal_entry *entry = claim->holder.entry;
	struct seal_event event;

	claim->holder.recalled = true;
	claim->session->alerts++;
	wake_up_all(&claim->session->wait);
	if (!seal_events_wanted())
		return;
	seal_holder_event(&claim->holder, SEAL_EVENT_RECALL, 0, &event);
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

void seal_claim_unrecall(struct seal_claim *claim)
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
	entry->recall = ++last_recall;
	entry->recall_end = jiffies + msecs_to_jiffies(ms);
	entry->recall_time = ktime_get_real_ns() + (u64)ms * NSEC_PER_MSEC;
	list_for_each_entry(claim, &entry->holders, siblings)
		seal_claim_recall(claim, gate);
}

/* What somebody waits for. */
struct ticket {
	u64		entry_id;
	unsigned long	end;		/* jiffies */
};

/* For the last steps of unsealing, which take no time worth mentioning. */
#define LEAVING_TIME	(10 * HZ)

/*
 * False: not all holders can be asked, or current is one of them. True also if
 * the last one is just letting go.
 */
static bool recall_begin(struct inode *inode, const char *gate,
			 struct ticket *ticket)
{
	struct seal_entry *entry;
	bool begun = false;

	mutex_lock(&seal_table_lock);
	entry = seal_entry_find(inode);
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
	mutex_unlock(&seal_table_lock);
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

/* Until @inode is not held any more, the end, or a fatal signal. */
static void recall_wait(struct inode *inode, const struct ticket *ticket)
{
	long left = ticket->end - jiffies;

	/* for whatever reason it ends: the gate looks for itself */
	if (left > 0)
		wait_event_killable_timeout(seal_state_changed,
					    entry_gone(inode, ticket->entry_id),
					    left);
}

static void recall_end(struct inode *inode, const struct ticket *ticket)
{
	struct seal_entry *entry;
	struct seal_claim *claim;

	mutex_lock(&seal_table_lock);
	entry = seal_entry_find(inode);
	if (entry && entry->id == ticket->entry_id &&
	    !--entry->recall_waiters) {
		entry->recall = 0;
		list_for_each_entry(claim, &entry->holders, siblings)
			seal_claim_unrecall(claim);
	}
	mutex_unlock(&seal_table_lock);
}

void seal_recall(struct inode *inode, const struct file *file,
		 const char *gate)
{
	struct ticket ticket;

	if (!seal_recallable(inode))
		return;
	/* a thread of the kernel may be the one that others wait for */
	if ((file && file->f_flags & O_NONBLOCK) || current->flags & PF_KTHREAD)
		return;
	if (!recall_begin(inode, gate, &ticket))
		return;
	recall_wait(inode, &ticket);
	recall_end(inode, &ticket);
}

void seal_recall_exit(void)
{
	synchronize_srcu(&recalls_srcu);
}
