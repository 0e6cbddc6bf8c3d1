// SPDX-License-Identifier: GPL-2.0-only
/* Recall: asking holders to let go, and waiting for them. */
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/srcu.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "base/lock.h"
#include "base/mode.h"
#include "gates/recall.h"
#include "table/claim.h"

/* the time that the holder of a lease has by default (fs.lease-break-time) */
static unsigned int recall_max_ms = 45000;
module_param(recall_max_ms, uint, 0644);
MODULE_PARM_DESC(recall_max_ms, "how long a recall can make somebody wait, whatever the holder asked for");

DEFINE_STATIC_SRCU(recalls_srcu);

static u64 last_recall;		/* under seal_table_lock */

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

	/* in log-only mode every call passes, so nobody is asked */
	if (likely(!seal_flagged(inode)) || seal_is_log_only())
		return false;
	rcu_read_lock();
	entry = seal_lookup(inode);
	recallable = entry && READ_ONCE(entry->recalls);
	rcu_read_unlock();
	return recallable;
}

/* Can all holders be asked, and is the current process none of them? */
static bool can_ask(const struct seal_entry *entry)
{
	const struct seal_claim *claim;

	list_for_each_entry(claim, &entry->holders, siblings)
		if (!claim->holder->recall_ms ||
		    claim->holder->pid == task_tgid_nr(current))
			return false;
	return true;
}

/*
 * Ask all holders. They have the longest time that any of them has asked for,
 * but at most recall_max_ms.
 */
static void recall_start(struct seal_entry *entry, const char *gate,
			 struct seal_ticket *ticket)
{
	struct seal_claim *claim;
	u32 ms = 0;

	list_for_each_entry(claim, &entry->holders, siblings)
		ms = max(ms, claim->holder->recall_ms);
	ms = min(ms, READ_ONCE(recall_max_ms));
	ticket->recall = ++last_recall;
	ticket->end = jiffies + msecs_to_jiffies(ms);
	ticket->deadline = ktime_get_real_ns() + (u64)ms * NSEC_PER_MSEC;
	entry->recalled = true;
	list_for_each_entry(claim, &entry->holders, siblings)
		seal_claim_ask(claim, ticket, gate);
}

/* Limits the wait for the last steps of unsealing, which take very little. */
#define LEAVING_TIME	(10 * HZ)

/*
 * Returns false if there is nothing to wait for: not all holders can be asked,
 * or the current process is one of them. Returns true also if the last holder
 * is already leaving.
 */
static bool recall_begin(struct inode *inode, const char *gate,
			 struct seal_ticket *ticket)
{
	struct seal_entry *entry;
	bool begun = false;

	spin_lock(&seal_table_lock);
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
		/* a recall whose time is over is not waited for again */
		if (time_after_eq(jiffies, ticket->end))
			goto out;
	} else if (seal_entry_holders(entry)) {
		recall_start(entry, gate, ticket);
	}
	seal_ticket_add(ticket);
	begun = true;
out:
	spin_unlock(&seal_table_lock);
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

/* How soon a task that waits notices that it has to stop (jiffies). */
#define LOOK	(HZ / 10 ?: 1)

/*
 * Wait until @inode has no holder, the time is over, or a fatal signal arrives.
 * Why the wait ended does not matter: the gate that refuses decides afterwards.
 *
 * The caller of the wrapped function may have write access to the filesystem. A
 * task that freezes the filesystem, for a snapshot, must not wait for a holder,
 * so the wait also ends when a freeze begins.
 *
 * Returns -ERESTARTNOINTR if the task is to be frozen, which must not keep
 * write access for as long: it leaves the kernel, and calls again when it goes
 * on. A worker of io_uring cannot do that, so its wait just ends.
 */
static int recall_wait(struct inode *inode, const struct seal_ticket *ticket)
{
	const struct sb_writers *writers = &inode->i_sb->s_writers;
	DEFINE_WAIT(wait);
	int ret = 0;

	for (;;) {
		long left = ticket->end - jiffies;

		prepare_to_wait(&seal_state_changed, &wait, TASK_KILLABLE);
		if (left <= 0 || entry_gone(inode, ticket->entry_id) ||
		    fatal_signal_pending(current) ||
		    READ_ONCE(writers->frozen) != SB_UNFROZEN)
			break;
		if (seal_to_be_frozen()) {
			if (!(current->flags & PF_IO_WORKER))
				ret = restart_syscall();
			break;
		}
		schedule_timeout(min_t(long, left, LOOK));
	}
	finish_wait(&seal_state_changed, &wait);
	return ret;
}

static void recall_end(struct inode *inode, struct seal_ticket *ticket)
{
	struct seal_entry *entry;
	struct seal_claim *claim;

	spin_lock(&seal_table_lock);
	seal_ticket_remove(ticket);
	entry = seal_entry_find(inode);
	if (entry && entry->id == ticket->entry_id && entry->recalled &&
	    !seal_ticket_find(entry->id)) {
		list_for_each_entry(claim, &entry->holders, siblings)
			seal_claim_unrecall(claim);
		entry->recalled = false;
	}
	spin_unlock(&seal_table_lock);
}

int seal_recall(struct inode *inode, struct inode *other,
		const struct file *file, const char *gate)
{
	struct inode *inodes[] = { inode, other };
	struct seal_ticket tickets[ARRAY_SIZE(inodes)];
	bool begun[ARRAY_SIZE(inodes)] = { };
	unsigned int i;
	int ret = 0;

	/* other tasks may be waiting for a kernel thread: it must not wait */
	if ((file && file->f_flags & O_NONBLOCK) || current->flags & PF_KTHREAD)
		return 0;
	/* ask all before any of them is waited for: their times are the same */
	for (i = 0; i < ARRAY_SIZE(inodes); i++)
		begun[i] = inodes[i] && (!i || inodes[i] != inode) &&
			   seal_recallable(inodes[i]) &&
			   recall_begin(inodes[i], gate, &tickets[i]);
	for (i = 0; i < ARRAY_SIZE(inodes); i++)
		if (begun[i] && !ret)
			ret = recall_wait(inodes[i], &tickets[i]);
	for (i = 0; i < ARRAY_SIZE(inodes); i++)
		if (begun[i])
			recall_end(inodes[i], &tickets[i]);
	return ret;
}

void seal_recall_exit(void)
{
	synchronize_srcu(&recalls_srcu);
}
