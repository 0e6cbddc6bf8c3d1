// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events on their way from where they happen to the listeners: a bounded ring
 * with many producers and one consumer, the worker.
 *
 * slot->turn says who may use the slot at position pos: if it is pos, the
 * producer that gets this position; if it is pos + 1, the consumer. A producer
 * that finds a smaller turn has caught up with the consumer: the ring is full,
 * and the event is only counted.
 *
 * For each listener that asked for it, every event is counted once, as sent or
 * as lost. An event that did not fit the ring is lost for all listeners; one
 * that did not fit the buffer of a socket is lost for that listener.
 */
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/sock.h>

#include "base/mode.h"
#include "table/entry.h"
#include "table/events.h"

#define RING_SLOTS	4096U

/* After this many events the worker frees the listeners that are gone. */
#define BATCH		256

/* How soon a listener is told of lost events if no new event comes. */
#define RETRY_DELAY	(HZ / 20)

struct slot {
	unsigned long		turn;
	struct seal_event	event;
};

struct ring {
	atomic_long_t		tail;		/* next position to fill */
	unsigned long		head;		/* next to take; worker's */
	/* events that did not fit the ring and were not counted yet, by type */
	atomic_long_t		full[SEAL_EVENT_TYPES];
	struct slot		slots[RING_SLOTS];
};

/* What a listener asked for. */
struct wish {
	u32			mask;
	struct seal_viewer	viewer;
};

/*
 * A listener belongs to the worker, so nobody waits for the worker: who goes only
 * says so.
 *
 * It is sent messages by its socket, of which it has a reference, and not by the
 * number of the socket: when a socket is closed, another one can have the number
 * before this file is told.
 */
struct listener {
	struct list_head	list;	/* of joining, then of served */
	struct sock		*sk;
	u32			portid;
	u64			lost;	/* events, not told yet; worker's */
	struct wish		wish;	/* under the lock of by_portid */
	bool			gone;	/* the worker is to free it */
};

/* There is one as long as there are listeners. */
static struct ring __rcu *the_ring;
/* The one before, until the worker has freed it. Nobody comes meanwhile. */
static struct ring *retired;

/*
 * Those who are not gone, by the numbers of their sockets. The spinlock of this array protects
 * the_ring, retired and joining as well. Every netlink socket that is closed is
 * looked for here.
 */
static DEFINE_XARRAY_FLAGS(by_portid, XA_FLAGS_ACCOUNT);
static unsigned int nr_listeners;
/* Listeners that the worker has not seen yet. */
static LIST_HEAD(joining);

/* The worker's: the listeners that it sends to, and the number of events. */
static LIST_HEAD(served);
static u64 serial;

static const struct seal_events_sink *sink;
static struct workqueue_struct *workers;

static void events_work(struct work_struct *work);
static DECLARE_WORK(drain_work, events_work);
static DECLARE_DELAYED_WORK(retry_work, events_work);

/* The handler of a gate may run where no lock of a workqueue can be taken. */
static void events_kick(struct irq_work *work)
{
	queue_work(workers, &drain_work);
}

static struct irq_work kick = IRQ_WORK_INIT(events_kick);

bool seal_events_wanted(void)
{
	return rcu_access_pointer(the_ring);
}

/* --- producers --- */

static bool ring_push(struct ring *ring, const struct seal_event *event)
{
	unsigned long pos = atomic_long_read(&ring->tail);
	struct slot *slot;
	long ahead;

	for (;;) {
		slot = &ring->slots[pos % RING_SLOTS];
		/* pairs with the release in ring_pop(): the slot was read */
		ahead = (long)(smp_load_acquire(&slot->turn) - pos);
		if (ahead < 0)
			return false;
		if (ahead > 0)
			pos = atomic_long_read(&ring->tail);
		else if (atomic_long_try_cmpxchg(&ring->tail, (long *)&pos,
						 pos + 1))
			break;
	}
	slot->event = *event;
	/* pairs with the acquire in ring_pop(): the slot is filled */
	smp_store_release(&slot->turn, pos + 1);
	return true;
}

void seal_event_queue(struct seal_event *event)
{
	struct ring *ring;
	bool queued = false;

	rcu_read_lock();
	ring = rcu_dereference(the_ring);
	if (ring) {
		queued = ring_push(ring, event);
		if (!queued)
			atomic_long_inc(&ring->full[event->type]);
		/*
		 * Pairs with the barrier after which the workqueue clears the
		 * pending bit and runs the worker: the worker sees the event,
		 * or this sees the bit cleared and queues the work again.
		 */
		smp_mb();
		if (!work_pending(&drain_work))
			irq_work_queue(&kick);
	}
	rcu_read_unlock();
	if (!queued)
		kfree(event->path);
}

static void event_current(struct seal_event *event, u32 type,
			  struct seal_entry *entry, const char *gate)
{
	event->type = type;
	event->time = ktime_get_real_ns();
	event->entry_id = entry->id;
	event->inode = entry->inode;
	event->ino = entry->inode->i_ino;
	event->dev = entry->inode->i_sb->s_dev;
	event->pid = task_tgid_nr(current);
	event->uid = current_uid();
	event->owner = READ_ONCE(entry->inode->i_uid);
	/* without a lock: a name that changes right now may be half changed */
	memcpy(event->comm, current->comm, sizeof(event->comm));
	event->comm[sizeof(event->comm) - 1] = '\0';
	event->gate = gate;
}

/* noinline: keeps struct seal_event off the stack if there is no listener. */
static noinline void queue_refused(struct seal_entry *entry, const char *gate,
				   u64 start, u64 end)
{
	struct seal_event event = { };

	event_current(&event, SEAL_EVENT_REFUSED, entry, gate);
	if (seal_is_log_only())
		event.flags = SEAL_STATUS_LOG_ONLY;
	event.start = start;
	event.end = end;
	seal_event_queue(&event);
}

void seal_event_refused(struct seal_entry *entry, const char *gate, u64 start,
			u64 end)
{
	if (unlikely(seal_events_wanted()))
		queue_refused(entry, gate, start, end);
}

static noinline void queue_broken(struct seal_entry *entry,
				  const char *function)
{
	struct seal_event event = { };

	event_current(&event, SEAL_EVENT_BROKEN, entry, function);
	seal_event_queue(&event);
}

void seal_event_broken(struct seal_entry *entry, const char *function)
{
	if (unlikely(seal_events_wanted()))
		queue_broken(entry, function);
}

void seal_event_committed(struct seal_entry *entry, u64 start, u64 end)
{
	struct seal_event event = { };

	if (!seal_events_wanted())
		return;
	event_current(&event, SEAL_EVENT_COMMITTED, entry, NULL);
	event.start = start;
	event.end = end;
	seal_event_queue(&event);
}

/* --- the worker --- */

/*
 * Take in those who have come. After an event was read this has to be done
 * before it is delivered or counted: its producer may have come later than a
 * listener that the worker has not seen.
 */
static void listeners_join(void)
{
	if (list_empty(&joining))
		return;
	xa_lock(&by_portid);
	list_splice_tail_init(&joining, &served);
	xa_unlock(&by_portid);
}

/* Free those who are gone. */
static void listeners_reap(void)
{
	struct listener *listener, *next;

	list_for_each_entry_safe(listener, next, &served, list) {
		/* pairs with the release in listener_leave() */
		if (!smp_load_acquire(&listener->gone))
			continue;
		list_del(&listener->list);
		/* messages that came too late go with the socket */
		sock_put(listener->sk);
		kfree(listener);
	}
}

/* Who is gone wishes nothing. */
static struct wish listener_wish(const struct listener *listener)
{
	struct wish wish;

	xa_lock(&by_portid);
	wish = listener->wish;
	xa_unlock(&by_portid);
	return wish;
}

static void listeners_lose(u32 type, u64 nr)
{
	struct listener *listener;

	listeners_join();
	list_for_each_entry(listener, &served, list)
		if (listener_wish(listener).mask & SEAL_EVENT_BIT(type))
			listener->lost += nr;
}

/* Count for each listener the events that did not fit the ring. */
static void ring_count_lost(struct ring *ring)
{
	u32 type;
	long nr;

	for (type = 0; type < SEAL_EVENT_TYPES; type++) {
		if (!atomic_long_read(&ring->full[type]))
			continue;
		nr = atomic_long_xchg(&ring->full[type], 0);
		serial += nr;
		listeners_lose(type, nr);
	}
}

/* Send @skb to a listener; 0 or -errno. */
static int listener_give(struct listener *listener, struct sk_buff *skb)
{
	int ret = sink->send(skb, listener->sk);

	if (ret)
		kfree_skb(skb);
	return ret;
}

/* Tell a listener how many events it lost; false if that did not fit. */
static bool listener_tell_lost(struct listener *listener)
{
	struct seal_event event = {
		.type	= SEAL_EVENT_LOST,
		.time	= ktime_get_real_ns(),
	};
	struct sk_buff *skb;

	if (!listener->lost || READ_ONCE(listener->gone))
		return true;
	skb = sink->message(&event, serial, listener->lost);
	if (!skb || listener_give(listener, skb))
		return false;
	listener->lost = 0;
	return true;
}

static void listener_send(struct listener *listener, struct sk_buff *skb)
{
	struct sk_buff *copy = NULL;

	if (listener_tell_lost(listener) && skb)
		copy = skb_clone(skb, GFP_KERNEL);
	if (!copy || listener_give(listener, copy))
		listener->lost++;
}

/* The path of the last event's file, since many events are about one file. */
struct last_path {
	u64	entry_id;
	char	*path;
	bool	deleted;
};

static void event_find_path(struct seal_event *event, struct last_path *last)
{
	if (event->entry_id != last->entry_id) {
		kfree(last->path);
		last->entry_id = event->entry_id;
		last->path = seal_entry_path(event->inode, event->entry_id,
					     &last->deleted);
	}
	event->path = last->path;
	event->deleted = last->deleted;
}

static void event_deliver(struct seal_event *event)
{
	struct seal_event stripped = *event;
	struct sk_buff *with, *without;
	struct listener *listener;
	struct wish wish;

	serial++;
	stripped.path = NULL;
	with = sink->message(event, serial, 0);
	without = sink->message(&stripped, serial, 0);
	listeners_join();
	list_for_each_entry(listener, &served, list) {
		wish = listener_wish(listener);
		if (wish.mask & SEAL_EVENT_BIT(event->type))
			listener_send(listener,
				      seal_viewer_sees(&wish.viewer,
						       event->owner) ?
				      with : without);
		cond_resched();
	}
	kfree_skb(with);
	kfree_skb(without);
}

/* Take the oldest event out of the ring; false if there is none. */
static bool ring_pop(struct ring *ring, struct seal_event *event)
{
	struct slot *slot = &ring->slots[ring->head % RING_SLOTS];

	/* pairs with the release in ring_push(): the slot is filled */
	if (smp_load_acquire(&slot->turn) != ring->head + 1)
		return false;
	*event = slot->event;
	/* pairs with the acquire in ring_push(): the slot was read */
	smp_store_release(&slot->turn, ring->head + RING_SLOTS);
	ring->head++;
	return true;
}

/* Deliver up to BATCH events of the ring; true if no event is left. */
static bool ring_drain(struct ring *ring)
{
	struct last_path last = { };
	struct seal_event event;
	unsigned int nr;
	char *path;

	for (nr = 0; nr < BATCH; nr++) {
		if (!ring_pop(ring, &event))
			break;
		path = event.path;
		if (!path)
			event_find_path(&event, &last);
		event_deliver(&event);
		kfree(path);
		/* the events that did not fit came after this one */
		ring_count_lost(ring);
	}
	ring_count_lost(ring);
	kfree(last.path);
	return nr < BATCH;
}

/* Nobody puts anything into @ring any more, after an RCU grace period. */
static void ring_free(struct ring *ring)
{
	struct seal_event event;

	synchronize_rcu();
	while (ring_pop(ring, &event))
		kfree(event.path);
	kvfree(ring);
}

/* Let listeners come and go, and return the ring, or NULL if there is none. */
static struct ring *listeners_settle(void)
{
	struct ring *ring, *old;

	listeners_join();
	listeners_reap();
	xa_lock(&by_portid);
	ring = rcu_dereference_protected(the_ring,
					 lockdep_is_held(&by_portid.xa_lock));
	old = retired;
	xa_unlock(&by_portid);
	if (!old)
		return ring;
	ring_free(old);
	xa_lock(&by_portid);
	retired = NULL;
	xa_unlock(&by_portid);
	return NULL;
}

static void events_work(struct work_struct *work)
{
	struct ring *ring = listeners_settle();
	struct listener *listener;
	bool told = true;

	if (!ring)
		return;
	if (!ring_drain(ring)) {
		queue_work(workers, &drain_work);
		return;
	}
	list_for_each_entry(listener, &served, list)
		told &= listener_tell_lost(listener);
	if (!told)
		queue_delayed_work(workers, &retry_work, RETRY_DELAY);
}

/* --- listeners --- */

static struct ring *ring_alloc(void)
{
	struct ring *ring = kvzalloc(sizeof(*ring), GFP_KERNEL);
	unsigned int i;

	if (ring)
		for (i = 0; i < RING_SLOTS; i++)
			ring->slots[i].turn = i;
	return ring;
}

/* The worker may free @listener at once. */
static void listener_leave(struct listener *listener)
{
	listener->wish.mask = 0;
	/* pairs with the acquire in listeners_reap() */
	smp_store_release(&listener->gone, true);
	if (--nr_listeners)
		return;
	/* the next one is not to get events of before its time */
	retired = rcu_dereference_protected(the_ring,
					    lockdep_is_held(&by_portid.xa_lock));
	RCU_INIT_POINTER(the_ring, NULL);
}

/*
 * Make *@fresh the listener of its socket, or give its wish to the one that is
 * there. Sets *@fresh and *@ring to NULL if they are used. Returns -EAGAIN if a
 * ring is needed, -EBUSY if the worker has to free the last one first, or
 * -ENOMEM.
 */
static int listener_enter(struct listener **fresh, struct ring **ring)
{
	struct listener *listener = *fresh, *old;
	int ret;

	lockdep_assert_held(&by_portid.xa_lock);
	old = xa_load(&by_portid, listener->portid);
	if (old && old->sk == listener->sk) {
		old->wish = listener->wish;
		return 0;
	}
	if (retired)
		return -EBUSY;
	if (!nr_listeners && !*ring)
		return -EAGAIN;
	/* the index is reserved: this needs no memory */
	ret = xa_err(__xa_store(&by_portid, listener->portid, listener,
				GFP_ATOMIC));
	if (ret)
		return ret;
	sock_hold(listener->sk);
	list_add_tail(&listener->list, &joining);
	*fresh = NULL;
	if (!nr_listeners++) {
		rcu_assign_pointer(the_ring, *ring);
		*ring = NULL;
	}
	/* its socket is being closed, and the number is that of another one now */
	if (old)
		listener_leave(old);
	return 0;
}

int seal_events_listen(struct sock *sk, u32 portid, u32 mask,
		       const struct seal_viewer *viewer)
{
	struct listener *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct ring *ring = NULL;
	int ret;

	if (!fresh)
		return -ENOMEM;
	fresh->sk = sk;
	fresh->portid = portid;
	fresh->wish.mask = mask;
	fresh->wish.viewer = *viewer;
	ret = xa_reserve(&by_portid, portid, GFP_KERNEL);
	while (!ret) {
		xa_lock(&by_portid);
		ret = listener_enter(&fresh, &ring);
		xa_unlock(&by_portid);
		if (ret == -EBUSY) {
			/* it has nobody to send to, so this does not take long */
			queue_work(workers, &drain_work);
			flush_work(&drain_work);
			ret = 0;
		} else if (ret == -EAGAIN) {
			ring = ring_alloc();
			ret = ring ? 0 : -ENOMEM;
		} else {
			break;
		}
	}
	if (ret)
		xa_release(&by_portid, portid);
	kvfree(ring);
	kfree(fresh);
	return ret;
}

/* @closed: only if the socket is closed */
static void mute(u32 portid, bool closed)
{
	struct listener *listener;

	/* most sockets never listened: this takes no lock */
	if (!xa_load(&by_portid, portid))
		return;
	xa_lock(&by_portid);
	listener = xa_load(&by_portid, portid);
	/* else it is that of a socket that has got the number meanwhile */
	if (listener && (!closed || sock_flag(listener->sk, SOCK_DEAD))) {
		__xa_erase(&by_portid, portid);
		listener_leave(listener);
	}
	xa_unlock(&by_portid);
	queue_work(workers, &drain_work);
}

void seal_events_mute(u32 portid)
{
	mute(portid, true);
}

int seal_events_init(const struct seal_events_sink *to)
{
	sink = to;
	workers = alloc_ordered_workqueue("seal_events", 0);
	return workers ? 0 : -ENOMEM;
}

void seal_events_exit(void)
{
	struct listener *listener;
	unsigned long portid;

	xa_for_each(&by_portid, portid, listener)
		mute(portid, false);
	/* after this run there is no ring, and no event is queued any more */
	queue_work(workers, &drain_work);
	flush_work(&drain_work);
	irq_work_sync(&kick);
	cancel_delayed_work_sync(&retry_work);
	destroy_workqueue(workers);
	xa_destroy(&by_portid);
}
