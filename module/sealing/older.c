// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that are older than the gates.
 *
 * Gates are attached with the first seal. A call that had entered a function
 * before, and waits there for the lock of an inode, has passed no gate, and no
 * wrapper knows of it. Nothing in the kernel counts it either, except the
 * freeze protection of the superblock, and waiting for that would stop all
 * later calls. But the stack of a task shows where the task is. This code looks
 * at all tasks once, and then again at the tasks that are inside such a
 * function, until each of them was seen outside. A task that was outside at
 * least once since the gates were attached can only enter again through a gate.
 *
 * This stops no task. The stack of a task that sleeps or waits for a processor
 * is read from outside; a task that runs is interrupted and reads its own.
 */
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "base/compat.h"
#include "base/debug.h"
#include "base/lock.h"
#include "probes/fs.h"
#include "probes/gate.h"
#include "sealing/older.h"
#include "uapi/seal.h"

#define STACK_DEPTH	96
#define LOOK_MS		2
/*
 * A task may move each time that it is looked at. So it is looked at several times,
 * even if all the time went by before this code was called.
 */
#define LEAST_LOOKS	10

enum place {
	OUTSIDE,
	INSIDE,		/* in one of the functions */
	UNKNOWN,	/* it moved while this looked at it */
};

/* The functions that are searched for, and the stack that was read last. */
struct search {
	const struct seal_fs	*fs;
	struct module		*module;	/* of the filesystem */
	bool			dropped;	/* search only fs->drops */
	unsigned long		stack[STACK_DEPTH];
	unsigned int		nr;
	char			name[KSYM_SYMBOL_LEN];
};

/*
 * "xfs_file_fallocate.cold [xfs]" belongs to xfs_file_fallocate. If ext4_ioctl
 * ends in a tail call of __ext4_ioctl, the stack shows only the latter. Where the
 * names are not that similar, the gate has the other name (tail).
 */
static bool is_called(const char *name, const char *function)
{
	size_t length = strlen(function);

	while (*name == '_' && *function != '_')
		name++;
	return !strncmp(name, function, length) &&
	       (!name[length] || name[length] == '.' || name[length] == ' ');
}

static bool is_searched(const struct search *search, const char *name)
{
	struct seal_gate_set *const *sets = search->fs->sets;
	const char *const *drops = search->fs->drops;
	unsigned int i;

	for (; drops && *drops; drops++)
		if (is_called(name, *drops))
			return true;
	for (; *sets && !search->dropped; sets++) {
		for (i = 0; i < (*sets)->nr_gates; i++) {
			const struct seal_gate *gate = &(*sets)->gates[i];

			if (gate->kind != SEAL_GATE_WRAPS)
				continue;
			if (is_called(name, gate->symbol) ||
			    (gate->tail && is_called(name, gate->tail)))
				return true;
		}
	}
	return false;
}

/* Is this a way into the kernel? A stack that ends elsewhere is not whole. */
static bool is_outermost(unsigned long address)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, address);
	return strstarts(name, "entry_") || strstarts(name, "asm_") ||
	       strstarts(name, "ret_from_fork") ||
	       /* an interrupted return to user mode */
	       strstarts(name, "common_interrupt_return") ||
	       strstarts(name, "swapgs_restore_regs_and_return") ||
	       strstarts(name, "syscall_return_via_sysret");
}

/* Judge the stack in @search, whose addresses begin with the innermost one. */
static enum place look_at_stack(struct search *search)
{
	unsigned int i;

	for (i = 0; i < search->nr; i++) {
		/* all functions of fs->drops are in the module */
		if (search->dropped && search->module &&
		    !within_module(search->stack[i], search->module))
			continue;
		sprint_symbol_no_offset(search->name, search->stack[i]);
		if (is_searched(search, search->name))
			return INSIDE;
	}
	if (search->nr == STACK_DEPTH)
		return INSIDE;
	return search->nr && is_outermost(search->stack[search->nr - 1]) ?
	       OUTSIDE : UNKNOWN;
}

static bool on_cpu(struct task_struct *task)
{
#ifdef CONFIG_SMP
	/* pairs with the release in finish_task() of the scheduler */
	return smp_load_acquire(&task->on_cpu);
#else
	return task == current;
#endif
}

static unsigned long switches(struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/* Look at a task that does not run. The RCU section keeps its stack. */
static enum place look_at_rest(struct search *search, struct task_struct *task)
{
	unsigned long before = switches(task);

	if (on_cpu(task))
		return UNKNOWN;
	search->nr = seal_stack_of(task, search->stack, STACK_DEPTH);
	/* if it ran meanwhile, the addresses may be a mix of two stacks */
	if (on_cpu(task) || switches(task) != before)
		return UNKNOWN;
	return look_at_stack(search);
}

struct ask {
	struct search		*search;
	struct task_struct	*task;
	bool			met;
};

/* Runs in an interrupt on the processor where the task ran a moment ago. */
static void ask_running(void *data)
{
	struct ask *ask = data;

	if (current != ask->task)
		return;
	ask->search->nr = stack_trace_save(ask->search->stack, STACK_DEPTH, 0);
	ask->met = true;
}

static enum place look_at_running(struct search *search,
				  struct task_struct *task)
{
	struct ask ask = { .search = search, .task = task };

	if (smp_call_function_single(task_cpu(task), ask_running, &ask, 1) ||
	    !ask.met)
		return UNKNOWN;
	return look_at_stack(search);
}

/* Where is @task? The caller has a reference to it. */
static enum place look(struct search *search, struct task_struct *task)
{
	enum place place = UNKNOWN;

	search->name[0] = '\0';
	if (task == current)
		return OUTSIDE;
	rcu_read_lock();
	if (READ_ONCE(task->exit_state))
		place = OUTSIDE;
	else if (!on_cpu(task))
		place = look_at_rest(search, task);
	rcu_read_unlock();
	if (place == UNKNOWN && on_cpu(task))
		place = look_at_running(search, task);
	return place;
}

static bool is_left_out(const struct task_struct *task)
{
	return seal_step_skipped(task->flags & PF_KTHREAD ?
				 SEAL_STEP_KTHREADS : SEAL_STEP_ENTERED);
}

static void tasks_put(struct task_struct **tasks, unsigned int nr)
{
	while (nr)
		put_task_struct(tasks[--nr]);
	kvfree(tasks);
}

/* Get up to @room tasks, with a reference to each; false: there are more. */
static bool tasks_fill(struct task_struct **tasks, unsigned int room,
		       unsigned int *nr)
{
	struct task_struct *group, *task;
	bool all = true;

	*nr = 0;
	rcu_read_lock();
	for_each_process_thread(group, task) {
		all = *nr < room;
		if (!all)
			goto out;
		if (is_left_out(task))
			continue;
		get_task_struct(task);
		tasks[(*nr)++] = task;
	}
out:
	rcu_read_unlock();
	return all;
}

/* Get all tasks, with a reference to each. Later tasks pass the gates. */
static struct task_struct **tasks_get(unsigned int *nr)
{
	struct task_struct **tasks;
	unsigned int room;

	for (room = 1024; room; room *= 2) {
		tasks = kvmalloc_array(room, sizeof(*tasks),
				       GFP_KERNEL_ACCOUNT);
		if (!tasks)
			return NULL;
		if (tasks_fill(tasks, room, nr))
			return tasks;
		tasks_put(tasks, *nr);
	}
	return NULL;
}

/* A task that is left, to name it in a reason. */
struct seen {
	struct task_struct	*task;
	enum place		place;
};

/* Drop the tasks that are outside. @seen gets one of those that are left. */
static unsigned int tasks_sift(struct search *search, struct task_struct **tasks,
			       unsigned int nr, struct seen *seen)
{
	unsigned int i, left = 0;

	seen->task = NULL;
	for (i = 0; i < nr; i++) {
		enum place place = look(search, tasks[i]);

		cond_resched();
		if (place == OUTSIDE) {
			put_task_struct(tasks[i]);
			continue;
		}
		/* prefer a task that is inside to an unknown one */
		if (place == INSIDE || !seen->task) {
			seen->task = tasks[i];
			seen->place = place;
		}
		tasks[left++] = tasks[i];
	}
	return left;
}

static int tell(const struct seal_limit *limit, const struct search *search,
		const struct seen *seen)
{
	pid_t pid = task_pid_nr(seen->task);

	if (seen->place == INSIDE)
		snprintf(limit->reason, SEAL_REASON_LEN,
			 "task %d (%s) has been in a call of %s since before the gates were attached",
			 pid, seen->task->comm, search->fs->name);
	else
		snprintf(limit->reason, SEAL_REASON_LEN,
			 "the kernel takes long to show where task %d (%s) is",
			 pid, seen->task->comm);
	return -EBUSY;
}

static int wait_for_tasks(struct search *search,
			  const struct seal_limit *limit)
{
	struct task_struct **tasks;
	unsigned int nr, looks;
	struct seen seen;
	int ret = 0;

	tasks = tasks_get(&nr);
	if (!tasks)
		return -ENOMEM;
	for (looks = 1;; looks++) {
		nr = tasks_sift(search, tasks, nr, &seen);
		if (!nr)
			break;
		if (looks >= LEAST_LOOKS && seal_limit_over(limit)) {
			ret = tell(limit, search, &seen);
			break;
		}
		ret = seal_nap(LOOK_MS);
		if (ret)
			break;
	}
	tasks_put(tasks, nr);
	return ret;
}

static int search_tasks(const struct seal_fs *fs, struct module *module,
			bool dropped, const struct seal_limit *limit)
{
	struct search *search;
	int ret;

	search = kmalloc(sizeof(*search), GFP_KERNEL_ACCOUNT);
	if (!search)
		return -ENOMEM;
	search->fs = fs;
	search->module = module;
	search->dropped = dropped;
	ret = wait_for_tasks(search, limit);
	kfree(search);
	return ret;
}

int seal_wait_older(struct seal_fs *fs, struct module *module,
		    const struct seal_limit *limit)
{
	u64 attached = READ_ONCE(fs->set->attach_id);
	int ret;

	/* the caller's claim keeps the gates attached: the number is stable */
	if (READ_ONCE(fs->set->waited_id) == attached)
		return 0;
	ret = search_tasks(fs, module, false, limit);
	if (!ret)
		WRITE_ONCE(fs->set->waited_id, attached);
	return ret;
}

int seal_wait_dropped(struct seal_fs *fs, struct module *module,
		      const struct seal_limit *limit)
{
	return search_tasks(fs, module, true, limit);
}
