// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for other tasks: with a limit, killable, and with the name of the task
 * that is in the way.
 *
 * Every user who may open a file can hold its lock for ever: a write whose memory
 * never arrives holds it. The kernel offers no wait for a semaphore with a limit.
 * Repeated tries would do, but where several tasks queue for the semaphore there
 * is no moment at which it is free. So after some tries a thread queues for it in
 * place of the caller. The thread is killed when the time is over, or when the
 * caller is killed. If it gets the semaphore, it keeps it until the caller is done
 * with it. The caller waits until the thread has ended: nothing is left behind.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "base/lock.h"
#include "uapi/seal.h"

static unsigned int limit_ms = 10000;
module_param(limit_ms, uint, 0644);
MODULE_PARM_DESC(limit_ms, "how long an operation waits for others before it fails with EBUSY");

void seal_limit_start(struct seal_limit *limit, char *reason)
{
	limit->end = jiffies + msecs_to_jiffies(READ_ONCE(limit_ms));
	limit->reason = reason;
}

bool seal_limit_over(const struct seal_limit *limit)
{
	/* that of an errand may be over at once, see errand.c */
	return time_after(jiffies, READ_ONCE(limit->end));
}

int seal_limit_tell(const struct seal_limit *limit, const char *what)
{
	strscpy(limit->reason, what, SEAL_REASON_LEN);
	return -EBUSY;
}

static int blame(const struct seal_limit *limit, pid_t pid, const char *comm,
		 const char *what)
{
	snprintf(limit->reason, SEAL_REASON_LEN, "task %d (%s) %s", pid, comm,
		 what);
	return -EBUSY;
}

int seal_limit_blame(const struct seal_limit *limit, pid_t pid, const char *what)
{
	char comm[TASK_COMM_LEN] = "?";
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_PID);
	if (task)
		strscpy(comm, task->comm, sizeof(comm));
	rcu_read_unlock();
	return blame(limit, pid, comm, what);
}

bool seal_to_be_frozen(void)
{
	return freezing(current) ||
	       READ_ONCE(current->jobctl) & JOBCTL_TRAP_FREEZE;
}

static int tell_frozen(const struct seal_limit *limit)
{
	return seal_limit_tell(limit, "the task, or the system, is being frozen");
}

int seal_nap_holding(unsigned int ms, const struct seal_limit *limit)
{
	schedule_timeout_killable(msecs_to_jiffies(ms) ?: 1);
	if (fatal_signal_pending(current))
		return -EINTR;
	return limit && seal_to_be_frozen() ? tell_frozen(limit) : 0;
}

int seal_nap(unsigned int ms)
{
	__set_current_state(TASK_KILLABLE | TASK_FREEZABLE);
	schedule_timeout(msecs_to_jiffies(ms) ?: 1);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Which task holds @sem for writing? Returns its number, and its name in @comm;
 * 0 if it is not known.
 */
static pid_t owner_of(struct rw_semaphore *sem, char *comm)
{
	pid_t pid = 0;

#ifndef CONFIG_PREEMPT_RT
	/* the low bits say how it is held; the lowest bit: by readers */
	const long flags = 7, readers = 1;
	struct task_struct *task;
	long owner;

	rcu_read_lock();
	owner = atomic_long_read(&sem->owner);
	task = (struct task_struct *)(owner & ~flags);
	if (task && !(owner & readers)) {
		/*
		 * A task that still holds it has not ended, so its memory
		 * stays for the rest of this RCU section.
		 */
		smp_rmb();
		if (atomic_long_read(&sem->owner) == owner) {
			pid = task_pid_nr(task);
			strscpy(comm, task->comm, TASK_COMM_LEN);
		}
	}
	rcu_read_unlock();
#endif
	return pid;
}

static int tell_owner(struct rw_semaphore *sem, const struct seal_limit *limit,
		      const char *name)
{
	char comm[TASK_COMM_LEN], what[64];
	pid_t pid = owner_of(sem, comm);

	if (pid) {
		snprintf(what, sizeof(what), "has %s and does not let it go",
			 name);
		return blame(limit, pid, comm, what);
	}
	snprintf(limit->reason, SEAL_REASON_LEN,
		 "readers or direct writers have %s and do not let it go", name);
	return -EBUSY;
}

struct seal_lock_help {
	struct task_struct	*thread;
	struct rw_semaphore	*sem;
	bool			shared;
	int			ret;
	struct completion	tried;		/* ret is known */
	struct completion	done;		/* release it */
};

static int help_thread(void *data)
{
	struct seal_lock_help *help = data;

	/* not from user space: kill(-1) by root reaches kernel threads, too */
	allow_kernel_signal(SIGKILL);
	help->ret = help->shared ? down_read_killable(help->sem) :
				   down_write_killable(help->sem);
	/* for help_wait(), and for help_kill() after it */
	complete_all(&help->tried);
	if (help->ret)
		return 0;
	wait_for_completion(&help->done);
	if (help->shared)
		up_read(help->sem);
	else
		up_write(help->sem);
	return 0;
}

/* Wait until the thread has ended. */
static void help_free(struct seal_lock_help *help)
{
	kthread_stop(help->thread);
	put_task_struct(help->thread);
	kfree(help);
}

static void help_end(struct seal_lock_help *help)
{
	complete(&help->done);
	help_free(help);
}

/* Give up: end the thread, whether it has got the semaphore or not. */
static void help_kill(struct seal_lock_help *help)
{
	/* a signal that comes before the thread allows it is lost */
	while (!wait_for_completion_timeout(&help->tried, 1))
		send_sig(SIGKILL, help->thread, 1);
	help_end(help);
}

/*
 * A freeze of the task ends this wait. A caller that was frozen would keep the
 * semaphore, and tasks that wait for it could not be frozen.
 */
static int help_wait(struct seal_lock_help *help, const struct seal_limit *limit,
		     const char *name)
{
	while (!seal_limit_over(limit)) {
		long left = wait_for_completion_killable_timeout(&help->tried,
								 HZ / 10 ?: 1);

		/* a thread that was killed has nothing */
		if (left > 0 && help->ret)
			return seal_limit_tell(limit, "the thread waiting for a lock was killed");
		if (left > 0)
			return 0;
		if (left)
			return -EINTR;
		if (seal_to_be_frozen())
			return tell_frozen(limit);
	}
	return tell_owner(help->sem, limit, name);
}

static int lock_helped(struct seal_lock *lock, bool shared,
		       const struct seal_limit *limit, const char *name)
{
	struct seal_lock_help *help = kzalloc(sizeof(*help), GFP_KERNEL_ACCOUNT);
	struct task_struct *thread;
	int ret;

	if (!help)
		return -ENOMEM;
	help->sem = lock->sem;
	help->shared = shared;
	init_completion(&help->tried);
	init_completion(&help->done);
	thread = kthread_create(help_thread, help, "seal-lock/%d",
				task_pid_nr(current));
	if (IS_ERR(thread)) {
		kfree(help);
		/* -EAGAIN, at the limit of threads, would have no reason */
		return PTR_ERR(thread) == -EINTR ? -EINTR : -ENOMEM;
	}
	/* a reference, because the thread may end by itself */
	help->thread = get_task_struct(thread);
	wake_up_process(thread);
	ret = help_wait(help, limit, name);
	if (ret)
		help_kill(help);
	else
		lock->help = help;
	return ret;
}

static bool lock_try(struct rw_semaphore *sem, bool shared)
{
	return shared ? down_read_trylock(sem) : down_write_trylock(sem);
}

/* How often a lock is tried, a moment apart, before a thread queues for it. */
#define TRIES	5

int seal_lock(struct seal_lock *lock, struct rw_semaphore *sem, bool shared,
	      const struct seal_limit *limit, const char *name)
{
	unsigned int tries;
	int ret;

	*lock = (struct seal_lock){ .sem = sem, .shared = shared };
	if (!limit) {
		if (shared)
			down_read(sem);
		else
			down_write(sem);
		return 0;
	}
	for (tries = 0; tries < TRIES; tries++) {
		if (lock_try(sem, shared))
			return 0;
		usleep_range(100, 200);
		if (fatal_signal_pending(current))
			break;
	}
	ret = tries < TRIES ? -EINTR : lock_helped(lock, shared, limit, name);
	if (ret)
		lock->sem = NULL;
	return ret;
}

void seal_unlock(struct seal_lock *lock)
{
	if (!lock->sem)
		return;
	if (lock->help)
		help_end(lock->help);
	else if (lock->shared)
		up_read(lock->sem);
	else
		up_write(lock->sem);
}

int seal_mutex_lock(struct mutex *mutex, const struct seal_limit *limit,
		    const char *what)
{
	int ret;

	while (!mutex_trylock(mutex)) {
		/* the caller may have write access, or another mutex */
		ret = seal_nap_holding(1, limit);
		if (ret)
			return ret;
		if (seal_limit_over(limit))
			return seal_limit_tell(limit, what);
	}
	return 0;
}

bool seal_write_access(struct super_block *sb)
{
	return sb_start_write_trylock(sb);
}

int seal_write_access_wait(struct super_block *sb)
{
	while (!seal_write_access(sb))
		if (seal_nap(20))
			return -EINTR;
	return 0;
}
