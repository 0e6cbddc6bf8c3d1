/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Seal the block map of files: the generic netlink family "seal".
 *
 * For those who want to know what is sealed and what happens to it; sealing
 * itself is done through /dev/seal (<seal.h>). uapi/seal.yaml has the same in
 * the form the kernel's tools read.
 *
 * Who may ask is decided as for the device: claims and events speak of the
 * files and processes of others. A request needs CAP_LINUX_IMMUTABLE (of the
 * sender and of the opener of the socket, in the initial user namespace) or,
 * in SEAL_A_SESSION, a descriptor of /dev/seal, which only those have who may
 * open the node. EPERM if neither is there. The family exists in the initial
 * network namespace only, and using it never loads the module.
 *
 * Unknown attributes, wrong types and values out of range fail with EINVAL or
 * ERANGE and a text in the extended ACK.
 *
 * Commands and their attributes, [in brackets] those that may be absent:
 *
 *   SEAL_CMD_CLAIM, a dump: every claim, oldest first, one message each.
 *     request  [SESSION]
 *     reply    CLAIM INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *              SINCE REQUIRE MAX_EXTENTS FLAGS HOLDERS FILE_SIZE EXTENTS
 *              IN_PLACE REFUSED BROKEN
 *     A claim that exists all the time the dump takes is in it exactly once;
 *     none is in it twice; one that comes or goes meanwhile may be missing.
 *     What a message says of a claim was true at one instant.
 *
 *   SEAL_CMD_LISTEN: have events sent to the socket that asks, until it is
 *     closed. Asking again replaces what was asked for.
 *     request  [SESSION] [EVENTS]
 *
 *   SEAL_CMD_EVENT, sent by the kernel to each listener, in the order in
 *     which things happened:
 *     all         EVENT SERIAL TIME
 *     SEALED      CLAIM INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID
 *                 COMM HOLDERS FLAGS
 *     UNSEALED    the same, and WHY
 *     REVOKED     the same as SEALED
 *     RECALL      the same as SEALED, for each holder, and RECALL DEADLINE
 *                 OPERATION GATE
 *     REFUSED     INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *                 OPERATION GATE [OFFSET LENGTH]
 *     BROKEN      INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *                 GATE
 *     COMMITTED   INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *                 OFFSET LENGTH; one for each range in one piece
 *     LOST        LOST
 *     Sending never waits for a listener. One that does not read fast enough
 *     loses events; before the next one that it gets (or when it has caught
 *     up, if no other comes) it is sent LOST, which says how many that were,
 *     of those it asked for. Such a socket may also report ENOBUFS once, which
 *     says nothing beyond that.
 *     PID, UID and COMM are of the holder (SEALED, UNSEALED, REVOKED) or of whoever
 *     did it (REFUSED, BROKEN, COMMITTED) or waits (RECALL), as the initial namespaces see them.
 *     OFFSET and LENGTH are absent where no range of the file would do.
 *
 * Why this is not a multicast group: the kernel lets a family decide who may
 * join one only by CAP_NET_ADMIN or CAP_SYS_ADMIN, and tells a member that
 * was too slow neither when nor how many events it lost.
 */
#ifndef _UAPI_SEAL_NETLINK_H
#define _UAPI_SEAL_NETLINK_H

#define SEAL_GENL_NAME		"seal"
#define SEAL_GENL_VERSION	1

enum seal_cmd {
	SEAL_CMD_UNSPEC,
	SEAL_CMD_CLAIM		= 1,
	SEAL_CMD_LISTEN		= 2,
	SEAL_CMD_EVENT		= 3,
};

enum seal_attr {
	SEAL_A_UNSPEC,
	/* of requests */
	SEAL_A_SESSION		= 1,	/* s32: a descriptor of /dev/seal */
	SEAL_A_EVENTS		= 2,	/* u32: SEAL_EVENT_BIT()s, default all */
	/* of the kernel's messages */
	SEAL_A_PAD		= 3,
	SEAL_A_EVENT		= 4,	/* u32: enum seal_event_type */
	SEAL_A_SERIAL		= 5,	/* u64: events are numbered, lost ones too */
	SEAL_A_TIME		= 6,	/* u64: when; ns since 1970 */
	SEAL_A_LOST		= 7,	/* u64: events not sent */
	SEAL_A_CLAIM		= 8,	/* u64: number of a claim, never used again */
	SEAL_A_INODE		= 9,	/* u64 */
	SEAL_A_DEV_MAJOR	= 10,	/* u32: as stat(2) says, st_dev */
	SEAL_A_DEV_MINOR	= 11,	/* u32 */
	/*
	 * string: absent if it cannot be reached, or if the caller neither owns the
	 * file nor has CAP_DAC_READ_SEARCH
	 */
	SEAL_A_PATH		= 12,
	SEAL_A_DELETED		= 13,	/* flag: unlinked, PATH is where it was */
	SEAL_A_PID		= 14,	/* u32: process */
	SEAL_A_UID		= 15,	/* u32 */
	SEAL_A_COMM		= 16,	/* string */
	SEAL_A_SINCE		= 17,	/* u64: ns since 1970 */
	SEAL_A_REQUIRE		= 18,	/* u32: SEAL_REQ_* */
	SEAL_A_MAX_EXTENTS	= 19,	/* u64 */
	SEAL_A_FLAGS		= 20,	/* u32: SEAL_STATUS_SEALED, MISSED, BROKEN,
					 * LOG_ONLY; STICKY: of this claim
					 */
	SEAL_A_HOLDERS		= 21,	/* u32: claims on the file (left) */
	SEAL_A_FILE_SIZE	= 22,	/* u64 */
	SEAL_A_EXTENTS		= 23,	/* u64 */
	SEAL_A_IN_PLACE		= 24,	/* u64: bytes that can be overwritten */
	SEAL_A_REFUSED		= 25,	/* u64: operations, since it was sealed */
	SEAL_A_BROKEN		= 26,	/* u64: changes of the map */
	SEAL_A_WHY		= 27,	/* u32: enum seal_why */
	SEAL_A_OPERATION	= 28,	/* string: what was refused, "write" */
	SEAL_A_GATE		= 29,	/* string: function of the kernel */
	SEAL_A_OFFSET		= 30,	/* u64 */
	SEAL_A_LENGTH		= 31,	/* u64 */
	SEAL_A_RECALL		= 32,	/* u64: number of a recall */
	SEAL_A_DEADLINE		= 33,	/* u64: ns since 1970 */
};

enum seal_event_type {
	SEAL_EVENT_SEALED	= 1,	/* a claim was taken */
	SEAL_EVENT_UNSEALED	= 2,	/* a claim was dropped; HOLDERS 0: all were */
	SEAL_EVENT_REFUSED	= 3,	/* an operation was refused */
	SEAL_EVENT_BROKEN	= 4,	/* the map changed while sealed */
	SEAL_EVENT_LOST		= 5,	/* events were not sent */
	SEAL_EVENT_REVOKED	= 6,	/* a claim was taken away by REVOKE */
	SEAL_EVENT_RECALL	= 7,	/* a holder is asked to drop its claim */
	SEAL_EVENT_COMMITTED	= 8,	/* COMMIT: what is in a range changed */
};

/* For SEAL_A_EVENTS. LOST is always sent. */
#define SEAL_EVENT_BIT(type)	(1U << (type))
#define SEAL_EVENTS_ALL		(SEAL_EVENT_BIT(SEAL_EVENT_SEALED) | \
				 SEAL_EVENT_BIT(SEAL_EVENT_UNSEALED) | \
				 SEAL_EVENT_BIT(SEAL_EVENT_REFUSED) | \
				 SEAL_EVENT_BIT(SEAL_EVENT_BROKEN) | \
				 SEAL_EVENT_BIT(SEAL_EVENT_REVOKED) | \
				 SEAL_EVENT_BIT(SEAL_EVENT_RECALL) | \
				 SEAL_EVENT_BIT(SEAL_EVENT_COMMITTED))

/* Why a claim was dropped. */
enum seal_why {
	SEAL_WHY_CALL		= 1,	/* UNSEAL */
	SEAL_WHY_CLOSE		= 2,	/* the session was closed */
	SEAL_WHY_EXIT		= 3,	/* the process ended */
};

#endif /* _UAPI_SEAL_NETLINK_H */
