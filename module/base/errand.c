// SPDX-License-Identifier: GPL-2.0-only
/* Work that a thread of the kernel does in place of a task. */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "base/errand.h"

enum {
	WANTED,
	RUNNING,
	ENDED,		/* the task gets the result */
	LEFT,		/* the task has gone */
};

/*
 * A queue of its own, which nobody else can fill. Errands of tasks that were killed
 * meanwhile take no time.
 */
static struct workqueue_struct *queue;

static void errand_free(struct kref *ref)
{
	kfree(container_of(ref, struct seal_errand, ref));
}

static void errand_work(struct work_struct *work)
{
	struct seal_errand *errand = container_of(work, struct seal_errand,
						  work);

	if (atomic_cmpxchg(&errand->state, WANTED, RUNNING) == WANTED)
		errand->run(errand);
	kref_put(&errand->ref, errand_free);
}

bool seal_errand_end(struct seal_errand *errand, int ret)
{
	/* the completion orders this before the task reads it */
	errand->ret = ret;
	if (atomic_cmpxchg(&errand->state, RUNNING, ENDED) != RUNNING)
		return false;
	complete(&errand->done);
	return true;
}

/*
 * The task was killed. An errand that runs already is to give up soon, since others
 * wait for their turn. Returns false if it has ended after all.
 */
static bool leave(struct seal_errand *errand)
{
	if (atomic_cmpxchg(&errand->state, WANTED, LEFT) == WANTED)
		return true;
	WRITE_ONCE(errand->limit.end, jiffies - 1);
	return atomic_cmpxchg(&errand->state, RUNNING, LEFT) == RUNNING;
}

/*
 * Wait for the end. The limit is for the turn of the errand: once it runs, it takes
 * as long as the kernel needs for it. Returns 0, -EINTR or -EBUSY.
 */
static int errand_wait(struct seal_errand *errand,
		       const struct seal_limit *limit)
{
	long left = limit->end - jiffies;

	left = wait_for_completion_killable_timeout(&errand->done, max(left, 1L));
	if (!left && atomic_cmpxchg(&errand->state, WANTED, LEFT) == WANTED)
		return -EBUSY;
	if (!left)
		left = wait_for_completion_killable(&errand->done) ?: 1;
	if (left > 0)
		return 0;
	return leave(errand) ? -EINTR : 0;
}

int seal_errand_do(struct seal_errand *errand, const struct seal_limit *limit,
		   const char *what)
{
	int ret;

	init_completion(&errand->done);
	kref_init(&errand->ref);
	atomic_set(&errand->state, WANTED);
	errand->reason[0] = '\0';
	errand->limit.end = limit->end;
	errand->limit.reason = errand->reason;
	INIT_WORK(&errand->work, errand_work);
	/* for the thread */
	kref_get(&errand->ref);
	queue_work(queue, &errand->work);

	ret = errand_wait(errand, limit);
	if (ret == -EBUSY) {
		seal_limit_tell(limit, what);
	} else if (!ret) {
		ret = errand->ret;
		if (ret && errand->reason[0])
			strscpy(limit->reason, errand->reason, SEAL_REASON_LEN);
	}
	kref_put(&errand->ref, errand_free);
	return ret;
}

int seal_errands_init(void)
{
	queue = alloc_ordered_workqueue("seal_errands", WQ_MEM_RECLAIM);
	return queue ? 0 : -ENOMEM;
}

void seal_errands_wait(void)
{
	flush_workqueue(queue);
}

void seal_errands_exit(void)
{
	destroy_workqueue(queue);
}
