// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that are inside a wrapped function.
 *
 * A call takes a slot of a table, chosen by a hash of its task: this costs two
 * atomic operations on a cache line that other tasks rarely use. Sealing reads
 * the whole table, but only once per round and file. If the slots of a task are
 * taken (by tasks with a similar hash, or because the task is inside twice),
 * the call goes into a list.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>

#include "base/lock.h"
#include "gates/inside.h"

/* The number of slots that a task tries, one after the other. */
#define TRIES	4

struct seal_inside seal_insides[1 << SEAL_INSIDE_BITS];

static DEFINE_SPINLOCK(list_lock);
static LIST_HEAD(list);

struct seal_inside *seal_inside_crowded(const void *key,
					struct seal_inside *own)
{
	unsigned int i, first = hash_ptr(current, SEAL_INSIDE_BITS);

	for (i = 1; i < TRIES; i++) {
		struct seal_inside *slot =
			&seal_insides[(first + i) % ARRAY_SIZE(seal_insides)];

		if (!cmpxchg(&slot->key, NULL, key)) {
			WRITE_ONCE(slot->pid, current->pid);
			return slot;
		}
	}
	own->key = key;
	own->pid = current->pid;
	spin_lock(&list_lock);
	list_add(&own->list, &list);
	spin_unlock(&list_lock);
	/* pairs with find(); the caller looks at the flag of the inode next */
	smp_mb();
	return own;
}

void seal_inside_unlist(struct seal_inside *own)
{
	spin_lock(&list_lock);
	list_del(&own->list);
	spin_unlock(&list_lock);
}

/* Is a call on @key (NULL: any call) inside? @pid gets its task. */
static bool find(const void *key, pid_t *pid)
{
	struct seal_inside *inside;
	bool found = false;
	unsigned int i;

	/* pairs with seal_inside_enter(); the inode's flag was set before */
	smp_mb();
	for (i = 0; i < ARRAY_SIZE(seal_insides); i++) {
		/* pairs with the release in seal_inside_leave() */
		const void *at = smp_load_acquire(&seal_insides[i].key);

		if (at && (!key || at == key)) {
			*pid = READ_ONCE(seal_insides[i].pid);
			return true;
		}
	}
	spin_lock(&list_lock);
	list_for_each_entry(inside, &list, list) {
		if (key && inside->key != key)
			continue;
		*pid = inside->pid;
		found = true;
		break;
	}
	spin_unlock(&list_lock);
	return found;
}

int seal_inside_wait(const void *key, const struct seal_limit *limit)
{
	pid_t pid;

	while (find(key, &pid)) {
		if (seal_nap(1))
			return -EINTR;
		if (seal_limit_over(limit))
			return seal_limit_blame(limit, pid,
						"does not finish its operation on the file");
	}
	return 0;
}

void seal_inside_wait_all(void)
{
	pid_t pid;

	while (find(NULL, &pid))
		msleep(20);
}
