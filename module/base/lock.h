/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for others: with a limit, killable, and with the name of who is in
 * the way.
 */
#ifndef SEAL_LOCK_H
#define SEAL_LOCK_H

#include <linux/rwsem.h>
#include <linux/types.h>

struct mutex;
struct super_block;

/* How long an operation may wait for others, all its waits together. */
struct seal_limit {
	unsigned long	end;		/* in jiffies */
	char		*reason;	/* of SEAL_REASON_LEN: why that was not enough */
};

/* From now on as long as the administrator lets an operation wait. */
void seal_limit_start(struct seal_limit *limit, char *reason);

bool seal_limit_over(const struct seal_limit *limit);

/* Say that @what is in the way, and return -EBUSY. */
int seal_limit_tell(const struct seal_limit *limit, const char *what);
/* The same of a task: task PID (NAME) @what. */
int seal_limit_blame(const struct seal_limit *limit, pid_t pid, const char *what);

/*
 * Sleep a moment, without a lock: a suspend may come meanwhile. 0; -EINTR:
 * killed. The caller looks whether the limit is over.
 */
int seal_nap(unsigned int ms);

/* A semaphore that current has, or a thread has for it. */
struct seal_lock {
	struct rw_semaphore	*sem;
	bool			shared;
	struct seal_lock_help	*help;	/* the thread, or NULL */
};

/*
 * Take @sem, which is @name, for reading if @shared. 0; -EINTR: killed; -ENOMEM;
 * -EBUSY: not before the end of @limit, and its reason says who has it. @limit
 * NULL: always 0, however long it takes.
 */
int seal_lock(struct seal_lock *lock, struct rw_semaphore *sem, bool shared,
	      const struct seal_limit *limit, const char *name);
/* One that was not taken, or is all zero, may be given, too. */
void seal_unlock(struct seal_lock *lock);

/* A mutex that is held for as long as the kernel needs for what @what says. */
int seal_mutex_lock(struct mutex *mutex, const struct seal_limit *limit,
		    const char *what);

/*
 * Write access to a filesystem, for a step that must not be overtaken by a
 * freeze; to be had with locks held, since nothing is waited for. False: the
 * filesystem is frozen, or is about to be.
 */
bool seal_write_access(struct super_block *sb);

/* The same, waiting for the end of a freeze: 0, or -EINTR: killed. */
int seal_write_access_wait(struct super_block *sb);

#endif /* SEAL_LOCK_H */
