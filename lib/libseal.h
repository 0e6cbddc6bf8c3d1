/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libseal: seal the block map of files.
 *
 * This is a thin layer over the ioctls of /dev/seal, which <uapi/seal.h>
 * documents. All functions return 0 (or a non-negative value where said) on
 * success and a negative errno value on failure. Nothing is printed, and errno
 * is not part of the interface.
 *
 * Structures belong to the caller; the library keeps no pointer to them. Later
 * versions append members to them, so a function that fills one in is given the
 * size that the caller was compiled with. In C and C++ an inline function does
 * that; other languages call the function whose name ends in _sized. Entries of
 * arrays do not grow.
 *
 * Threads: several threads may use a session at once, but seal_close() must
 * come last, and seal_set_progress() must not run while another thread is
 * inside seal_prealloc() or seal_unshare(). Map iterators and comparisons may
 * be used by one thread at a time.
 */
#ifndef LIBSEAL_H
#define LIBSEAL_H

#include <stddef.h>
#include <stdint.h>

#include <uapi/seal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct seal_session;
struct seal_map;

/**
 * seal_open() - open a session with the module
 * @session: where to put the handle
 *
 * Opens the device node close-on-exec and compares ABI versions. The claims of
 * the session last until seal_unseal(), seal_close() or the end of the process
 * (and of all processes that inherited the descriptor).
 *
 * Return: 0; -ENOENT or -ENXIO: no such device, the module is not loaded;
 * -EACCES: no permission on the node; -EPROTO: module and library speak
 * different ABI versions (seal_module_abi() tells which side is older);
 * -ENOMEM; other errors of open(2).
 */
int seal_open(struct seal_session **session);

/**
 * seal_close() - end a session and drop all its claims
 * @session: handle, or NULL (nothing happens)
 */
void seal_close(struct seal_session *session);

/**
 * seal_session_fd() - descriptor of the session
 * @session: handle
 *
 * For poll loops, and for giving the session to a child. The session owns the
 * descriptor. POLLPRI means that a claim was revoked or is recalled;
 * seal_status() says of which file. Claims last until every copy of the
 * descriptor is closed.
 *
 * Return: the descriptor.
 */
int seal_session_fd(const struct seal_session *session);

/**
 * seal_module_abi() - ABI version of the loaded module
 *
 * Works even if seal_open() fails with -EPROTO.
 *
 * Return: the version (>= 1), or a negative errno value as seal_open().
 */
int seal_module_abi(void);

/**
 * typedef seal_progress_fn - is told of the progress of a long operation
 * @done: bytes that are finished
 * @total: bytes to do in all
 * @arg: as given to seal_set_progress()
 *
 * Return: 0 to go on; anything else stops the operation after the current
 * step with -ECANCELED, leaving a consistent file.
 */
typedef int (*seal_progress_fn)(uint64_t done, uint64_t total, void *arg);

/**
 * seal_set_progress() - have a function called after each step
 * @session: handle
 * @fn: function, or NULL for none
 * @arg: passed to @fn; belongs to the caller, must exist as long as @fn is set
 */
void seal_set_progress(struct seal_session *session, seal_progress_fn fn,
		       void *arg);

/**
 * seal_prealloc() - allocate the holes of a range
 * @session: handle
 * @fd: file, open for writing (SEAL_PREALLOC_WRITTEN: for reading, too)
 * @flags: SEAL_PREALLOC_*
 * @offset: start in bytes
 * @length: length in bytes; 0: up to EOF
 *
 * Works in bounded steps (see struct seal_range_op in <uapi/seal.h>). With
 * SEAL_PREALLOC_WRITTEN no block of the range is unwritten afterwards, and
 * contents do not change, even if others write meanwhile.
 *
 * Return: 0; -EINVAL, -EBADF, -EPERM, -EFBIG, -ENOSPC, -EDQUOT, -EIO; -EBUSY:
 * others change the file as fast as this works; -ETXTBSY: the file is sealed,
 * or is a swapfile; -EOWNERDEAD: seal_revoke() has taken the file from this
 * session; -EOPNOTSUPP: the filesystem has no fallocate; -EINTR; -ECANCELED:
 * the progress function said so.
 */
int seal_prealloc(struct seal_session *session, int fd, uint32_t flags,
		  uint64_t offset, uint64_t length);

/**
 * seal_unshare() - give a file its own copy of shared blocks
 * @session: handle
 * @fd: file, open for writing
 * @offset: start in bytes
 * @length: length in bytes; 0: up to EOF
 *
 * If the range is the whole file, it also ends the copy-on-write state that an
 * inode keeps after it was reflinked. Allocates no hole. On a filesystem that
 * cannot share blocks it succeeds at once.
 *
 * Return: as seal_prealloc().
 */
int seal_unshare(struct seal_session *session, int fd, uint64_t offset,
		 uint64_t length);

/**
 * seal_files() - seal files as one step, all or none
 * @session: handle, the holder of the claims
 * @fds: descriptors, not opened with O_PATH
 * @nr: number of them, 1..SEAL_MAX_FILES
 * @flags: SEAL_SEAL_*
 * @require: SEAL_REQ_* to check
 * @max_extents: limit for SEAL_REQ_EXTENTS, else 0
 * @report: filled in on failure (bad_*, reason), or NULL
 *
 * The frozen maps are on disk when this returns 0.
 *
 * Return: 0; -EBADFD: a requirement is not met; -EOPNOTSUPP: a file cannot be
 * sealed (@report->reason); -EOWNERDEAD: the claim of this session was revoked,
 * and must be dropped first; -EBUSY: @report->reason says what is in the way;
 * -ESTALE: a seal was broken; -EBADF, -EPERM, -EINVAL, -EIO, -ENOMEM, -EINTR.
 */
int seal_files_sized(struct seal_session *session, const int *fds,
		     unsigned int nr, uint32_t flags, uint32_t require,
		     uint64_t max_extents, struct seal_files *report,
		     size_t size);
static inline int seal_files(struct seal_session *session, const int *fds,
			     unsigned int nr, uint32_t flags, uint32_t require,
			     uint64_t max_extents, struct seal_files *report)
{
	return seal_files_sized(session, fds, nr, flags, require, max_extents,
				report, sizeof(*report));
}

/**
 * seal_files_recall() - seal files, and be asked before their maps are changed
 * @session: handle
 * @fds: descriptors
 * @nr: number of them
 * @flags: SEAL_SEAL_RECALL, and others of seal_files() except SEAL_SEAL_STICKY
 * @require: SEAL_REQ_* to check
 * @max_extents: limit for SEAL_REQ_EXTENTS, else 0
 * @recall_ms: how long the holder needs, 1..SEAL_RECALL_MAX_MS milliseconds
 * @report: filled in on failure, or NULL
 *
 * When the descriptor of the session reports POLLPRI, find the file for which
 * seal_status() says SEAL_STATUS_RECALLED, finish, and call seal_unseal(). The
 * program that wants to change the file waits for that. struct seal_files in
 * <uapi/seal.h> says which operations wait.
 *
 * Return: as seal_files().
 */
int seal_files_recall_sized(struct seal_session *session, const int *fds,
			    unsigned int nr, uint32_t flags, uint32_t require,
			    uint64_t max_extents, uint32_t recall_ms,
			    struct seal_files *report, size_t size);
static inline int seal_files_recall(struct seal_session *session,
				    const int *fds, unsigned int nr,
				    uint32_t flags, uint32_t require,
				    uint64_t max_extents, uint32_t recall_ms,
				    struct seal_files *report)
{
	return seal_files_recall_sized(session, fds, nr, flags, require,
				       max_extents, recall_ms, report,
				       sizeof(*report));
}

/**
 * seal_unseal() - drop this session's claim, or the lasting one
 * @session: handle
 * @fd: the file
 * @flags: SEAL_UNSEAL_*
 *
 * Return: 0, also when there is no such claim; -EBADF, -EPERM, -EINVAL.
 */
int seal_unseal(struct seal_session *session, int fd, uint32_t flags);

/**
 * seal_unseal_claim() - drop a lasting claim by its number
 * @session: handle
 * @claim: its number, from seal_list_next() of libseal-events
 *
 * For files that no path leads to any more.
 *
 * Return: 0; -ENOENT: no claim has this number; -EBUSY: it belongs to a
 * session; -E2BIG, -EINVAL: the module is too old; -EPERM: the caller lacks
 * CAP_LINUX_IMMUTABLE, or neither owns the file nor has CAP_FOWNER.
 */
int seal_unseal_claim(struct seal_session *session, uint64_t claim);

/**
 * seal_revoke() - take a file from all its holders
 * @session: handle
 * @fd: the file
 * @holders: gets the number of claims that were dropped, or NULL
 *
 * The holders are told: see struct seal_revoke in <uapi/seal.h>.
 *
 * Return: 0; -EPERM: the caller lacks CAP_LINUX_IMMUTABLE, or neither owns the
 * file nor has CAP_FOWNER; -EINTR: not all claims were dropped; -EBUSY: none was,
 * because a holder was changing the map all the time (the parameter limit_ms of the
 * module); -ENOTTY: the module is too old; -EBADF, -ENOMEM.
 */
int seal_revoke(struct seal_session *session, int fd, unsigned int *holders);

/**
 * seal_status() - the map of a file, and its seal
 * @session: handle
 * @fd: the file
 * @status: filled in
 *
 * Return: 0; -EBADF, -EPERM, -EOPNOTSUPP (the map cannot be read), -EBUSY (it
 * could not be read in time), -EIO, -ENOMEM, -EINTR.
 */
int seal_status_sized(struct seal_session *session, int fd,
		      struct seal_status *status, size_t size);
static inline int seal_status(struct seal_session *session, int fd,
			      struct seal_status *status)
{
	return seal_status_sized(session, fd, status, sizeof(*status));
}

/**
 * seal_grant() - let others write to blocks of a sealed file
 * @session: handle, a holder of the file
 * @fd: file, open for writing
 * @flags: SEAL_GRANT_*
 * @offset: start in bytes; whole blocks and whole pages
 * @length: length in bytes; whole blocks and whole pages
 * @extents: array that is filled in
 * @room: its length in entries, at least SEAL_GRANT_MIN_EXTENTS; entries beyond
 *        SEAL_GRANT_MAX_EXTENTS are not used
 * @result: filled in (done, on failure bad_*, reason), or NULL
 *
 * One bounded step: @result->done bytes from @offset on were granted; go on
 * behind them until the range is finished. The grant lasts until
 * seal_release(), seal_unseal() or the end of the session; in the last two
 * cases the lasting claim of the file takes it over, if there is one. See
 * struct seal_grant in <uapi/seal.h> for what may be written where, and what a
 * seal cannot prevent.
 *
 * Return: the number of extents; -EACCES: not sealed by @session; -EOWNERDEAD:
 * its claim was revoked; -EBUSY: granted to another holder, or somebody else
 * holds the file; -EBADFD: a part cannot be granted (@result->bad_*);
 * -EOPNOTSUPP: the filesystem cannot convert blocks it did not write; -EPERM:
 * the caller lacks CAP_SYS_RAWIO, or neither owns the file nor has CAP_FOWNER;
 * -EINVAL, -EBADF, -EFBIG, -EROFS, -ETXTBSY, -ENOSPC, -EDQUOT, -ESTALE, -EIO,
 * -ENOMEM, -EINTR: see struct seal_grant.
 */
int seal_grant_sized(struct seal_session *session, int fd, uint32_t flags,
		     uint64_t offset, uint64_t length,
		     struct seal_grant_extent *extents, unsigned int room,
		     struct seal_grant *result, size_t size);
static inline int seal_grant(struct seal_session *session, int fd,
			     uint32_t flags, uint64_t offset, uint64_t length,
			     struct seal_grant_extent *extents,
			     unsigned int room, struct seal_grant *result)
{
	return seal_grant_sized(session, fd, flags, offset, length, extents,
				room, result, sizeof(*result));
}

/**
 * seal_commit() - make blocks that others have written part of the file
 * @session: handle, to which the ranges were granted
 * @fd: file, open for writing
 * @ranges: ascending, not overlapping; whole blocks and whole pages
 * @nr: number of them, up to SEAL_COMMIT_MAX_RANGES
 * @new_size: new size of the file in bytes, or 0: it does not change
 * @result: filled in (converted, generation, on failure bad_index, reason), or
 *          NULL
 *
 * When it returns 0, the new map is on disk. Can be repeated. The ranges stay
 * granted.
 *
 * Return: 0; -ENXIO: not granted to @session; -EACCES, -EOWNERDEAD, -EBUSY,
 * -EINVAL, -EPERM, -EBADF, -EROFS, -E2BIG, -ESTALE, -EIO, -ENOMEM, -EINTR: see
 * struct seal_commit.
 */
int seal_commit_sized(struct seal_session *session, int fd,
		      const struct seal_commit_range *ranges, unsigned int nr,
		      uint64_t new_size, struct seal_commit *result,
		      size_t size);
static inline int seal_commit(struct seal_session *session, int fd,
			      const struct seal_commit_range *ranges,
			      unsigned int nr, uint64_t new_size,
			      struct seal_commit *result)
{
	return seal_commit_sized(session, fd, ranges, nr, new_size, result,
				 sizeof(*result));
}

/**
 * seal_release() - end grants
 * @session: handle
 * @fd: file
 * @flags: SEAL_RELEASE_*
 * @offset: start in bytes; whole blocks and whole pages
 * @length: length in bytes, or 0: everything from @offset on
 *
 * Blocks that were not committed stay unwritten. First make sure that the
 * programs that know the addresses do not write there any more.
 *
 * Return: 0, also if nothing was granted; -EACCES, -EOWNERDEAD, -EINVAL,
 * -EPERM,
 * -EBADF, -ENOMEM, -EINTR: see struct seal_release.
 */
int seal_release(struct seal_session *session, int fd, uint32_t flags,
		 uint64_t offset, uint64_t length);

/**
 * seal_info() - what the module can do on this kernel
 * @session: handle
 * @info: filled in (@info->fs is not used)
 * @fs: array for the filesystem types, may be NULL if @nr_fs is 0
 * @nr_fs: room in @fs, in entries; @info->nr_fs says how many types there are
 *
 * Return: 0; -EINVAL, -EFAULT, -ENOMEM, -EINTR.
 */
int seal_info_sized(struct seal_session *session, struct seal_info *info,
		    struct seal_fs_info *fs, unsigned int nr_fs, size_t size);
static inline int seal_info(struct seal_session *session,
			    struct seal_info *info, struct seal_fs_info *fs,
			    unsigned int nr_fs)
{
	return seal_info_sized(session, info, fs, nr_fs, sizeof(*info));
}

/**
 * struct seal_extent - one extent of a file
 * @logical: offset in the file, bytes
 * @physical: address on the device, bytes; 0 for holes, delalloc and NONE
 * @length: bytes
 * @state: SEAL_RANGE_HOLE, DELALLOC, UNWRITTEN, WRITTEN or SHARED (also if the
 *         extent is shared and unwritten); SEAL_RANGE_NONE if the address means
 *         nothing: inline, compressed, encrypted, unknown
 * @flags: FIEMAP_EXTENT_* as the filesystem reported them; 0 for holes
 */
struct seal_extent {
	uint64_t logical;
	uint64_t physical;
	uint64_t length;
	uint32_t state;
	uint32_t flags;
};

/**
 * seal_map_open() - iterate over the extents of a file
 * @fd: file, open for reading or writing; the caller keeps it open
 * @map: where to put the iterator
 *
 * Needs no session and no module. Data is written back first
 * (FIEMAP_FLAG_SYNC).
 *
 * Return: 0; -ENOMEM; errors of fstat(2).
 */
int seal_map_open(int fd, struct seal_map **map);

/**
 * seal_map_next() - the next extent, holes included
 * @map: iterator
 * @extent: filled in
 *
 * Extents come in ascending order. Holes are reported up to EOF, rounded up to
 * a block; allocated blocks beyond EOF follow.
 *
 * Return: 1: @extent is filled in; 0: there is no other extent; errors of
 * FS_IOC_FIEMAP: -EOPNOTSUPP, -EIO, -EINTR, ...
 */
int seal_map_next_sized(struct seal_map *map, struct seal_extent *extent,
			size_t size);
static inline int seal_map_next(struct seal_map *map,
				struct seal_extent *extent)
{
	return seal_map_next_sized(map, extent, sizeof(*extent));
}

/**
 * seal_map_digest() - digest of the map that was iterated over
 * @map: iterator whose seal_map_next() has returned 0
 * @digest: filled in
 *
 * It is computed like the digest of struct seal_status. If both are equal while
 * the file is sealed, the map that was iterated over is the sealed one. A
 * stored map can be checked in this way even if the module is not loaded.
 *
 * Return: 0; -EBUSY: the iteration has not ended; -EOPNOTSUPP: an extent has
 * no plain address.
 */
int seal_map_digest(struct seal_map *map, uint64_t *digest);

/**
 * seal_map_device() - the device that the physical addresses are relative to
 * @map: iterator
 * @major: major number
 * @minor: minor number
 * @name: buffer for the path of the device node, or NULL
 * @size: its size in bytes
 *
 * @name becomes "/dev/..." or "" if the number has no block device.
 *
 * Return: 0.
 */
int seal_map_device(const struct seal_map *map, unsigned int *major,
		    unsigned int *minor, char *name, size_t size);

/**
 * seal_map_close() - free an iterator
 * @map: iterator, or NULL
 */
void seal_map_close(struct seal_map *map);

/**
 * seal_range_state_name() - the word for an enum seal_range_state
 * @state: state
 *
 * Return: a constant string: "hole", "delalloc", "unwritten", "written",
 * "shared", "copy-on-write" or "unknown".
 */
const char *seal_range_state_name(uint32_t state);

/**
 * struct seal_identity - identifies the file that a map belongs to
 * @uuid: of the filesystem
 * @inode: number of the inode
 * @size: of the file, bytes
 * @generation: differs between inodes that had the same number in turn
 * @block_size: of the filesystem, bytes
 * @dev_major, @dev_minor: device; another boot may change these numbers
 */
struct seal_identity {
	uint8_t uuid[16];
	uint64_t inode;
	uint64_t size;
	uint32_t generation;
	uint32_t block_size;
	uint32_t dev_major;
	uint32_t dev_minor;
};

/**
 * seal_identity() - identify a file, also across reboots
 * @fd: file
 * @identity: filled in
 *
 * Needs no session and no module.
 *
 * Return: 0; -EOPNOTSUPP: its filesystem has no UUID or no generation; errors
 * of fstat(2).
 */
int seal_identity_sized(int fd, struct seal_identity *identity, size_t size);
static inline int seal_identity(int fd, struct seal_identity *identity)
{
	return seal_identity_sized(fd, identity, sizeof(*identity));
}

struct seal_read;

/**
 * seal_read_open() - seal files only to read them, without hurting a writer
 * @fds: descriptors
 * @nr: number of them, 1..SEAL_MAX_FILES
 * @reading: where to put the handle
 * @report: as for seal_files(), may be NULL
 *
 * Seals the files as one step, in a session that belongs to the handle. A file
 * that is open or mapped for writing is refused, unless all of it is in place,
 * so that no write to existing blocks fails. If a program opens one of the
 * other files for writing later, or truncates it, that call waits until the
 * seals have been dropped, which happens at once. Afterwards the program finds
 * the file as if nobody had read it. Only open(2) with O_NONBLOCK fails
 * (EWOULDBLOCK, once).
 *
 * The library does this with read leases (fcntl(2), F_SETLEASE) on file
 * descriptions of its own, and a thread that has all signals blocked. So the
 * caller must own the files or have CAP_LEASE. If the process is stopped for
 * longer than /proc/sys/fs/lease-break-time, a writer can meet the seals.
 *
 * Return: 0; -ETXTBSY: a file is open for writing, or the library cannot find
 * out (@report->bad_index: which file, @report->reason: by whom); -EBUSY: a
 * program opened one meanwhile; -EINVAL, -ENOMEM; errors of seal_open() and of
 * seal_files().
 */
int seal_read_open_sized(const int *fds, unsigned int nr,
			 struct seal_read **reading, struct seal_files *report,
			 size_t size);
static inline int seal_read_open(const int *fds, unsigned int nr,
				 struct seal_read **reading,
				 struct seal_files *report)
{
	return seal_read_open_sized(fds, nr, reading, report, sizeof(*report));
}

/**
 * seal_read_check() - are the files still sealed
 * @reading: handle
 *
 * If this returns 0, everything that was read before belongs to one instant.
 * May be called by any thread.
 *
 * Return: 0; -EBUSY: no, a program wanted to write to one of them.
 */
int seal_read_check(struct seal_read *reading);

/**
 * seal_read_session() - the session that holds the seals
 * @reading: handle
 *
 * For seal_status().
 *
 * Return: the session, which belongs to the handle.
 */
struct seal_session *seal_read_session(const struct seal_read *reading);

/**
 * seal_read_close() - drop the seals and free the handle
 * @reading: handle, or NULL
 */
void seal_read_close(struct seal_read *reading);

/* What a difference between two files means for their contents. */
enum seal_diff_kind {
	SEAL_DIFF_DATA		= 1,	/* NEW has data here that may differ */
	SEAL_DIFF_ZERO		= 2,	/* NEW reads as zeros, OLD has data */
	SEAL_DIFF_LAYOUT	= 3,	/* both are zeros, the maps differ */
	SEAL_DIFF_GONE		= 4,	/* beyond the end of NEW */
};

/* Why a range counts as different. */
enum seal_diff_reason {
	SEAL_DIFF_ADDRESS	= 1,	/* other blocks */
	SEAL_DIFF_STATE		= 2,	/* not both hole, unwritten or data */
	SEAL_DIFF_SIZE		= 3,	/* only one of the files is that long */
	SEAL_DIFF_NO_ADDRESS	= 4,	/* there is no address to compare */
	SEAL_DIFF_FILESYSTEM	= 5,	/* on different filesystems */
};

/**
 * struct seal_diff_range - a range in which two maps differ
 * @offset: start in both files, bytes
 * @length: bytes
 * @old_physical: address of OLD's blocks, bytes; 0 if there are none
 * @new_physical: address of NEW's blocks, bytes; 0 if there are none
 * @old_state: SEAL_RANGE_* of OLD, SEAL_RANGE_NONE beyond its end
 * @new_state: SEAL_RANGE_* of NEW, SEAL_RANGE_NONE beyond its end
 * @kind: enum seal_diff_kind
 * @reason: enum seal_diff_reason
 *
 * Within a range the blocks of each file are contiguous. Ranges begin and end
 * at blocks, except at the ends of the files.
 */
struct seal_diff_range {
	uint64_t offset;
	uint64_t length;
	uint64_t old_physical;
	uint64_t new_physical;
	uint32_t old_state;
	uint32_t new_state;
	uint32_t kind;
	uint32_t reason;
};

struct seal_diff;

/**
 * seal_diff_open() - seal two files and compare their maps
 * @old_fd: the file to compare with, or -1: an empty file
 * @new_fd: file
 * @diff: where to put the handle
 * @report: as for seal_files() (index 0 is NEW, 1 is OLD), may be NULL
 *
 * Both files are sealed as one step, by seal_read_open(), until
 * seal_diff_close(). Meanwhile equal blocks stay equal, because blocks that the
 * two files share cannot be written. The caller keeps the descriptors open.
 *
 * Return: 0; -ENOMEM; errors of seal_read_open().
 */
int seal_diff_open_sized(int old_fd, int new_fd, struct seal_diff **diff,
			 struct seal_files *report, size_t size);
static inline int seal_diff_open(int old_fd, int new_fd,
				 struct seal_diff **diff,
				 struct seal_files *report)
{
	return seal_diff_open_sized(old_fd, new_fd, diff, report,
				    sizeof(*report));
}

/**
 * seal_diff_next() - the next range that differs
 * @diff: handle
 * @range: filled in
 *
 * Two blocks are equal if they are the same block of the device, or if both
 * files have a hole there. Blocks without an address to compare count as
 * different. Every byte in which the contents differ is in a range of kind
 * DATA, ZERO or GONE. The memory that is needed does not depend on the number
 * of extents.
 *
 * Return: 1: @range is filled in; 0: there is no other range, and the seals
 * held all the time; -ESTALE: they did not, and the reported ranges mean
 * nothing;
 * -EBUSY: a program wanted to write to a file, and they mean nothing either;
 * errors of seal_map_next().
 */
int seal_diff_next_sized(struct seal_diff *diff, struct seal_diff_range *range,
			 size_t size);
static inline int seal_diff_next(struct seal_diff *diff,
				 struct seal_diff_range *range)
{
	return seal_diff_next_sized(diff, range, sizeof(*range));
}

/**
 * seal_diff_seek() - go on at another place
 * @diff: handle
 * @offset: bytes
 *
 * What lies before @offset is left out of the ranges that follow; one that it lies
 * in begins there. So a comparison that was interrupted can be continued: at the
 * end of the last range that was reported.
 *
 * Return: 0; -EINVAL: larger than any file; -ENOMEM.
 */
int seal_diff_seek(struct seal_diff *diff, uint64_t offset);

/**
 * seal_diff_rewind() - begin again
 * @diff: handle
 *
 * Return: 0; errors of seal_map_open().
 */
int seal_diff_rewind(struct seal_diff *diff);

/**
 * seal_diff_check() - are both files still sealed
 * @diff: handle
 *
 * Return: 0: yes, and they were sealed all the time; -ESTALE: no; -EBUSY: no, a
 * program wanted to write to one of them; errors of seal_status().
 */
int seal_diff_check(struct seal_diff *diff);

/**
 * seal_diff_sizes() - sizes of the files, which the seals freeze, too
 * @diff: handle
 * @old_size: filled in, bytes; 0 without OLD
 * @new_size: filled in, bytes
 */
void seal_diff_sizes(const struct seal_diff *diff, uint64_t *old_size,
		     uint64_t *new_size);

/**
 * seal_diff_session() - the session that holds both seals
 * @diff: handle
 *
 * For seal_status().
 *
 * Return: the session, which belongs to the handle.
 */
struct seal_session *seal_diff_session(const struct seal_diff *diff);

/**
 * seal_diff_reading() - the handle that holds both seals
 * @diff: handle
 *
 * For seal_read_check(), which costs nothing.
 *
 * Return: the handle, which belongs to @diff.
 */
struct seal_read *seal_diff_reading(const struct seal_diff *diff);

/**
 * seal_diff_close() - end the comparison and drop both seals
 * @diff: handle, or NULL
 */
void seal_diff_close(struct seal_diff *diff);

/**
 * seal_diff_kind_name() - the word for an enum seal_diff_kind
 * @kind: kind
 *
 * Return: a constant string: "data", "zero", "layout", "gone" or "unknown".
 */
const char *seal_diff_kind_name(uint32_t kind);

/**
 * seal_diff_reason_name() - a text for an enum seal_diff_reason
 * @reason: reason
 *
 * Return: a constant string.
 */
const char *seal_diff_reason_name(uint32_t reason);

/* Granularities of bitmaps, powers of two. */
#define SEAL_BITMAP_MIN_GRANULARITY	512U
#define SEAL_BITMAP_MAX_GRANULARITY	(64U << 20)
#define SEAL_BITMAP_GRANULARITY		(64U << 10)	/* unless another is given */

struct seal_bitmap;

/**
 * struct seal_bitmap_info - what a bitmap is of
 * @size: of the virtual disk: @new_size rounded up to 512 bytes
 * @old_size, @new_size: of the files
 * @granules: bits of the bitmap
 * @dirty_granules: of those, how many are set
 * @dirty_bytes: how many bytes may differ, before they were rounded to granules
 * @same_bytes: how many bytes of NEW are in the blocks of OLD; if none is, the two
 *              are hardly one file at two times
 * @held_ns: how long the files were sealed, including how long that took
 * @granularity: bytes per granule
 * @reserved: 0
 */
struct seal_bitmap_info {
	uint64_t size;
	uint64_t old_size;
	uint64_t new_size;
	uint64_t granules;
	uint64_t dirty_granules;
	uint64_t dirty_bytes;
	uint64_t same_bytes;
	uint64_t held_ns;
	uint32_t granularity;
	uint32_t reserved;
};

/**
 * seal_bitmap_open() - a bitmap of where two files may differ
 * @old_fd: what to compare with, or -1: an empty file
 * @new_fd: file
 * @granularity: bytes per bit, or 0: SEAL_BITMAP_GRANULARITY
 * @bitmap: where to put the handle
 * @report: as for seal_diff_open(), may be NULL
 *
 * Both are sealed as one step, their maps are compared, and they are unsealed
 * before this returns; no contents are read. A bit is set if a byte of its granule
 * may differ: what seal_diff_next() reports as DATA or ZERO. NEW must not be open
 * for writing, also if all of it is in place: it would be another file by the time
 * it is read.
 *
 * The bitmap takes at most a bit of memory per granule; parts that are all clean or
 * all dirty take none.
 *
 * Return: 0; -EINVAL: @granularity; -ENODATA: NEW is empty; -EFBIG: the bitmap would
 * be larger than 512 MiB, give a coarser granularity; -ESTALE, -EBUSY: as
 * seal_diff_next(); errors of seal_diff_open().
 */
int seal_bitmap_open_sized(int old_fd, int new_fd, uint32_t granularity,
			   struct seal_bitmap **bitmap,
			   struct seal_files *report, size_t size);
static inline int seal_bitmap_open(int old_fd, int new_fd, uint32_t granularity,
				   struct seal_bitmap **bitmap,
				   struct seal_files *report)
{
	return seal_bitmap_open_sized(old_fd, new_fd, granularity, bitmap,
				      report, sizeof(*report));
}

/**
 * seal_bitmap_info() - what a bitmap is of
 * @bitmap: handle
 * @info: filled in
 */
void seal_bitmap_info_sized(const struct seal_bitmap *bitmap,
			    struct seal_bitmap_info *info, size_t size);
static inline void seal_bitmap_info(const struct seal_bitmap *bitmap,
				    struct seal_bitmap_info *info)
{
	seal_bitmap_info_sized(bitmap, info, sizeof(*info));
}

/**
 * seal_bitmap_next() - the next range of dirty granules
 * @bitmap: handle
 * @from: where to begin looking, bytes
 * @offset: filled in, @from or behind it
 * @length: filled in; ends at a granule or at the end of the disk
 *
 * Return: 1: filled in; 0: there is none.
 */
int seal_bitmap_next(const struct seal_bitmap *bitmap, uint64_t from,
		     uint64_t *offset, uint64_t *length);

/**
 * seal_bitmap_write() - write it as a qcow2 file over NEW
 * @bitmap: handle
 * @fd: an empty file, open for writing
 * @name: of the bitmap, 1 to 1023 bytes
 * @data_file: absolute path of NEW, up to 4095 bytes, stored in the file
 *
 * The file has version 3, NEW as its external raw data file, and one persistent,
 * disabled bitmap. It is not flushed. NEW is neither read nor written.
 *
 * Return: 0; -EINVAL: @name; -ENAMETOOLONG: @data_file; -EFBIG: no qcow2 file can
 * be that large; -ENOMEM; errors of pwrite(2).
 */
int seal_bitmap_write(const struct seal_bitmap *bitmap, int fd,
		      const char *name, const char *data_file);

/**
 * seal_bitmap_close() - free a bitmap
 * @bitmap: handle, or NULL
 */
void seal_bitmap_close(struct seal_bitmap *bitmap);

#ifdef __cplusplus
}
#endif

#endif /* LIBSEAL_H */
