/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events on their way from where they happen to the listeners.
 *
 * Events also happen in handlers of gates, where nothing may sleep, and a task
 * whose call is refused must not wait for listeners. So an event is put into a
 * ring without taking a lock, and a worker takes it out. When the ring is full,
 * events are only counted. Without a listener there is no ring.
 */
#ifndef SEAL_EVENTS_H
#define SEAL_EVENTS_H

#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "uapi/seal_netlink.h"

struct seal_entry;
struct sk_buff;
struct sock;

#define SEAL_EVENT_TYPES	(SEAL_EVENT_COMMITTED + 1)

struct seal_event {
	u32		type;		/* enum seal_event_type */
	u32		why;		/* enum seal_why */
	u64		time;
	u64		entry_id;	/* of the entry of @inode */
	struct inode	*inode;		/* finds the entry; not referenced */
	u64		ino;
	dev_t		dev;
	u32		holders;
	u32		flags;		/* SEAL_STATUS_* */
	u64		claim;
	u64		recall;
	u64		deadline;	/* ns since 1970 */
	pid_t		pid;
	kuid_t		uid;
	kuid_t		owner;		/* of the file */
	char		comm[TASK_COMM_LEN];
	const char	*gate;		/* static text */
	u64		start;		/* bytes */
	u64		end;		/* 0: no range */
	/* from kmalloc(); NULL: the worker finds it by @inode, @entry_id */
	char		*path;
	bool		deleted;
};

/* Is there a listener? If not, the caller need not make an event. */
bool seal_events_wanted(void);

/*
 * Queue an event of this type about @entry and the current task. May be called
 * anywhere, also in the handler of a gate. Does nothing without a listener.
 */
void seal_event_refused(struct seal_entry *entry, const char *gate, u64 start,
			u64 end);
void seal_event_broken(struct seal_entry *entry, const char *function);
void seal_event_committed(struct seal_entry *entry, u64 start, u64 end);

/*
 * Queue an event that the caller has filled in. Takes over event->path. Never
 * sleeps.
 */
void seal_event_queue(struct seal_event *event);

/* What a listener may be told about files of other users. */
struct seal_viewer {
	kuid_t		uid;
	bool		all;		/* may look into every directory */
};

/* May @viewer be told the path of a file that belongs to @owner? */
static inline bool seal_viewer_sees(const struct seal_viewer *viewer,
				    kuid_t owner)
{
	return viewer->all || uid_eq(viewer->uid, owner);
}

/*
 * Send events of the types in @mask to the netlink socket @sk, whose number is
 * @portid, from now on until it is closed. A second call replaces @mask and @viewer, which
 * says of which files it is told the path. Returns 0 or -ENOMEM.
 *
 * There is no limit to the number of listeners: each needs a socket, which its user
 * has a limit for, and its memory is charged to the cgroup of the caller.
 */
int seal_events_listen(struct sock *sk, u32 portid, u32 mask,
		       const struct seal_viewer *viewer);

/*
 * A socket that had this number is closed. Called for any netlink socket, so it
 * waits for nobody: neither for the worker nor, if it never listened, for any lock.
 */
void seal_events_mute(u32 portid);

/* How listeners are reached; netlink.c has it. */
struct seal_events_sink {
	/*
	 * Make a message of @event, or NULL: no memory. @lost is told only if
	 * the type of the event is SEAL_EVENT_LOST.
	 */
	struct sk_buff	*(*message)(const struct seal_event *event, u64 serial,
				    u64 lost);
	/*
	 * Give a message to a socket without waiting for room; 0 or -errno. If the
	 * socket is closed already, nobody reads it.
	 */
	int		(*send)(struct sk_buff *skb, struct sock *sk);
};

int seal_events_init(const struct seal_events_sink *to);
void seal_events_exit(void);

#endif /* SEAL_EVENTS_H */
