/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libseal-events: which files are sealed, and what happens to them.
 *
 * It is a library of its own because it needs libmnl. Like those of libseal,
 * its functions return 0 or a negative errno value and print nothing. They need
 * the right to open /dev/seal. Both kinds of handles keep the device open, so
 * the module stays loaded meanwhile.
 *
 * Threads: a handle may be used by one thread at a time; different handles are
 * independent. A structure that a _next function returns belongs to the library
 * and is valid until the next call with the same handle. Later versions of the
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
 * @inode, @dev_major, @dev_minor: the file, see stat(2)
 * @path: its path, seen from the caller's root directory; NULL: the caller
 *        cannot reach it, or may not know it
 * @deleted: the file was unlinked, @path was its path
 * @pid, @uid, @comm: process that took the claim, in the initial namespaces
 * @since: when it did, ns since 1970
 * @require, @max_extents: its requirements, as for seal_files()
 * @flags: SEAL_STATUS_SEALED, MISSED, BROKEN, LOG_ONLY; STICKY: a lasting claim
 * @holders: number of claims on the file
 * @file_size, @extents, @in_place: as in struct seal_status
 * @refused: operations refused since the file was sealed
 * @broken: changes of the map since then; if not 0, the seal did not hold
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
 * listed exactly once, and no claim twice. The caller closes the handle.
 *
 * Return: 0; -ENOENT or -ENXIO: no such device, the module is not loaded;
 * -EACCES: no permission on the node; -EPROTO: the module does not know events;
 * -EOPNOTSUPP: the caller is not in the initial network namespace; -ENOMEM;
 * other errors of seal_open() and of socket(2).
 */
int seal_list_open(struct seal_list **list);

/**
 * seal_list_next() - the next claim, oldest first
 * @list: handle
 * @claim: where to put a pointer to it
 *
 * Return: 1: @claim is set; 0: there is no other claim; -EPROTO: a message
 * makes no sense; errors of recv(2). After a failure only seal_list_close() is
 * left.
 */
int seal_list_next(struct seal_list *list, const struct seal_claim **claim);

/**
 * seal_list_close() - end a list, complete or not
 * @list: handle, or NULL (nothing happens)
 */
void seal_list_close(struct seal_list *list);

/**
 * struct seal_event - something that happened
 * @type: enum seal_event_type
 * @serial: number of the event; events of types not asked for count, too
 * @time: when it happened, ns since 1970
 * @lost: LOST: how many events of the types asked for were lost between the
 *        event before this one and the event after it
 * @inode, @dev_major, @dev_minor, @path, @deleted: the file, as in struct
 *        seal_claim, but the path is seen from the root directory of init
 * @pid, @uid, @comm: the holder (SEALED, UNSEALED, REVOKED), the process that
 *        waits (RECALL), or the process that did it
 * @claim, @holders, @flags: SEALED, UNSEALED, REVOKED, RECALL: as in struct
 *        seal_claim; @holders is the number that is left. @flags of REFUSED:
 *        SEAL_STATUS_LOG_ONLY if the call passed all the same, else 0
 * @why: UNSEALED: enum seal_why
 * @operation: REFUSED, RECALL: what was wanted ("write", "truncate", ...), else
 *        NULL
 * @gate: REFUSED, RECALL, BROKEN: function of the kernel that was called, else
 *        NULL
 * @has_range: are @offset and @length set? If not, a REFUSED operation would be
 *        refused on every range
 * @offset, @length: REFUSED: bytes that were to be changed; COMMITTED: bytes
 *        that were committed
 * @recall: RECALL: its number, the same for all holders that are asked
 * @deadline: RECALL: when the wait for holders ends, ns since 1970
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
 * seal_monitor_open() - receive events from now on
 * @monitor: where to put the handle
 * @events: SEAL_EVENT_BIT() of each type, or SEAL_EVENTS_ALL
 *
 * The kernel never waits for a monitor. Events that a monitor does not read in
 * time are lost, and a SEAL_EVENT_LOST in their place says exactly how many
 * they were. The caller closes the handle.
 *
 * Return: as seal_list_open(); -EINVAL: @events is 0 or has unknown types.
 */
int seal_monitor_open(struct seal_monitor **monitor, uint32_t events);

/**
 * seal_monitor_fd() - descriptor to wait for in poll(2) and the like
 * @monitor: handle
 *
 * It is readable when there may be an event. Then call seal_monitor_next()
 * until that returns 0. Use the descriptor for waiting only.
 *
 * Return: the descriptor, which belongs to the monitor.
 */
int seal_monitor_fd(const struct seal_monitor *monitor);

/**
 * seal_monitor_next() - the next event
 * @monitor: handle
 * @event: where to put a pointer to it
 *
 * Does not wait.
 *
 * Return: 1: @event is set; 0: there is no event yet; -EPROTO: a message makes
 * no sense; errors of recv(2).
 */
int seal_monitor_next(struct seal_monitor *monitor,
		      const struct seal_event **event);

/**
 * seal_monitor_close() - stop receiving events
 * @monitor: handle, or NULL (nothing happens)
 */
void seal_monitor_close(struct seal_monitor *monitor);

/**
 * seal_event_name() - the word for an enum seal_event_type
 * @type: enum seal_event_type
 *
 * Return: a constant string: "sealed", "unsealed", "refused", ... or "unknown".
 */
const char *seal_event_name(uint32_t type);

/**
 * seal_why_name() - the word for an enum seal_why
 * @why: enum seal_why
 *
 * Return: a constant string: "call", "close", "exit" or "unknown".
 */
const char *seal_why_name(uint32_t why);

#ifdef __cplusplus
}
#endif

#endif /* LIBSEAL_EVENTS_H */
