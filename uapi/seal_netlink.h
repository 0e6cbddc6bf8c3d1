/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Seal the block map of files: the generic netlink family "seal".
 *
 * By this family a program learns which files are sealed, and what happens to
 * them. Sealing itself is done through /dev/seal (<seal.h>). uapi/seal.yaml
 * describes the family in the form that the kernel's tools read.
 *
 * Claims and events are about files and processes of other users, so the right
 * to ask is the right to open the device. A request needs CAP_LINUX_IMMUTABLE
 * (of the sender and of the opener of the socket, in the initial user
 * namespace) or, in SEAL_A_SESSION, a descriptor of /dev/seal; without either
 * it fails with EPERM. The family exists in the initial network namespace only,
 * and using it never loads the module.
 *
 * Unknown attributes, wrong types and values out of range fail with EINVAL or
 * ERANGE and a text in the extended ACK.
 *
 * Commands and their attributes; those [in brackets] may be absent:
 *
 *   SEAL_CMD_CLAIM, a dump: every claim, oldest first, one message each.
 *     request  [SESSION]
 *     reply    CLAIM INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *              SINCE REQUIRE MAX_EXTENTS FLAGS HOLDERS FILE_SIZE EXTENTS
 *              IN_PLACE REFUSED BROKEN
 *     A claim that exists during the whole dump is in it exactly once. No claim
 *     is in it twice. A claim that is made or dropped meanwhile may be missing.
 *     What a message says about a claim was true at one instant.
 *
 *   SEAL_CMD_LISTEN: have events sent to the socket that asks, until it is
 *     closed. Another request replaces the first one.
 *     request  [SESSION] [EVENTS]
 *
 *   SEAL_CMD_EVENT, sent by the kernel to each listener, in the order in
 *     which things happened:
 *     all         EVENT SERIAL TIME
 *     SEALED      CLAIM INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID
 *                 COMM HOLDERS FLAGS
 *     UNSEALED    those of SEALED, and WHY
 *     REVOKED     those of SEALED
 *     RECALL      those of SEALED, and RECALL DEADLINE OPERATION GATE; one
 *                 message for each holder
 *     REFUSED     INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *                 [FLAGS] OPERATION GATE [OFFSET LENGTH]; FLAGS if the module
 *                 is in log-only mode
 *     BROKEN      INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *                 GATE
 *     COMMITTED   INODE DEV_MAJOR DEV_MINOR [PATH [DELETED]] PID UID COMM
 *                 OFFSET LENGTH; one message for each contiguous range
 *     LOST        LOST
 *     Sending never waits for a listener. A listener that does not read fast
 *     enough loses events. Before its next event (or when it has caught up, if
 *     no other event comes) it is sent LOST, which says how many events of the
 *     types that it asked for were lost. Such a socket may also report ENOBUFS
 *     once, which says nothing beyond that.
 *     PID, UID and COMM are those of the holder (SEALED, UNSEALED, REVOKED), of
 *     the process that did it (REFUSED, BROKEN, COMMITTED), or of the process
 *     that waits (RECALL), as seen from the initial namespaces.
 *     OFFSET and LENGTH are absent if the operation would be refused on every
 *     range of the file.
 *
 * This is not a multicast group, because the kernel lets a family restrict who
 * may join one only by CAP_NET_ADMIN or CAP_SYS_ADMIN, and tells a member that
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
	SEAL_A_EVENTS		= 2,	/* u32: of SEAL_EVENT_BIT() */
	/* of the kernel's messages */
	SEAL_A_PAD		= 3,
	SEAL_A_EVENT		= 4,	/* u32: enum seal_event_type */
	SEAL_A_SERIAL		= 5,	/* u64: number of the event; lost
					 * events have one, too
					 */
	SEAL_A_TIME		= 6,	/* u64: when; ns since 1970 */
	SEAL_A_LOST		= 7,	/* u64: events not sent */
	SEAL_A_CLAIM		= 8,	/* u64: its number, never used again */
	SEAL_A_INODE		= 9,	/* u64 */
	SEAL_A_DEV_MAJOR	= 10,	/* u32: of st_dev, see stat(2) */
	SEAL_A_DEV_MINOR	= 11,	/* u32 */
	/*
	 * string: absent if the file cannot be reached, or if the caller
	 * neither owns the file nor has CAP_DAC_READ_SEARCH
	 */
	SEAL_A_PATH		= 12,
	SEAL_A_DELETED		= 13,	/* flag: unlinked; PATH was its path */
	SEAL_A_PID		= 14,	/* u32: process */
	SEAL_A_UID		= 15,	/* u32 */
	SEAL_A_COMM		= 16,	/* string */
	SEAL_A_SINCE		= 17,	/* u64: ns since 1970 */
	SEAL_A_REQUIRE		= 18,	/* u32: SEAL_REQ_* */
	SEAL_A_MAX_EXTENTS	= 19,	/* u64 */
	SEAL_A_FLAGS		= 20,	/* u32: SEAL_STATUS_SEALED, MISSED,
					 * BROKEN, LOG_ONLY; STICKY: this is
					 * the lasting claim
					 */
	SEAL_A_HOLDERS		= 21,	/* u32: claims on the file that exist
					 * or are left
					 */
	SEAL_A_FILE_SIZE	= 22,	/* u64 */
	SEAL_A_EXTENTS		= 23,	/* u64 */
	SEAL_A_IN_PLACE		= 24,	/* u64: bytes that can be overwritten */
	SEAL_A_REFUSED		= 25,	/* u64: operations since sealing */
	SEAL_A_BROKEN		= 26,	/* u64: changes of the map */
	SEAL_A_WHY		= 27,	/* u32: enum seal_why */
	SEAL_A_OPERATION	= 28,	/* string: what was wanted, "write" */
	SEAL_A_GATE		= 29,	/* string: function of the kernel */
	SEAL_A_OFFSET		= 30,	/* u64: bytes */
	SEAL_A_LENGTH		= 31,	/* u64: bytes */
	SEAL_A_RECALL		= 32,	/* u64: number of a recall */
	SEAL_A_DEADLINE		= 33,	/* u64: ns since 1970 */
};

enum seal_event_type {
	SEAL_EVENT_SEALED	= 1,	/* a claim was taken */
	SEAL_EVENT_UNSEALED	= 2,	/* a claim was dropped */
	SEAL_EVENT_REFUSED	= 3,	/* an operation was refused */
	SEAL_EVENT_BROKEN	= 4,	/* the map changed while sealed */
	SEAL_EVENT_LOST		= 5,	/* events were not sent */
	SEAL_EVENT_REVOKED	= 6,	/* a claim was taken away by REVOKE */
	SEAL_EVENT_RECALL	= 7,	/* a holder is asked to let go */
	SEAL_EVENT_COMMITTED	= 8,	/* COMMIT changed contents */
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
