// SPDX-License-Identifier: GPL-2.0-only
/* Recall: waiting for holders to let go. */
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "base/mode.h"
#include "gates/recall.h"
#include "table/claim.h"

DEFINE_STATIC_SRCU(recalls_srcu);

static u64 last_recall;		/* under the table's lock */

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

/* Can all holders be asked by current, which is none of them? */
static bool can_ask(const struct seal_entry *entry)
{
	const struct seal_claim *claim;

	list_for_each_entry(claim, &entry->holders, siblings)
		if (!claim->holder->recall_ms ||
		    claim->holder->pid == task_tgid_nr(current))
			return false;
	return true;
}

/* The holder that needs longest gets as long as it said. */
static void recall_start(struct seal_entry *entry, const char *gate,
			 struct seal_ticket *ticket)
{
	struct seal_claim *claim;
	u32 ms = 0;

	list_for_each_entry(claim, &entry->holders, siblings)
		ms = max(ms, claim->holder->recall_ms);
	ticket->recall = ++last_recall;
	ticket->end = jiffies + msecs_to_jiffies(ms);
	ticket->deadline = ktime_get_real_ns() + (u64)ms * NSEC_PER_MSEC;
	entry->recalled = true;
	list_for_each_entry(claim, &entry->holders, siblings)
		seal_claim_ask(claim, ticket, gate);
}

/* For the last steps of unsealing, which take no time worth mentioning. */
#define LEAVING_TIME	(10 * HZ)

/*
 * False: not all holders can be asked, or current is one of them. True also if
 * the last one is just letting go.
 */
static bool recall_begin(struct inode *inode, const char *gate,
			 struct seal_ticket *ticket)
{
	struct seal_entry *entry;
	bool begun = false;

	mutex_lock(&seal_table_lock);
	entry = seal_entry_find(inode);
	if (!entry || entry->state == SEAL_ENTRY_SEALING || !entry->recalls ||
	    !can_ask(entry))
		goto out;
	*ticket = (struct seal_ticket){
		.entry_id	= entry->id,
		.end		= jiffies + LEAVING_TIME,
	};
	if (entry->recalled && seal_entry_holders(entry)) {
		*ticket = *seal_ticket_find(entry->id);
		/* one that has run out is not waited for again */
		if (time_after_eq(jiffies, ticket->end))
			goto out;
	} else if (seal_entry_holders(entry)) {
		recall_start(entry, gate, ticket);
	}
	seal_ticket_add(ticket);
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
static void recall_wait(struct inode *inode, const struct seal_ticket *ticket)
{
	long left = ticket->end - jiffies;

	/* for whatever reason it ends: the gate looks for itself */
	if (left > 0)
		wait_event_killable_timeout(seal_state_changed,
					    entry_gone(inode, ticket->entry_id),
					    left);
}

static void recall_end(struct inode *inode, struct seal_ticket *ticket)
{
	struct seal_entry *entry;
	struct seal_claim *claim;

	mutex_lock(&seal_table_lock);
	seal_ticket_remove(ticket);
	entry = seal_entry_find(inode);
	if (entry && entry->id == ticket->entry_id && entry->recalled &&
	    !seal_ticket_find(entry->id)) {
		list_for_each_entry(claim, &entry->holders, siblings)
			seal_claim_unrecall(claim);
		entry->recalled = false;
	}
	mutex_unlock(&seal_table_lock);
}

void seal_recall(struct inode *inode, const struct file *file,
		 const char *gate)
{
	struct seal_ticket ticket;

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
