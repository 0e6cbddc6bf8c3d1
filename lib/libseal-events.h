/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libseal-events: what is sealed, and what happens to it.
 *
 * Kept apart from libseal because it needs more (libmnl). What is true of
 * libseal's functions is true of these: 0 or a negative errno value, nothing
 * is printed. Who may use them is who may open /dev/seal; both kinds of
 * handles keep the device open, so the module stays loaded meanwhile.
 *
 * Threads: a handle may be used by one thread at a time; different handles
 * are independent. What a _next function hands out is the library's and is
 * good until the next call with the same handle. Later versions of the
 * library may append members to the structures, so do not copy them by sizeof.
 */
#ifndef LIBSEAL_EVENTS_H
#define LIBSEAL_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <uapi/seal.h>
#include <uapi/seal_netlink.h>

#ifdef __cplusplus
extern "C" {
#endif

struct seal_list;
struct seal_monitor;

/**
 * struct seal_claim - one holder of one sealed file
 * @claim: number of the claim, never used again
 * @inode, @dev_major, @dev_minor: the file, as stat(2) says
 * @path: where it is, seen from the caller's root; NULL: cannot be reached
 * @deleted: it was unlinked, @path is where it was
 * @pid, @uid, @comm: process that took the claim, in the initial namespaces
 * @since: when, ns since 1970
 * @require, @max_extents: what it required of the map
 * @flags: SEAL_STATUS_SEALED, STICKY (this claim), MISSED, BROKEN
 * @holders: claims on the file
 * @file_size, @extents, @in_place: of the frozen map
 * @refused: operations refused since the file was sealed
 * @broken: changes of the map since then; not 0: the seal did not hold
 */
struct seal_claim {
	uint64_t claim;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	const char *path;
	bool deleted;
	uint32_t pid;
	uint32_t uid;
	const char *comm;
	uint64_t since;
	uint32_t require;
	uint32_t flags;
	uint64_t max_extents;
	uint32_t holders;
	uint64_t file_size;
	uint64_t extents;
	uint64_t in_place;
	uint64_t refused;
	uint64_t broken;
};

/**
 * seal_list_open() - begin to list all claims
 * @list: where to put the handle
 *
 * A claim that exists from this call until seal_list_next() has returned 0 is
 * listed exactly once, and none twice.
 *
 * Return: 0; -ENOENT or -ENXIO: no such device, the module is not loaded;
 * -EACCES: no permission on the node; -EPROTO: the module does not know
 * events; -EOPNOTSUPP: not in the initial network namespace; -ENOMEM; other
 * errors of socket(2).
 */
int seal_list_open(struct seal_list **list);

/**
 * seal_list_next() - the next claim, oldest first
 * @list: handle
 * @claim: where to put a pointer to it
 *
 * Return: 1; 0: that was all; -EPROTO: a message makes no sense; errors of
 * recv(2). After a failure only seal_list_close() is left.
 */
int seal_list_next(struct seal_list *list, const struct seal_claim **claim);

/**
 * seal_list_close() - end a list, also in the middle
 * @list: handle, or NULL (nothing happens)
 */
void seal_list_close(struct seal_list *list);

/**
 * struct seal_event - something that happened
 * @type: enum seal_event_type
 * @serial: number of the event; those of types not asked for count too
 * @time: when, ns since 1970
 * @lost: SEAL_EVENT_LOST: how many events, of those asked for, were lost
 *        between the event before and the one after this one
 * @inode, @dev_major, @dev_minor, @path, @deleted: the file, as in struct
 *        seal_claim, with the path as the initial namespace sees it
 * @pid, @uid, @comm: the holder (SEALED, UNSEALED, REVOKED), or who did it
 * @claim, @holders, @flags: SEALED, UNSEALED, REVOKED, RECALL: as in struct seal_claim;
 *        @holders are those that are left
 * @why: UNSEALED: enum seal_why
 * @operation: REFUSED, RECALL: what is wanted ("write", "truncate", ...), else NULL
 * @gate: REFUSED, RECALL, BROKEN: function of the kernel where it was seen, else NULL
 * @has_range: @offset and @length are set; else no range would do
 * @offset, @length: REFUSED: what was to be changed; COMMITTED: what was
 * @recall: RECALL: its number, the same for all holders that are asked
 * @deadline: RECALL: until when it is waited for them, ns since 1970
 *
 * Members that do not apply to the type are 0 or NULL.
 */
struct seal_event {
	uint32_t type;
	uint64_t serial;
	uint64_t time;
	uint64_t lost;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	const char *path;
	bool deleted;
	uint32_t pid;
	uint32_t uid;
	const char *comm;
	uint64_t claim;
	uint32_t holders;
	uint32_t flags;
	uint32_t why;
	const char *operation;
	const char *gate;
	bool has_range;
	uint64_t offset;
	uint64_t length;
	uint64_t recall;
	uint64_t deadline;
};

/**
 * seal_monitor_open() - be told of what happens from now on
 * @monitor: where to put the handle
 * @events: SEAL_EVENT_BIT() of each type, or SEAL_EVENTS_ALL
 *
 * The kernel never waits for a monitor. What one does not read in time is
 * lost, and a SEAL_EVENT_LOST in its place says exactly how much that was.
 *
 * Return: as seal_list_open(); -EINVAL: no or unknown types.
 */
int seal_monitor_open(struct seal_monitor **monitor, uint32_t events);

/**
 * seal_monitor_fd() - descriptor to wait for in poll(2) and the like
 * @monitor: handle
 *
 * Readable when there may be an event. Then call seal_monitor_next() until it
 * returns 0. Owned by the monitor; for waiting only.
 */
int seal_monitor_fd(const struct seal_monitor *monitor);

/**
 * seal_monitor_next() - the next event
 * @monitor: handle
 * @event: where to put a pointer to it
 *
 * Does not wait.
 *
 * Return: 1; 0: nothing (more) has happened yet; -EPROTO: a message makes no
 * sense; errors of recv(2).
 */
int seal_monitor_next(struct seal_monitor *monitor,
		      const struct seal_event **event);

/**
 * seal_monitor_close() - stop being told
 * @monitor: handle, or NULL (nothing happens)
 */
void seal_monitor_close(struct seal_monitor *monitor);

/**
 * seal_event_name() - "sealed", "unsealed", "refused", ... or "unknown"
 * @type: enum seal_event_type
 */
const char *seal_event_name(uint32_t type);

/**
 * seal_why_name() - "call", "close", "exit" or "unknown"
 * @why: enum seal_why
 */
const char *seal_why_name(uint32_t why);

#ifdef __cplusplus
}
#endif

#endif /* LIBSEAL_EVENTS_H */
