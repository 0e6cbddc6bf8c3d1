/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that are inside a wrapped function, by the file they are about.
 *
 * A wrapper decides before it holds any lock of the file. Between the decision
 * and the lock, only the wrapper knows of the call, and sealing must wait for
 * it. So the wrapper enters the call here.
 */
#ifndef SEAL_INSIDE_H
#define SEAL_INSIDE_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>

struct seal_limit;

/* One call: a slot of the table, or an item of the list if none was free. */
struct seal_inside {
	const void		*key;		/* inode or sb; NULL: free */
	pid_t			pid;		/* initial namespace */
	struct list_head	list;
};

#define SEAL_INSIDE_BITS	9

extern struct seal_inside seal_insides[1 << SEAL_INSIDE_BITS];

/* The first slot of the task is taken: try the others, then use @own. */
struct seal_inside *seal_inside_crowded(const void *key,
					struct seal_inside *own);
void seal_inside_unlist(struct seal_inside *own);

/*
 * The current task is about to decide on an operation on @key (an inode or a
 * superblock), and then to call it. Returns what seal_inside_done() needs, or
 * NULL if the place of the task is taken.
 *
 * This is a full barrier, which pairs with the one in find(): a task that has
 * set the flag of the inode and then looks for calls sees this call, or this
 * call sees the flag.
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

/*
 * The call has returned. The release pairs with the acquire in find(): a task
 * that no longer finds the call sees what it did.
 */
static __always_inline void seal_inside_done(struct seal_inside *place)
{
	/* pairs with the acquire in find() */
	smp_store_release(&place->key, NULL);
}

/*
 * The same two, but there is always a place: @own is memory on the stack of the
 * caller and stays until seal_inside_leave().
 */
static __always_inline struct seal_inside *
seal_inside_enter(const void *key, struct seal_inside *own)
{
	struct seal_inside *place = seal_inside_try(key);

	return likely(place) ? place : seal_inside_crowded(key, own);
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
 * this was called; later calls see the flag of the inode and decide by it.
 * Returns 0; -EINTR: killed; -EBUSY: a call was still inside at the end of
 * @limit, whose reason names its task.
 */
int seal_inside_wait(const void *key, const struct seal_limit *limit);

/*
 * Wait until no call is inside at all. No gate is attached any more. The calls
 * have references to the module (seal_wrap()), so there are some only if it is
 * removed by force.
 */
void seal_inside_wait_all(void);

#endif /* SEAL_INSIDE_H */
