// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates are attached with the first seal. A call that had entered the
 * filesystem before has passed none, and no wrapper counts it: it may be about
 * to take the lock of an inode and change its map. What changes maps without
 * holding a lock from its gate on does so with write access to the superblock
 * (fallocate, truncate, exchange of extents, repair): whoever has that now is
 * waited for, as when a filesystem is frozen, but nothing is written back.
 *
 * The wait for write access cannot be interrupted, so a worker does it.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/path.h>
#include <linux/percpu-rwsem.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "base/debug.h"
#include "sealing/entered.h"

static struct workqueue_struct *workers;

struct entered {
	struct work_struct	work;
	struct completion	done;
	refcount_t		users;
	struct path		path;		/* keeps the filesystem */
};

static void entered_put(struct entered *entered)
{
	if (!refcount_dec_and_test(&entered->users))
		return;
	path_put(&entered->path);
	kfree(entered);
}

static void entered_work(struct work_struct *work)
{
	struct entered *entered = container_of(work, struct entered, work);
	struct super_block *sb = entered->path.dentry->d_sb;
	struct percpu_rw_semaphore *writers =
		&sb->s_writers.rw_sem[SB_FREEZE_WRITE - 1];

	percpu_down_write(writers);
	percpu_up_write(writers);
	complete(&entered->done);
	entered_put(entered);
}

int seal_drain_entered(const struct path *path)
{
	struct entered *entered;
	int ret;

	if (seal_step_skipped(SEAL_STEP_ENTERED))
		return 0;
	entered = kmalloc(sizeof(*entered), GFP_KERNEL);
	if (!entered)
		return -ENOMEM;
	INIT_WORK(&entered->work, entered_work);
	init_completion(&entered->done);
	refcount_set(&entered->users, 2);
	entered->path = *path;
	path_get(&entered->path);
	queue_work(workers, &entered->work);
	ret = wait_for_completion_killable(&entered->done);
	entered_put(entered);
	return ret ? -EINTR : 0;
}

int seal_entered_init(void)
{
	workers = alloc_workqueue("seal", WQ_UNBOUND, 0);
	return workers ? 0 : -ENOMEM;
}

/* A worker may still wait for whom a killed caller did. */
void seal_entered_exit(void)
{
	destroy_workqueue(workers);
}
