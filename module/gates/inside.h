/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that are inside a wrapped function, by the file they are about.
 *
 * A wrapper decides before any lock of the file is held. Between the decision
 * and the lock stands a call that sealing must wait for, and only the wrapper
 * knows of it.
 */
#ifndef SEAL_INSIDE_H
#define SEAL_INSIDE_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>

/* One call: in the table, or in the list of those that found no place there. */
struct seal_inside {
	const void		*key;		/* inode or superblock; NULL: free */
	pid_t			pid;
	struct list_head	list;
};

#define SEAL_INSIDE_BITS	9

extern struct seal_inside seal_insides[1 << SEAL_INSIDE_BITS];

/* The places a task tries are taken: put @own into the list. */
struct seal_inside *seal_inside_crowded(const void *key,
					struct seal_inside *own);
void seal_inside_unlist(struct seal_inside *own);

/*
 * The current task is about to decide on, and then to enter, an operation on
 * @key. A full barrier: whoever sets the flag of the inode and then looks for
 * calls sees this one, or this one sees the flag. NULL: there is no place.
 */
static __always_inline struct seal_inside *seal_inside_try(const void *key)
{
	struct seal_inside *slot =
		&seal_insides[hash_ptr(current, SEAL_INSIDE_BITS)];

	if (unlikely(cmpxchg(&slot->key, NULL, key)))
		return NULL;
	WRITE_ONCE(slot->pid, current->pid);
	return slot;
}

/* It is done. What it did is seen by whoever finds it gone. */
static __always_inline void seal_inside_done(struct seal_inside *place)
{
	/* pairs with whoever looks whether it is gone */
	smp_store_release(&place->key, NULL);
}

/*
 * The same two, but there is always a place: @own is memory of the caller, on
 * its stack, that stays until seal_inside_leave().
 */
static __always_inline struct seal_inside *
seal_inside_enter(const void *key, struct seal_inside *own)
{
	return seal_inside_try(key) ?: seal_inside_crowded(key, own);
}

static __always_inline void seal_inside_leave(struct seal_inside *inside,
					      struct seal_inside *own)
{
	if (unlikely(inside == own))
		seal_inside_unlist(own);
	else
		seal_inside_done(inside);
}

/*
 * Wait until no call on @key is inside that may have been let through before
 * now; those that come later are let through or refused by what they see. 0;
 * -EINTR: killed; -EBUSY: not before @end (jiffies), and @pid is one of them.
 */
int seal_inside_wait(const void *key, unsigned long end, pid_t *pid);

/* Wait until nobody is inside at all. Nobody comes any more. */
void seal_inside_wait_all(void);

#endif /* SEAL_INSIDE_H */
