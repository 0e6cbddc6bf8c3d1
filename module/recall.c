// SPDX-License-Identifier: GPL-2.0-only
/* Recall: waiting for holders to let go. */
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "claim.h"
#include "mode.h"
#include "recall.h"

DEFINE_STATIC_SRCU(recalls_srcu);

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

void seal_recall(struct inode *inode, const struct file *file,
		 const char *gate)
{
	struct seal_recall_ticket ticket;

	if (!seal_recallable(inode))
		return;
	/* a thread of the kernel may be the one that others wait for */
	if ((file && file->f_flags & O_NONBLOCK) || current->flags & PF_KTHREAD)
		return;
	if (!seal_recall_begin(inode, gate, &ticket))
		return;
	seal_recall_wait(inode, &ticket);
	seal_recall_end(inode, &ticket);
}

void seal_recall_exit(void)
{
	synchronize_srcu(&recalls_srcu);
}
