/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Seal the block map of files: interface of /dev/seal.
 *
 * Every request is a structure whose first member is its own size in bytes. A
 * kernel that knows a longer structure takes what it is given and assumes zero
 * for the rest. A kernel that knows a shorter one accepts the request if
 * everything beyond what it knows is zero, and fails with E2BIG if not. A size
 * below the first published one fails with EINVAL. Flag bits that a kernel does
 * not know, and reserved members, must be zero (EINVAL). Members marked out are
 * ignored on entry. Results are written back up to the size that the caller
 * gave. A command number that is not listed here fails with ENOTTY. The layout
 * is the same for 32-bit callers.
 *
 * Offsets and lengths are in bytes.
 *
 * Errors that every command with a file descriptor can return:
 *   EBADF       the descriptor is not open, or was opened with O_PATH
 *   EPERM       the caller neither owns the file nor has CAP_FOWNER
 *   EOPNOTSUPP  the kernel, filesystem or file is not supported; SEAL says why
 *               in @reason, INFO says why for the filesystem
 *   EFAULT      unreadable or unwritable user memory
 *   EINTR       a fatal signal arrived; the file is in a consistent state, and
 *               the call can be repeated
 */
#ifndef _UAPI_SEAL_H
#define _UAPI_SEAL_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define SEAL_DEVICE_NAME	"seal"
#define SEAL_ABI_VERSION	1

#define SEAL_REASON_LEN		128
#define SEAL_FUNCTION_LEN	64
#define SEAL_NAME_LEN		16
#define SEAL_VERSION_LEN	32
#define SEAL_MAX_FILES		1024

/* Requirements are checks on a map; they never change it. */
#define SEAL_REQ_ALLOCATED	(1U << 0)	/* no hole before EOF */
#define SEAL_REQ_WRITTEN	(1U << 1)	/* none unwritten before EOF */
#define SEAL_REQ_UNSHARED	(1U << 2)	/* nothing shared, no copy-on-write */
#define SEAL_REQ_EXTENTS	(1U << 3)	/* at most max_extents extents */
#define SEAL_REQ_ALL		(SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | \
				 SEAL_REQ_UNSHARED | SEAL_REQ_EXTENTS)

/* The state of a range of a block map. */
enum seal_range_state {
	SEAL_RANGE_NONE		= 0,
	SEAL_RANGE_HOLE		= 1,
	SEAL_RANGE_DELALLOC	= 2,
	SEAL_RANGE_UNWRITTEN	= 3,
	SEAL_RANGE_WRITTEN	= 4,
	SEAL_RANGE_SHARED	= 5,
	/* written and not shared, but the next write would go elsewhere */
	SEAL_RANGE_COW		= 6,
};

/* Is a filesystem type supported on the running kernel? */
enum seal_fs_state {
	SEAL_FS_UNSUPPORTED	= 0,	/* @reason says why */
	SEAL_FS_SUPPORTED	= 1,
	SEAL_FS_NOT_LOADED	= 2,	/* unknown: its module is not loaded */
};

struct seal_fs_info {
	__u8	name[SEAL_NAME_LEN];
	__u32	state;			/* enum seal_fs_state */
	__u32	gates;			/* gates that refuse, on this kernel */
	__u32	attached;		/* 1 while its gates are in use */
	__u32	sealed;			/* sealed inodes of this type */
	__u64	reserved;
	__u8	reason[SEAL_REASON_LEN];
};

/* Feature bits of struct seal_info. */
#define SEAL_FEATURE_STICKY	(1ULL << 0)	/* lasting claims */
#define SEAL_FEATURE_DEBUG	(1ULL << 1)	/* debug build: gates can be skipped */
#define SEAL_FEATURE_EVENTS	(1ULL << 2)	/* <seal_netlink.h> */
#define SEAL_FEATURE_REVOKE	(1ULL << 3)	/* REVOKE; poll(2) on a session */
#define SEAL_FEATURE_RECALL	(1ULL << 4)	/* SEAL_SEAL_RECALL */
#define SEAL_FEATURE_UNSEAL_CLAIM (1ULL << 5)	/* SEAL_UNSEAL_CLAIM */
#define SEAL_FEATURE_PLACES	(1ULL << 6)	/* PLACES; @ask of STATUS */
#define SEAL_FEATURE_GRANT	(1ULL << 8)	/* GRANT, COMMIT, RELEASE */

/* seal_info.flags */
#define SEAL_INFO_DISARMED	(1U << 0)	/* attached gates do not work */
#define SEAL_INFO_DISABLED	(1U << 1)	/* seal.disable=1: nothing is sealed */
#define SEAL_INFO_LOG_ONLY	(1U << 2)	/* seal.log_only=1: nothing is refused */

/**
 * struct seal_info - SEAL_IOC_INFO: what the module can do on this kernel
 * @size: in: size of this structure
 * @abi: out: SEAL_ABI_VERSION of the module
 * @features: out: SEAL_FEATURE_*
 * @flags: out: SEAL_INFO_*
 * @nr_fs: in: room in @fs, in entries; out: number of filesystem types
 * @fs: in: user pointer to an array of struct seal_fs_info, may be 0
 * @version: out: version of the module
 *
 * Fills in at most as many entries of @fs as there is room for, and always
 * reports the full number. Attaches nothing.
 */
struct seal_info {
	__u32	size;
	__u32	abi;
	__u64	features;
	__u32	flags;
	__u32	nr_fs;
	__u64	fs;
	__u8	version[SEAL_VERSION_LEN];
};

#define SEAL_PREALLOC_WRITTEN	(1U << 0)	/* leave nothing unwritten */
#define SEAL_PREALLOC_KEEP_SIZE	(1U << 1)	/* allocate beyond EOF, keep the size */
#define SEAL_PREALLOC_ALL	(SEAL_PREALLOC_WRITTEN | SEAL_PREALLOC_KEEP_SIZE)

/**
 * struct seal_range_op - SEAL_IOC_PREALLOC, SEAL_IOC_UNSHARE: one bounded step
 * @size: in: size of this structure
 * @fd: in: the file, open for writing (with WRITTEN: also for reading)
 * @flags: in: SEAL_PREALLOC_* or 0
 * @reserved: must be 0
 * @offset: in: start of the range
 * @length: in: length of the range; 0 means up to EOF
 * @done: out: number of bytes that are finished, from @offset on
 *
 * One call works on a bounded part of the range and returns. The caller goes on
 * at @offset + @done until the range is finished. Both operations can be
 * repeated: a part that is finished already costs one look at the map.
 *
 * PREALLOC allocates holes. With WRITTEN it also turns unwritten blocks into
 * written ones, without ever overwriting a byte. A range beyond EOF extends the
 * file like fallocate(2), unless KEEP_SIZE is set. Shared blocks stay shared.
 *
 * UNSHARE gives the file its own copy of every shared block in the range. When
 * the range reaches EOF and no block of the file is shared any more, it also
 * ends the copy-on-write state of an inode that was once reflinked. It
 * allocates no hole. On a filesystem that cannot share blocks it succeeds at
 * once.
 *
 * Errors: EINVAL (range, flags; WRITTEN with KEEP_SIZE beyond EOF), EFBIG,
 * EBUSY (other programs change the file as fast as this works, or another task
 * kept the file locked for longer than limit_ms when its map was read), ETXTBSY
 * (the file is sealed, or is a swapfile), EOWNERDEAD (REVOKE has taken the file
 * from this session), ENOSPC, EDQUOT, EIO, EINTR. While the filesystem is frozen
 * both requests wait, and can be killed.
 */
struct seal_range_op {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	reserved;
	__u64	offset;
	__u64	length;
	__u64	done;
};

#define SEAL_SEAL_STICKY	(1U << 0)	/* a lasting claim */
#define SEAL_SEAL_RECALL	(1U << 1)	/* ask before the map is changed */
#define SEAL_SEAL_ALL		(SEAL_SEAL_STICKY | SEAL_SEAL_RECALL)

#define SEAL_RECALL_MAX_MS	600000

#define SEAL_NO_INDEX		0xffffffffU

/**
 * struct seal_files - SEAL_IOC_SEAL: seal 1..N files as one step, all or none
 * @size: in: size of this structure
 * @flags: in: SEAL_SEAL_*; STICKY needs CAP_LINUX_IMMUTABLE
 * @nr_fds: in: 1..SEAL_MAX_FILES
 * @require: in: SEAL_REQ_* that every file must meet
 * @fds: in: user pointer to an array of __s32 descriptors
 * @max_extents: in: limit for SEAL_REQ_EXTENTS, else 0
 * @bad_index: out: on failure the index in @fds of the file, or SEAL_NO_INDEX
 * @bad_state: out: enum seal_range_state of the first offending range
 * @bad_require: out: the SEAL_REQ_* bit that failed, or 0
 * @recall_ms: in: with RECALL 1..SEAL_RECALL_MAX_MS, else 0
 * @bad_offset: out: start of the first offending range in file order
 * @bad_length: out: length of that range
 * @reason: out: a text for people that says why it failed
 *
 * On success the maps are frozen as they were at one instant at which no change
 * was in flight, and are on disk. The claims belong to the open file
 * description on which the ioctl was called (the session) and end with it. With
 * STICKY they are lasting claims, which belong to the module. Sealing a file
 * that is sealed already adds a claim.
 *
 * A refused operation fails with ETXTBSY. A fallocate(2) that punches a hole,
 * zeroes a range or writes zeroes fails with EOPNOTSUPP, upon which programs
 * write zeros, in place. An allocation of blocks that are in place succeeds.
 *
 * With RECALL (not with STICKY) the holder can be asked to let go. A truncate,
 * fallocate, clone, swap or move of extents that would be refused then waits:
 * the session's descriptor reports POLLPRI, STATUS says SEAL_STATUS_RECALLED,
 * and listeners get SEAL_EVENT_RECALL. When every holder has dropped its claim,
 * the operation goes on. If a claim is left after the longest @recall_ms of all
 * holders, the operation fails with the error above. It fails at once, without a
 * recall, if a holder cannot be asked, or if the caller is a process that is a
 * holder, a kernel thread, or uses O_NONBLOCK. Writes, stores, and
 * exchange-range on XFS never wait, because the module sees what they want only
 * after the file was locked.
 *
 * Errors: EBADFD (a requirement is not met: @bad_*), EOPNOTSUPP (@reason),
 * EOWNERDEAD (the claim of this session was revoked: UNSEAL first), ESTALE (the
 * seal that is held on the file was broken, or the map changes although every
 * gate is shut: see @broken of STATUS), EPERM, EBUSY (@reason says what is in
 * the way: the filesystem is frozen, a pNFS client has a layout of the file, a
 * task does not finish its operation or holds a lock for as long as the
 * parameter limit_ms of the module says, pages are in use, the map does not come
 * to rest, or another tracer redirects a gated function), EIO (data did not
 * reach the disk), ENOMEM, EINTR, EINVAL. After any error nothing new is
 * sealed, and no task that does not use the files has waited.
 */
struct seal_files {
	__u32	size;
	__u32	flags;
	__u32	nr_fds;
	__u32	require;
	__u64	fds;
	__u64	max_extents;
	__u32	bad_index;
	__u32	bad_state;
	__u32	bad_require;
	__u32	recall_ms;
	__u64	bad_offset;
	__u64	bad_length;
	__u8	reason[SEAL_REASON_LEN];
};

#define SEAL_UNSEAL_STICKY	(1U << 0)	/* drop the lasting claim */
#define SEAL_UNSEAL_CLAIM	(1U << 1)	/* drop the lasting claim @claim */
#define SEAL_UNSEAL_ALL		(SEAL_UNSEAL_STICKY | SEAL_UNSEAL_CLAIM)

/**
 * struct seal_unseal - SEAL_IOC_UNSEAL: drop a claim
 * @size: in: size of this structure
 * @fd: in: the file; -1 with CLAIM
 * @flags: in: SEAL_UNSEAL_STICKY or SEAL_UNSEAL_CLAIM (both need
 *         CAP_LINUX_IMMUTABLE), or 0 for the claim of this session
 * @reserved: must be 0
 * @claim: in: with CLAIM the number of a lasting claim (SEAL_A_CLAIM of
 *         <seal_netlink.h>), else 0
 *
 * CLAIM is for files that no path leads to any more: they were unlinked, or
 * another file of the same name has replaced them.
 *
 * Without CLAIM it succeeds if there is no such claim. Other holders keep their
 * claims.
 *
 * Errors of CLAIM: ENOENT (no claim has this number), EBUSY (it is the claim of
 * a session, which ends with its program), EPERM (also if the caller neither
 * owns the file nor has CAP_FOWNER). A kernel that does not know CLAIM returns
 * E2BIG.
 */
struct seal_unseal {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	reserved;
	__u64	claim;
};

/**
 * struct seal_revoke - SEAL_IOC_REVOKE: take a file from all its holders
 * @size: in: size of this structure
 * @fd: in: the file
 * @flags: must be 0
 * @holders: out: number of claims that were dropped, with the lasting one
 *
 * This is the administrator's last resort and needs CAP_LINUX_IMMUTABLE in the
 * initial user namespace. The file is not sealed afterwards, unless somebody
 * seals it again. A session that has lost its claim is told so: its descriptor
 * reports POLLPRI, STATUS says SEAL_STATUS_REVOKED, and its SEAL, PREALLOC,
 * UNSHARE, GRANT, COMMIT and RELEASE of the file fail with EOWNERDEAD, until
 * the session drops the claim by UNSEAL.
 *
 * After EINTR not all claims were dropped; @holders says how many were. After
 * EBUSY none was: a holder was changing the map, by GRANT or COMMIT, all the time.
 */
struct seal_revoke {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	holders;
};

/* seal_status.flags */
#define SEAL_STATUS_SEALED	(1U << 0)
#define SEAL_STATUS_HELD	(1U << 1)	/* this session holds a claim */
#define SEAL_STATUS_STICKY	(1U << 2)	/* there is a lasting claim */
#define SEAL_STATUS_REPAIRED	(1U << 3)	/* the inode flag had been lost */
#define SEAL_STATUS_DISARMED	(1U << 4)	/* gates do not work: not protected */
#define SEAL_STATUS_MISSED	(1U << 5)	/* @missed is not 0 */
#define SEAL_STATUS_BROKEN	(1U << 6)	/* the map changed while sealed */
#define SEAL_STATUS_LOG_ONLY	(1U << 7)	/* nothing is refused: not protected */
#define SEAL_STATUS_REVOKED	(1U << 8)	/* REVOKE took its claim */
#define SEAL_STATUS_RECALLED	(1U << 9)	/* a task waits for this session */
/*
 * Since the file was sealed, somebody has written to the switch of all kprobes
 * (kprobes/enabled in debugfs). That switches off no gate, but the last line
 * behind the gates is off or may have been off for a time.
 */
#define SEAL_STATUS_LAPSED	(1U << 10)

/* seal_status.ask */
#define SEAL_ASK_SEAL		(1U << 0)	/* nothing about the map */
#define SEAL_ASK_ALL		(SEAL_ASK_SEAL)

/**
 * struct seal_status - SEAL_IOC_STATUS: the map of a file, and its seal
 * @size: in: size of this structure
 * @fd: in: the file
 * @flags: out: SEAL_STATUS_*
 * @holders: out: sessions that hold it, plus one for a lasting claim
 * @met: out: which of SEAL_REQ_ALLOCATED, WRITTEN and UNSHARED are met
 * @reserved: must be 0
 * @file_size: out: size of the file in bytes
 * @extents: out: number of extents of the map, without holes
 * @written, @unwritten, @shared, @delalloc, @hole: out: bytes per state; each
 *         byte up to EOF (rounded up to a block), and each allocated byte
 *         beyond it, counts once
 * @in_place: out: bytes that can be overwritten without changing the map
 * @digest: out: xxh64 over (offset, address, length, unwritten) of the map;
 *         equal digests of a sealed file mean equal maps
 * @refused: out: operations refused since the file was sealed
 * @missed: out: calls that the kprobes of the last line missed, for all files
 *          of this filesystem type; 0 unless something interfered
 * @dev_major, @dev_minor: out: device that the addresses are relative to
 * @broken: out: number of changes of the map that were seen while it was
 *          sealed, by probes below the gates. If it is not 0, the seal does not
 *          hold: the results about the map, and the in-place ranges, are out of
 *          date. The kernel log and the trace event seal:seal_broken name the
 *          function.
 * @generation: out: a number of this map. It changes, together with @digest,
 *              when a holder changes the map by GRANT or COMMIT; no two seals
 *              have the same number. 0 if not sealed
 * @granted: out: bytes that are granted, to all holders together
 * @first_broken: out: what saw the first of these changes: the name of a
 *                function of the kernel; "size": the size has changed; "seal":
 *                the module itself, for example at the end of SEAL. Empty if
 *                @broken is 0
 * @ask: in: SEAL_ASK_SEAL: leave out what is said about the map, from @file_size
 *       to @digest, and @met: they are 0. Or 0: everything
 * @reserved2: must be 0
 *
 * For a file that is not sealed, the map is read now, and may have changed
 * before the call returns. So is the map of a sealed file, if its writes are
 * redirected (copy-on-write), to say which of its blocks are shared now; if it
 * cannot be read, all that are written count as @shared. With SEAL_ASK_SEAL no map
 * is read.
 *
 * Errors: EINVAL, EOPNOTSUPP (the map cannot be read), EBUSY (it could not be read
 * within limit_ms: a lock of the file was not free, or the kernel takes long to
 * attach or detach gates), EIO, ENOMEM, EINTR.
 */
struct seal_status {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	holders;
	__u32	met;
	__u32	reserved;
	__u64	file_size;
	__u64	extents;
	__u64	written;
	__u64	unwritten;
	__u64	shared;
	__u64	delalloc;
	__u64	hole;
	__u64	in_place;
	__u64	digest;
	__u64	refused;
	__u64	missed;
	__u32	dev_major;
	__u32	dev_minor;
	__u64	broken;
	__u64	generation;
	__u64	granted;
	__u8	first_broken[SEAL_FUNCTION_LEN];
	__u32	ask;
	__u32	reserved2;
};

#define SEAL_PLACES_MAX_EXTENTS	4096

/**
 * struct seal_place - where an extent of a file is
 * @logical: offset in the file, bytes
 * @length: bytes
 * @physical: address on the device, bytes; 0 with SEAL_RANGE_DELALLOC
 * @state: SEAL_RANGE_WRITTEN (shared or not), SEAL_RANGE_UNWRITTEN or
 *         SEAL_RANGE_DELALLOC
 * @reserved: 0
 */
struct seal_place {
	__u64	logical;
	__u64	length;
	__u64	physical;
	__u32	state;
	__u32	reserved;
};

/**
 * struct seal_places - SEAL_IOC_PLACES: the map of a file that is sealed
 * @size: in: size of this structure
 * @fd: in: the file, sealed by this session
 * @flags: must be 0
 * @nr_extents: in: room in @extents, 1 to SEAL_PLACES_MAX_EXTENTS; out: how many
 *              were filled in; fewer than the room: no extent follows
 * @extents: in: user pointer to an array of struct seal_place
 * @offset: in: the first extent is the one at this offset in the file, from there
 *          on, or the next one. To go on, give the end of the last extent
 * @reason: out: a text for people that says why it failed
 *
 * Like FS_IOC_FIEMAP, but does not find out which blocks are shared. On XFS that
 * search takes most of the time of FIEMAP, and it splits extents where sharing
 * begins or ends. Extents are those of the device of FIEMAP. Holes are left out.
 * The map stays the same as long as STATUS says the same @generation and no
 * @broken.
 *
 * Errors: EACCES (not sealed by this session), EOWNERDEAD (the claim of this
 * session was revoked), EINVAL (flags, room), EBUSY (@reason: a lock of the file
 * was not free), EOPNOTSUPP, EPERM, EBADF, EIO, ENOMEM, EINTR. ENOTTY: a kernel
 * that does not know it.
 */
struct seal_places {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	nr_extents;
	__u64	extents;
	__u64	offset;
	__u8	reason[SEAL_REASON_LEN];
};

#define SEAL_GRANT_ALLOCATE	(1U << 0)	/* fill holes with unwritten blocks */
#define SEAL_GRANT_WRITTEN	(1U << 1)	/* written blocks only */
#define SEAL_GRANT_EXTEND	(1U << 2)	/* COMMIT may move EOF up to its end */
#define SEAL_GRANT_TAKEOVER	(1U << 3)	/* from the lasting claim */
#define SEAL_GRANT_ALL		(SEAL_GRANT_ALLOCATE | SEAL_GRANT_WRITTEN | \
				 SEAL_GRANT_EXTEND | SEAL_GRANT_TAKEOVER)

/* The least room for extents that GRANT needs, and the most that it uses. */
#define SEAL_GRANT_MIN_EXTENTS	8
#define SEAL_GRANT_MAX_EXTENTS	1024

/**
 * struct seal_grant_extent - blocks that were granted
 * @logical: offset in the file, bytes
 * @length: bytes
 * @physical: address on the device, bytes
 * @dev_major, @dev_minor: the device
 * @state: SEAL_RANGE_WRITTEN; or SEAL_RANGE_UNWRITTEN: until it is committed,
 *         the extent reads as zeros through the file
 * @reserved: 0
 */
struct seal_grant_extent {
	__u64	logical;
	__u64	length;
	__u64	physical;
	__u32	dev_major;
	__u32	dev_minor;
	__u32	state;
	__u32	reserved;
};

/**
 * struct seal_grant - SEAL_IOC_GRANT: let others write to blocks of a file
 * @size: in: size of this structure
 * @fd: in: the file, sealed by this session, open for writing
 * @flags: in: SEAL_GRANT_*
 * @nr_extents: in: room in @extents, SEAL_GRANT_MIN_EXTENTS to
 *              SEAL_GRANT_MAX_EXTENTS; out: how many were filled in
 * @extents: in: user pointer to an array of struct seal_grant_extent
 * @offset, @length: in: the range; whole blocks and whole pages, not empty
 * @done: out: number of bytes that were granted, from @offset on
 * @bad_offset, @bad_length: out: with EBADFD the range that cannot be granted
 * @bad_state: out: its enum seal_range_state
 * @reserved: must be 0
 * @reason: out: a text for people that says why it failed
 *
 * Until the grant is released, every program to which the holder gives the
 * addresses may write to the granted blocks, through the device. The seal keeps
 * the blocks where they are and part of this file. It cannot keep a program
 * that knows an address from writing there later.
 *
 * One call grants a bounded part of the range; the caller goes on at @offset +
 * @done. A range that the session was granted already can be granted again.
 * Before the call returns, cached data of the range are written back and
 * dropped, also pages to which somebody refers (a mapping, a pipe, memory that
 * is the target of a direct read or of RDMA). Such a page keeps what was in it,
 * but is no page of the file any more: what is stored to it afterwards, by
 * somebody who has pinned it, is lost. A mapping gets a new page at its next
 * access. While any block of the file is granted, no block of it can become
 * shared.
 *
 * Unwritten blocks can be granted if the filesystem can convert them without
 * writing to them (XFS). On other filesystems, and with WRITTEN, every block of
 * the range must be written; SEAL_PREALLOC_WRITTEN before sealing does that.
 * ALLOCATE allocates the holes of the range as unwritten blocks, which changes
 * the sealed map; the new map is on disk when the call returns. EXTEND lets
 * COMMIT move the end of the file. Both need a file that nobody else holds
 * sealed.
 *
 * When a session ends or drops its claim, its grants go to the lasting claim,
 * if there is one; else they are released. TAKEOVER (needs CAP_LINUX_IMMUTABLE)
 * moves grants of the lasting claim in the range to this session.
 *
 * A committed block shows whatever the device has in it. So GRANT needs
 * CAP_SYS_RAWIO, as reading the device would.
 *
 * Errors: EACCES (not sealed by this session), EOWNERDEAD (the claim of this
 * session was revoked), EBUSY (a part is granted to another holder; somebody
 * else holds the file, or changes its map; pages of the range are dirty, or
 * locked, all the time; with unwritten blocks: pages of the file that are larger
 * than the smallest are in use; a lock of the file was not free), EBADFD (@bad_*: a hole,
 * shared blocks, unwritten blocks with WRITTEN), EOPNOTSUPP (@reason), EINVAL
 * (flags, room, a range that is not whole blocks and pages; EXTEND if the file
 * does not end at a whole block and page), EFBIG, ESTALE (the seal was broken),
 * ETXTBSY (a swapfile), EPERM, EBADF, EROFS, ENOSPC, EDQUOT, EIO, ENOMEM,
 * EINTR. After any error nothing new is granted, but holes may have been
 * allocated.
 */
struct seal_grant {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	nr_extents;
	__u64	extents;
	__u64	offset;
	__u64	length;
	__u64	done;
	__u64	bad_offset;
	__u64	bad_length;
	__u32	bad_state;
	__u32	reserved;
	__u8	reason[SEAL_REASON_LEN];
};

#define SEAL_COMMIT_MAX_RANGES	1024

/* A range of COMMIT, in bytes. */
struct seal_commit_range {
	__u64	offset;
	__u64	length;
};

/**
 * struct seal_commit - SEAL_IOC_COMMIT: make written blocks part of the file
 * @size: in: size of this structure
 * @fd: in: the file, sealed by this session, open for writing
 * @flags: in: must be 0
 * @nr_ranges: in: 0 (with @new_size only) to SEAL_COMMIT_MAX_RANGES
 * @ranges: in: user pointer to an array of struct seal_commit_range: whole
 *          blocks and whole pages, in ascending order, not overlapping
 * @new_size: in: the new size of the file in bytes, or 0: it does not change
 * @converted: out: bytes that were unwritten and are written now
 * @generation: out: the new @generation of STATUS
 * @bad_index: out: on failure the index in @ranges, or SEAL_NO_INDEX
 * @reserved: must be 0
 * @reason: out: a text for people that says why it failed
 *
 * The ranges must be granted to this session. The programs that wrote to them
 * must have finished, and must have flushed their own caches. COMMIT makes the
 * unwritten blocks of the ranges written; no block moves, and no data is
 * copied. When it returns, the new map is on disk, with all data that had
 * reached the device; cached data of the ranges were dropped, as by GRANT, so
 * that the file shows what is on the device; and in-place ranges, digest and generation have
 * changed in one step. Committing blocks that are written already is no error:
 * it makes the file show what is on the device. The ranges stay granted.
 *
 * The size can only grow, to a multiple of the block and of the page, within a
 * range that was granted with SEAL_GRANT_EXTEND; the block before the new end
 * must be written by then. Blocks beyond the end cannot be committed.
 *
 * Once a block may have been converted, no signal stops the call.
 *
 * Errors: EACCES (not sealed by this session), EOWNERDEAD (the claim of this
 * session was revoked), ENXIO (not granted to this session), EINVAL (ranges,
 * @new_size, beyond the end of the file), EBUSY (somebody else holds the file
 * and the size is to change, or changes the map; a lock of the file was not
 * free; pages of blocks that were written before are dirty, or locked, all the
 * time), E2BIG (too many extents at once), ESTALE (the seal was broken), EPERM,
 * EBADF, EROFS, EIO, ENOMEM, EINTR. After most errors nothing has changed. If
 * the filesystem fails half-way (EIO, ENOSPC), a part may be committed; if
 * pages are dirty or locked (EBUSY), all of it is committed, but the file may
 * still show old data. Repeat the call in both cases.
 */
struct seal_commit {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	nr_ranges;
	__u64	ranges;
	__u64	new_size;
	__u64	converted;
	__u64	generation;
	__u32	bad_index;
	__u32	reserved;
	__u8	reason[SEAL_REASON_LEN];
};

#define SEAL_RELEASE_STICKY	(1U << 0)	/* grants of the lasting claim */
#define SEAL_RELEASE_ALL	(SEAL_RELEASE_STICKY)

/**
 * struct seal_release - SEAL_IOC_RELEASE: end grants
 * @size: in: size of this structure
 * @fd: in: the file
 * @flags: in: SEAL_RELEASE_STICKY (needs CAP_LINUX_IMMUTABLE) or 0 for the
 *         grants of this session
 * @reserved: must be 0
 * @offset: in: start of the range
 * @length: in: length of the range; 0 means everything from @offset on
 *
 * Blocks that were not committed stay unwritten and read as zeros. Programs
 * that know the addresses must not write there any more. Succeeds if nothing is
 * granted.
 *
 * Errors: EACCES (not sealed by this session; with STICKY: there is no lasting
 * claim), EOWNERDEAD (the claim of this session was revoked), EINVAL (flags, a
 * range that is not whole blocks and pages), EBUSY (a holder was changing the map
 * all the time), EPERM, EBADF, ENOMEM, EINTR.
 */
struct seal_release {
	__u32	size;
	__s32	fd;
	__u32	flags;
	__u32	reserved;
	__u64	offset;
	__u64	length;
};

#define SEAL_IOC_MAGIC		0xd6

#define SEAL_IOC_INFO		_IOWR(SEAL_IOC_MAGIC, 0, struct seal_info)
#define SEAL_IOC_PREALLOC	_IOWR(SEAL_IOC_MAGIC, 1, struct seal_range_op)
#define SEAL_IOC_UNSHARE	_IOWR(SEAL_IOC_MAGIC, 2, struct seal_range_op)
#define SEAL_IOC_SEAL		_IOWR(SEAL_IOC_MAGIC, 3, struct seal_files)
#define SEAL_IOC_UNSEAL		_IOWR(SEAL_IOC_MAGIC, 4, struct seal_unseal)
#define SEAL_IOC_STATUS		_IOWR(SEAL_IOC_MAGIC, 5, struct seal_status)
#define SEAL_IOC_REVOKE		_IOWR(SEAL_IOC_MAGIC, 6, struct seal_revoke)
#define SEAL_IOC_GRANT		_IOWR(SEAL_IOC_MAGIC, 8, struct seal_grant)
#define SEAL_IOC_COMMIT		_IOWR(SEAL_IOC_MAGIC, 9, struct seal_commit)
#define SEAL_IOC_RELEASE	_IOWR(SEAL_IOC_MAGIC, 10, struct seal_release)
#define SEAL_IOC_PLACES		_IOWR(SEAL_IOC_MAGIC, 11, struct seal_places)

#endif /* _UAPI_SEAL_H */
