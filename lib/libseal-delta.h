/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libseal-delta: send what differs between two files, by their block maps.
 *
 * Kept apart from libseal because it needs more (zstd). What is true of
 * libseal's functions is true of these: 0 or a negative errno value, nothing
 * is printed, the structures are the caller's. The format of a delta, and what
 * its checks can tell, is described in docs/DELTA.md.
 */
#ifndef LIBSEAL_DELTA_H
#define LIBSEAL_DELTA_H

#include <libseal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the format. Others are refused (-EPROTONOSUPPORT). */
#define SEAL_DELTA_VERSION	2
#define SEAL_DELTA_ID_LEN	16
#define SEAL_DELTA_TOKEN_LEN	96
#define SEAL_DELTA_MESSAGE_LEN	256

/* seal_delta.flags for seal_delta_send() */
#define SEAL_DELTA_COMPRESS	0x1	/* with zstd */
#define SEAL_DELTA_CHECK_RANGES	0x2	/* hash what is replaced */
#define SEAL_DELTA_CHECK_ALL	0x4	/* hash both files, whole */
/* seal_delta.flags for seal_delta_receive() */
#define SEAL_DELTA_IN_PLACE	0x8	/* do not replace the file */

/**
 * struct seal_delta - one transfer
 * @flags: in: SEAL_DELTA_*
 * @level: in: zstd's compression level, 0 for its default
 * @progress: in: called in every loop (bytes of changed data done and to do), or
 *            NULL; stops the transfer like any seal_progress_fn
 * @progress_arg: in: passed to it
 * @resume: in: what seal_delta_where() told at the receiver, or NULL: send it
 *          from the beginning
 * @max_size: in: the largest size a file may get, 0: that of its filesystem, or
 *            the one it has if that is larger
 * @total: out: bytes of changed data in all
 * @read: out: bytes read from OLD and NEW, or from the file to be updated
 * @data: out: bytes of changed data
 * @zero: out: bytes that became zeros
 * @skipped: out: bytes of the new size that were neither
 * @stream: out: bytes of the delta
 * @resumed: out: bytes of changed data that an earlier attempt had received; of
 *           the sender: the offset that @resume named
 * @base_id, @new_id: out: identities of the contents before and after
 * @message: out: on failure the reason, for people; on success a warning or "".
 *           Names in it are as they are: escape them before they are printed
 *
 * Set all of it to 0 before the members marked in are set: later versions append
 * members.
 */
struct seal_delta {
	uint32_t flags;
	int level;
	seal_progress_fn progress;
	void *progress_arg;
	const char *resume;
	uint64_t max_size;
	uint64_t total;
	uint64_t read;
	uint64_t data;
	uint64_t zero;
	uint64_t skipped;
	uint64_t stream;
	uint64_t resumed;
	uint8_t base_id[SEAL_DELTA_ID_LEN];
	uint8_t new_id[SEAL_DELTA_ID_LEN];
	char message[SEAL_DELTA_MESSAGE_LEN];
};

/**
 * seal_delta_send() - write the delta from OLD to NEW
 * @delta: in and out
 * @old_fd: the base, or -1: send all of NEW
 * @new_fd: file
 * @out_fd: where the delta goes, a pipe will do
 *
 * Both files are sealed meanwhile, as seal_read_open() does it: who writes to
 * them goes first, and the delta is left without an end. Before the first byte
 * is written NEW is marked with an identity (extended attribute user.seal.id),
 * OLD must have one, or SEAL_DELTA_CHECK_ALL be set.
 *
 * Return: 0; -ENODATA: OLD has no identity or was changed; -ETXTBSY: a file is
 * open for writing; -EBUSY: one was written to, or opened for that, meanwhile;
 * -ESTALE: a seal was not kept, or @resume is of other contents; -ECANCELED;
 * errors of seal_diff_open(), read(2), write(2).
 */
#define seal_delta_send(delta, old_fd, new_fd, out_fd) \
	seal_delta_send_sized(delta, sizeof(*(delta)), old_fd, new_fd, out_fd)
int seal_delta_send_sized(struct seal_delta *delta, size_t size, int old_fd,
			  int new_fd, int out_fd);

/**
 * seal_delta_receive() - bring a file from OLD's contents to NEW's
 * @delta: in and out
 * @in_fd: the delta
 * @path: the file; a full delta creates it
 *
 * Needs neither the module nor a filesystem it supports. Without
 * SEAL_DELTA_IN_PLACE a new file is made beside the old one and takes its
 * place at the end, in one step; a file that is sealed is not replaced. With it,
 * the delta is checked as a whole before the file is touched. What was
 * interrupted is continued by receiving the same delta again, or one that goes on
 * where it broke (seal_delta_where()).
 *
 * Return: 0; -EBADMSG: the delta is damaged or cut short; -EPROTONOSUPPORT:
 * its version is not known; -ESTALE: the file is not its base; -EALREADY: the
 * file has its contents already; -EFBIG: larger than @max_size; -EBUSY: another
 * process receives into it, or it is sealed; -ECANCELED; errors of open(2),
 * write(2). Unless an update in place was under way, the file is as it was.
 */
#define seal_delta_receive(delta, in_fd, path) \
	seal_delta_receive_sized(delta, sizeof(*(delta)), in_fd, path)
int seal_delta_receive_sized(struct seal_delta *delta, size_t size, int in_fd,
			     const char *path);

/**
 * seal_delta_where() - how far an interrupted transfer got
 * @path: the file that is received
 * @flags: SEAL_DELTA_IN_PLACE or 0
 * @token: filled in, a string of letters, digits and colons
 *
 * With it as @resume the sender leaves out what has been received.
 *
 * Return: 0; -ENODATA: nothing was interrupted; errors of open(2).
 */
int seal_delta_where(const char *path, uint32_t flags,
		     char token[SEAL_DELTA_TOKEN_LEN]);

/**
 * struct seal_delta_header - what a delta says of itself
 * @version: of the format
 * @flags: 1: it has a base, 2: whole hashes are given
 * @old_size, @new_size: sizes of the files, bytes
 * @data: bytes of changed data
 * @start: what comes before this offset was sent earlier
 * @mtime_sec, @mtime_nsec: modification time of the new contents
 */
struct seal_delta_header {
	uint32_t version;
	uint32_t flags;
	uint64_t old_size;
	uint64_t new_size;
	uint64_t data;
	uint64_t start;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t reserved;
};

/**
 * struct seal_delta_record - a range that a delta changes
 * @kind: SEAL_DIFF_DATA or SEAL_DIFF_ZERO
 * @flags: 1: compressed, 2: what it replaces was hashed
 * @offset, @length: the range, bytes
 * @stored: bytes of data in the delta
 */
struct seal_delta_record {
	uint32_t kind;
	uint32_t flags;
	uint64_t offset;
	uint64_t length;
	uint64_t stored;
};

/* Called for each record; anything but 0 ends it (-ECANCELED). */
typedef int (*seal_delta_record_fn)(const struct seal_delta_record *record,
				    void *arg);

/**
 * seal_delta_dump() - look at a delta, and check all of it
 * @delta: in: progress; out: data, zero, stream, identities, message
 * @in_fd: the delta
 * @header: filled in before @fn is called for the first time
 * @fn: called for each record, or NULL
 * @arg: passed to it
 *
 * Return: 0; as seal_delta_receive().
 */
#define seal_delta_dump(delta, in_fd, header, fn, arg) \
	seal_delta_dump_sized(delta, sizeof(*(delta)), in_fd, header, \
			      sizeof(*(header)), fn, arg)
int seal_delta_dump_sized(struct seal_delta *delta, size_t size, int in_fd,
			  struct seal_delta_header *header, size_t header_size,
			  seal_delta_record_fn fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif /* LIBSEAL_DELTA_H */
