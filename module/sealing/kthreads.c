// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loop devices and file-backed targets discard by ->fallocate() of the file
 * behind them, without write access to the superblock: nothing counts them.
 * They do it in kernel threads, and where a kernel thread sleeps can be read
 * from its stack. Whoever was not in such a function once since the gates were
 * attached has passed them, or will.
 */
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "base/compat.h"
#include "base/debug.h"
#include "sealing/kthreads.h"
#include "uapi/seal.h"

#define STACK_DEPTH	64
#define LOOK_MS		5
/* How long a thread may run at every look before it is given up. */
#define RUNNING_MS	10000

enum place { OUTSIDE, INSIDE, RUNNING };

/*
 * Is this in a function through which a kernel thread changes maps without
 * write access? Whatever else it does in a filesystem is drained by locks.
 */
static bool changes_maps(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, address);
	return strstr(name, "fallocate") ||
	       /* a pNFS server */
	       !strcmp(name, "xfs_fs_map_blocks") ||
	       !strcmp(name, "xfs_fs_commit_blocks");
}

/* Every kernel thread begins here: a stack that does not end so is not whole. */
static bool is_outermost(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, address);
	return !strcmp(name, "ret_from_fork_asm") ||	/* since 6.6 */
	       !strcmp(name, "ret_from_fork");
}

/* A thread that is about to sleep has its new state before it leaves the CPU. */
static bool may_run(struct task_struct *task)
{
#ifdef CONFIG_SMP
	/* pairs with the release in finish_task() of the scheduler */
	if (smp_load_acquire(&task->on_cpu))
		return true;
#endif
	return task_is_running(task);
}

static unsigned long switches(struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

static enum place place_of(struct task_struct *task, struct module *fs)
{
	unsigned long stack[STACK_DEPTH];
	unsigned long before = switches(task);
	unsigned int i, nr;

	if (may_run(task))
		return RUNNING;
	nr = seal_stack_of(task, stack, STACK_DEPTH);
	/*
	 * Whoever was woken while we looked, even if it sleeps again: what was
	 * read may be of two stacks.
	 */
	if (may_run(task) || switches(task) != before)
		return RUNNING;
	for (i = 0; i < nr; i++)
		if (within_module(stack[i], fs) && changes_maps(stack[i]))
			return INSIDE;
	if (nr == STACK_DEPTH)
		return INSIDE;
	return nr && is_outermost(stack[nr - 1]) ? OUTSIDE : RUNNING;
}

struct suspect {
	struct task_struct	*task;		/* referenced */
	unsigned long		running;	/* since then, as far as is known */
};

/* The kernel threads that are not known to be outside. */
static struct suspect *suspects_get(struct module *fs, unsigned int *nr)
{
	struct task_struct *task;
	struct suspect *suspects;
	unsigned int room = 64;

	rcu_read_lock();
	for_each_process(task)
		room += !!(task->flags & PF_KTHREAD);
	rcu_read_unlock();

	*nr = 0;
	suspects = kvmalloc_array(room, sizeof(*suspects), GFP_KERNEL);
	if (!suspects)
		return NULL;
	rcu_read_lock();
	for_each_process(task) {
		if (!(task->flags & PF_KTHREAD) || *nr == room)
			continue;
		if (place_of(task, fs) == OUTSIDE)
			continue;
		get_task_struct(task);
		suspects[(*nr)++] = (struct suspect) {
			.task = task,
			.running = jiffies,
		};
	}
	rcu_read_unlock();
	return suspects;
}

/* Where is it now? Until it has been outside once it stays a suspect. */
static enum place suspect_look(struct suspect *suspect, struct module *fs)
{
	enum place place = OUTSIDE;

	/* its stack stays while RCU is held */
	rcu_read_lock();
	if (!READ_ONCE(suspect->task->exit_state))
		place = place_of(suspect->task, fs);
	rcu_read_unlock();
	/* what was waited for may run for a while when it has got it */
	if (place == INSIDE)
		suspect->running = jiffies;
	return place;
}

int seal_drain_kthreads(struct super_block *sb, char *reason)
{
	struct module *fs = sb->s_type->owner;
	struct suspect *suspects;
	unsigned int i, nr;
	int ret = 0;

	if (seal_step_skipped(SEAL_STEP_KTHREADS))
		return 0;
	suspects = suspects_get(fs, &nr);
	if (!suspects)
		return -ENOMEM;

	while (nr && !ret) {
		for (i = 0; i < nr;) {
			struct suspect *suspect = &suspects[i];
			enum place place = suspect_look(suspect, fs);

			if (place == RUNNING &&
			    time_after(jiffies, suspect->running +
						msecs_to_jiffies(RUNNING_MS))) {
				snprintf(reason, SEAL_REASON_LEN,
					 "the kernel thread %s does not stop running: is it in the filesystem?",
					 suspect->task->comm);
				ret = -EBUSY;
				break;
			}
			if (place != OUTSIDE) {
				i++;
				continue;
			}
			put_task_struct(suspect->task);
			*suspect = suspects[--nr];
		}
		if (!nr || ret)
			break;
		schedule_timeout_killable(msecs_to_jiffies(LOOK_MS) ?: 1);
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	while (nr)
		put_task_struct(suspects[--nr].task);
	kvfree(suspects);
	return ret;
}
