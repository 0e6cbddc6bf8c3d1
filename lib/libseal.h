/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libseal: seal the block map of files.
 *
 * A thin layer over the ioctls of /dev/seal (<seal.h> documents them). All
 * functions return 0 (or a non-negative value where said) on success and a
 * negative errno value on failure; nothing is printed, errno is not part of
 * the interface. Structures are the caller's; the library keeps no pointer to
 * them. A session may be used by several threads at once, except that
 * seal_close() must come last and seal_set_progress() must not run while
 * another thread is inside seal_prealloc() or seal_unshare().
 */
#ifndef LIBSEAL_H
#define LIBSEAL_H

#include <stddef.h>
#include <stdint.h>

#include <seal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct seal_session;
struct seal_map;

/**
 * seal_open() - open a session with the module
 * @session: where to put the handle
 *
 * Opens the device node close-on-exec and compares ABI versions. Claims made
 * through the session last until seal_unseal(), seal_close() or the end of
 * the process (and of all that inherited the descriptor).
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
 * For poll loops and to hand the session to a child; owned by the session.
 * Claims last until every copy of the descriptor is closed.
 */
int seal_session_fd(const struct seal_session *session);

/**
 * seal_module_abi() - ABI version of the loaded module
 *
 * Works also where seal_open() fails with -EPROTO.
 *
 * Return: the version (>= 1), or a negative errno value as seal_open().
 */
int seal_module_abi(void);

/**
 * typedef seal_progress_fn - progress of a long operation
 * @done: bytes done
 * @total: bytes to do
 * @arg: as given to seal_set_progress()
 *
 * Return: 0 to go on; anything else stops the operation after the current
 * step with -ECANCELED, leaving a consistent file.
 */
typedef int (*seal_progress_fn)(uint64_t done, uint64_t total, void *arg);

/**
 * seal_set_progress() - have a function called between the steps
 * @session: handle
 * @fn: function, or NULL for none
 * @arg: passed through; the caller's, must live as long as @fn is set
 */
void seal_set_progress(struct seal_session *session, seal_progress_fn fn,
		       void *arg);

/**
 * seal_prealloc() - allocate the holes of a range
 * @session: handle
 * @fd: file, open for writing (SEAL_PREALLOC_WRITTEN: read and write)
 * @flags: SEAL_PREALLOC_*
 * @offset: start in bytes
 * @length: length in bytes; 0: up to EOF
 *
 * Works in bounded steps (see struct seal_range_op in <seal.h>). With
 * SEAL_PREALLOC_WRITTEN no block of the range is unwritten afterwards, while
 * contents stay as they are even under concurrent writers.
 *
 * Return: 0; -EINVAL, -EBADF, -EPERM, -EFBIG, -ENOSPC, -EDQUOT, -EIO;
 * -ETXTBSY: sealed or a swapfile; -EOPNOTSUPP: the filesystem has no
 * fallocate; -EINTR; -ECANCELED: the progress function said so.
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
 * Over a whole file it also ends the copy-on-write state that an inode keeps
 * after having been reflinked once. Allocates no hole. Succeeds at once
 * where the filesystem knows no sharing.
 *
 * Return: as seal_prealloc().
 */
int seal_unshare(struct seal_session *session, int fd, uint64_t offset,
		 uint64_t length);

/**
 * seal_files() - seal files as one step, all or none
 * @session: handle, the holder of the claims
 * @fds: descriptors (any access mode but O_PATH)
 * @nr: number of them, 1..SEAL_MAX_FILES
 * @flags: SEAL_SEAL_*
 * @require: SEAL_REQ_* to check
 * @max_extents: limit for SEAL_REQ_EXTENTS, else 0
 * @report: if not NULL, filled on failure: bad_*, reason
 *
 * The frozen maps are on disk when this returns 0.
 *
 * Return: 0; -EBADFD: a requirement is not met; -EOPNOTSUPP: cannot be sealed
 * (@report->reason); -EPERM, -EBUSY, -EINVAL, -EIO, -ENOMEM, -EINTR.
 */
int seal_files(struct seal_session *session, const int *fds, unsigned int nr,
	       uint32_t flags, uint32_t require, uint64_t max_extents,
	       struct seal_files *report);

/**
 * seal_unseal() - drop this session's claim, or the sticky one
 * @session: handle
 * @fd: the file
 * @flags: SEAL_UNSEAL_*
 *
 * Return: 0, also when there is no such claim; -EBADF, -EPERM, -EINVAL.
 */
int seal_unseal(struct seal_session *session, int fd, uint32_t flags);

/**
 * seal_status() - the map of a file and who seals it
 * @session: handle
 * @fd: the file
 * @status: filled in
 *
 * Return: 0; -EBADF, -EPERM, -EOPNOTSUPP (no FIEMAP), -EIO, -ENOMEM, -EINTR.
 */
int seal_status(struct seal_session *session, int fd,
		struct seal_status *status);

/**
 * seal_info() - what the module can do on this kernel
 * @session: handle
 * @info: filled in (@info->fs is not used)
 * @fs: array for the filesystem types, may be NULL if @nr_fs is 0
 * @nr_fs: room in @fs; @info->nr_fs says how many there are
 *
 * Return: 0; -EINVAL, -EFAULT.
 */
int seal_info(struct seal_session *session, struct seal_info *info,
	      struct seal_fs_info *fs, unsigned int nr_fs);

/**
 * struct seal_extent - one extent of a file
 * @logical: offset in the file, bytes
 * @physical: address on the device, bytes; 0 for holes, delalloc and NONE
 * @length: bytes
 * @state: SEAL_RANGE_HOLE, DELALLOC, UNWRITTEN, WRITTEN or SHARED (also of an
 *         extent that is shared and unwritten); SEAL_RANGE_NONE where an
 *         address means nothing: inline, compressed, encrypted, unknown
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
 * Needs no session and no module. Data is flushed first (FIEMAP_FLAG_SYNC).
 * The iterator is not for concurrent use.
 *
 * Return: 0; -ENOMEM; errors of fstat(2).
 */
int seal_map_open(int fd, struct seal_map **map);

/**
 * seal_map_next() - the next extent, holes included
 * @map: iterator
 * @extent: filled in
 *
 * Extents come in ascending order. Holes are reported up to EOF rounded up to
 * the block; allocated blocks beyond EOF follow.
 *
 * Return: 1: @extent is filled in; 0: end; -EOPNOTSUPP, -EIO, -EINTR...: as
 * FS_IOC_FIEMAP.
 */
int seal_map_next(struct seal_map *map, struct seal_extent *extent);

/**
 * seal_map_device() - device the physical addresses are relative to
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
 * seal_range_state_name() - word for an enum seal_range_state
 * @state: state
 *
 * Return: a constant string: "hole", "delalloc", "unwritten", "written",
 * "shared", "copy-on-write" or "unknown".
 */
const char *seal_range_state_name(uint32_t state);

#ifdef __cplusplus
}
#endif

#endif /* LIBSEAL_H */
