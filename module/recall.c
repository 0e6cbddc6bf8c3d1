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

#include "claim.h"
#include "events.h"
#include "mode.h"
#include "recall.h"

DEFINE_STATIC_SRCU(recalls_srcu);

/*
 * Somebody who waits for the holders of a file. Those that wait for one file
 * share a recall, which lasts until the last of them has gone.
 */
struct ticket {
	struct list_head	list;
	u64			entry_id;
	u64			recall;		/* number; 0: none was left to be asked */
	u64			deadline;	/* ns since 1970 */
	unsigned long		end;		/* the same in jiffies */
};

/* With the table locked. There are as many as tasks that wait. */
static LIST_HEAD(tickets);
static u64 last_recall;

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

/* The recall of an entry, as one of those that wait has it, or NULL. */
static const struct ticket *recall_of(u64 entry_id)
{
	const struct ticket *ticket;

	list_for_each_entry(ticket, &tickets, list)
		if (ticket->entry_id == entry_id && ticket->recall)
			return ticket;
	return NULL;
}

/* Ask one: by an event, and through its session. */
static void ask(struct seal_claim *claim, const struct ticket *ticket,
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
	/* who wants it, not who has it */
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
	ask(claim, recall_of(claim->entry->id), "seal");
}

void seal_claim_unrecall(struct seal_claim *claim)
{
	if (seal_claim_recalled(claim))
		claim->holder->session->alerts--;
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
			 struct ticket *ticket)
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
		ask(claim, ticket, gate);
}

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
	    !can_ask(entry))
		goto out;
	*ticket = (struct ticket){
		.entry_id	= entry->id,
		.end		= jiffies + LEAVING_TIME,
	};
	if (entry->recalled && seal_entry_holders(entry)) {
		*ticket = *recall_of(entry->id);
		/* one that has run out is not waited for again */
		if (time_after_eq(jiffies, ticket->end))
			goto out;
	} else if (seal_entry_holders(entry)) {
		recall_start(entry, gate, ticket);
	}
	list_add(&ticket->list, &tickets);
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

static void recall_end(struct inode *inode, struct ticket *ticket)
{
	struct seal_entry *entry;
	struct seal_claim *claim;

	mutex_lock(&seal_table_lock);
	list_del(&ticket->list);
	entry = seal_entry_find(inode);
	if (entry && entry->id == ticket->entry_id && entry->recalled &&
	    !recall_of(entry->id)) {
		list_for_each_entry(claim, &entry->holders, siblings)
			seal_claim_unrecall(claim);
		entry->recalled = false;
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
