// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loop devices and file-backed targets discard by ->fallocate() of the file
 * behind them, without write access to the superblock: nothing counts them.
 * They do it in kernel threads, and where a kernel thread sleeps can be read
 * from its stack. Whoever was outside the filesystem once since the gates were
 * attached has passed them, or will.
 *
 * Threads and work items of the filesystem itself are not waited for: some
 * never leave it, and they are behind the gates anyway.
 */
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "../uapi/seal.h"
#include "compat.h"
#include "debug.h"
#include "kthreads.h"

#define STACK_DEPTH	64
#define LOOK_MS		5
/* How long a thread may run at every look before it is given up. */
#define RUNNING_MS	10000

enum place { OUTSIDE, INSIDE, RUNNING };

/* Functions that call what a thread or a work item is about. */
static bool starts_work(unsigned long address)
{
	static const char * const names[] = {
		"process_one_work", "process_scheduled_works", "worker_thread",
		"rescuer_thread", "kthread_worker_fn", "kthread",
		"ret_from_fork", "ret_from_fork_asm",
	};
	char name[KSYM_SYMBOL_LEN];
	unsigned int i;

	sprint_symbol_no_offset(name, address);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static enum place place_of(struct task_struct *task, struct module *fs)
{
	unsigned long stack[STACK_DEPTH];
	unsigned int i, nr, behind = 0;

	if (task_is_running(task))
		return RUNNING;
	nr = seal_stack_of(task, stack, STACK_DEPTH);
	/* woken while we looked: the stack says nothing */
	if (task_is_running(task))
		return RUNNING;
	for (i = 0; i < nr; i++)
		if (within_module(stack[i], fs))
			behind = i + 1;
	if (!behind)
		return nr < STACK_DEPTH ? OUTSIDE : INSIDE;
	return behind < nr && starts_work(stack[behind]) ? OUTSIDE : INSIDE;
}

/* The kernel threads that are not known to be outside, referenced. */
static struct task_struct **suspects_get(struct module *fs, unsigned int *nr)
{
	struct task_struct *task, **suspects;
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
		suspects[(*nr)++] = task;
	}
	rcu_read_unlock();
	return suspects;
}

int seal_drain_kthreads(struct super_block *sb, char *reason)
{
	unsigned long start = jiffies;
	struct module *fs = sb->s_type->owner;
	struct task_struct **suspects;
	unsigned int i, nr;
	bool late = false;
	int ret = 0;

	if (seal_step_skipped(SEAL_STEP_KTHREADS))
		return 0;
	suspects = suspects_get(fs, &nr);
	if (!suspects)
		return -ENOMEM;

	while (nr && !ret) {
		late = time_after(jiffies, start + msecs_to_jiffies(RUNNING_MS));
		for (i = 0; i < nr;) {
			struct task_struct *task = suspects[i];
			enum place place = OUTSIDE;

			/* its stack stays while RCU is held */
			rcu_read_lock();
			if (!READ_ONCE(task->exit_state))
				place = place_of(task, fs);
			rcu_read_unlock();
			if (place == RUNNING && late) {
				snprintf(reason, SEAL_REASON_LEN,
					 "the kernel thread %s does not stop running: is it in the filesystem?",
					 task->comm);
				ret = -EBUSY;
				break;
			}
			if (place != OUTSIDE) {
				i++;
				continue;
			}
			put_task_struct(task);
			suspects[i] = suspects[--nr];
		}
		if (!nr || ret)
			break;
		schedule_timeout_killable(msecs_to_jiffies(LOOK_MS) ?: 1);
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	while (nr)
		put_task_struct(suspects[--nr]);
	kvfree(suspects);
	return ret;
}
