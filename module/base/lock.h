/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for other tasks: with a limit, killable, and with the name of the task
 * that is in the way.
 */
#ifndef SEAL_LOCK_H
#define SEAL_LOCK_H

#include <linux/rwsem.h>
#include <linux/types.h>

struct mutex;
struct super_block;

/* How long one operation may wait for other tasks, in all its waits together. */
struct seal_limit {
	unsigned long	end;		/* in jiffies */
	char		*reason;	/* SEAL_REASON_LEN bytes: what was in the way */
};

/* Begin: the operation may wait for the time of the parameter limit_ms. */
void seal_limit_start(struct seal_limit *limit, char *reason);

bool seal_limit_over(const struct seal_limit *limit);

/* Store @what, which says what is in the way, as the reason; return -EBUSY. */
int seal_limit_tell(const struct seal_limit *limit, const char *what);
/* The same for a task: the reason is "task PID (NAME) @what". */
int seal_limit_blame(const struct seal_limit *limit, pid_t pid, const char *what);

/*
 * Is the current task to be frozen, because the system is suspended or its
 * control group is frozen? While it is, it keeps whatever it holds.
 */
bool seal_to_be_frozen(void);

/*
 * Sleep for a moment. The caller holds nothing that others wait for, because
 * the task may be frozen meanwhile, and looks itself whether the limit is over.
 * Returns 0; -EINTR: killed.
 */
int seal_nap(unsigned int ms);

/*
 * The same for a caller that may hold write access or a mutex: the task is not
 * frozen in the sleep. If it is to be frozen, returns -EBUSY with the reason of
 * @limit; if @limit is NULL, does not look at that.
 */
int seal_nap_holding(unsigned int ms, const struct seal_limit *limit);

/* A semaphore that the current task holds, or a thread holds for it. */
struct seal_lock {
	struct rw_semaphore	*sem;
	bool			shared;
	struct seal_lock_help	*help;	/* the thread, or NULL */
};

/*
 * Take @sem, for reading if @shared, else for writing. @name is how a reason calls
 * it. Returns 0; -EINTR: killed; -ENOMEM; -EBUSY: it was not free before the end
 * of @limit, whose reason names the task that holds it. If @limit is NULL, wait
 * as long as it takes and return 0.
 */
int seal_lock(struct seal_lock *lock, struct rw_semaphore *sem, bool shared,
	      const struct seal_limit *limit, const char *name);
/* Release it. Does nothing if it was not taken, or if @lock is all zero. */
void seal_unlock(struct seal_lock *lock);

/*
 * Take @mutex. Its owners hold it as long as the kernel needs for their work;
 * @what is the reason if that takes too long. Returns as seal_lock().
 */
int seal_mutex_lock(struct mutex *mutex, const struct seal_limit *limit,
		    const char *what);

/*
 * Get write access to a filesystem, for a step during which no freeze may begin.
 * May be called with locks held, because it waits for nothing. Returns false if
 * the filesystem is frozen, or is about to be. sb_end_write() gives it up.
 */
bool seal_write_access(struct super_block *sb);

/* The same, but waits for the end of a freeze. Returns 0; -EINTR: killed. */
int seal_write_access_wait(struct super_block *sb);

#endif /* SEAL_LOCK_H */
