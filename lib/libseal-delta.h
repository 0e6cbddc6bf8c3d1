/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libseal-delta: send what differs between two files, by their block maps.
 *
 * It is a library of its own because it needs zstd. Like those of libseal, its
 * functions return 0 or a negative errno value and print nothing, and
 * structures belong to the caller. docs/DELTA.md describes the format of a
 * delta, and what its checks find.
 *
 * Threads: a function keeps no state between calls. Calls with different
 * structures are independent.
 */
#ifndef LIBSEAL_DELTA_H
#define LIBSEAL_DELTA_H

#include <libseal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the format. Others are refused (-EPROTONOSUPPORT). */
#define SEAL_DELTA_VERSION	2
#define SEAL_DELTA_ID_LEN	16
#define SEAL_DELTA_TOKEN_LEN	96
#define SEAL_DELTA_MESSAGE_LEN	256

/* seal_delta.flags for seal_delta_send() */
#define SEAL_DELTA_COMPRESS	0x1	/* with zstd */
#define SEAL_DELTA_CHECK_RANGES	0x2	/* hash the ranges that change */
#define SEAL_DELTA_CHECK_ALL	0x4	/* hash both files as a whole */
/* seal_delta.flags for seal_delta_receive() */
#define SEAL_DELTA_IN_PLACE	0x8	/* update, do not replace the file */

/**
 * struct seal_delta - one transfer
 * @flags: in: SEAL_DELTA_*
 * @level: in: zstd's compression level, 0 for its default
 * @progress: in: called in every loop, with the bytes of changed data that are
 *            finished and those to do, or NULL; can stop the transfer like any
 *            seal_progress_fn
 * @progress_arg: in: passed to @progress
 * @resume: in: the token of seal_delta_where() from the receiver, or NULL: send
 *          from the beginning
 * @max_size: in: the largest size a file may get, bytes; 0: the size of its
 *            filesystem, or its present size if that is larger
 * @total: out: bytes of changed data in all
 * @read: out: bytes read from OLD and NEW, or from the file to be updated
 * @data: out: bytes of changed data in this transfer
 * @zero: out: bytes that became zeros
 * @skipped: out: bytes of the new size that did not change
 * @stream: out: bytes of the delta
 * @resumed: out: bytes of changed data that an earlier attempt had received;
 *           for the sender: the offset that @resume named
 * @base_id, @new_id: out: identities of the contents before and after
 * @message: out: on failure the reason, for people; on success a warning or "".
 *           File names in it are not escaped: escape it before printing
 *
 * Set the whole structure to 0 before setting the members marked in, because
 * later versions append members.
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
 * @out_fd: where to write the delta; it can be a pipe
 *
 * Both files are sealed meanwhile, by seal_read_open(): if a program wants to
 * write to one of them, it can, and the delta is left without an end. Before
 * the first byte is written, NEW is marked with an identity (extended attribute
 * user.seal.id). OLD must have one, or SEAL_DELTA_CHECK_ALL must be set.
 *
 * Return: 0; -ENODATA: OLD has no identity or was changed since it got it;
 * -ETXTBSY: a file is open for writing; -EBUSY: a file was written to, or
 * opened for writing, meanwhile; -ESTALE: a seal did not hold, or @resume
 * belongs to other contents; -ECANCELED; -EINVAL, -E2BIG: @delta makes no
 * sense; errors of seal_diff_open(), read(2), write(2).
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
 * Needs neither the module nor a filesystem that the module supports. Without
 * SEAL_DELTA_IN_PLACE, a new file is made beside the old one and replaces it at
 * the end, in one step; a sealed file is not replaced. With
 * SEAL_DELTA_IN_PLACE, the whole delta is checked before the file is touched.
 * An interrupted transfer is continued by receiving the same delta again, or a
 * delta that begins where the transfer stopped (seal_delta_where()).
 *
 * Return: 0; -EBADMSG: the delta is damaged or cut short; -EPROTONOSUPPORT: the
 * version of the delta is not known; -ESTALE: the file is not its base, or it was
 * written to after an update in place was interrupted;
 * -EALREADY: the file has the new contents already; -EFBIG: larger than
 * @max_size; -EBUSY: another process receives into the file, it is sealed, or
 * it was written to or replaced meanwhile; -ECANCELED; -EINVAL, -E2BIG: @delta makes no
 * sense; errors of open(2), write(2). After a failure the file has not changed,
 * unless an update in place had begun.
 */
#define seal_delta_receive(delta, in_fd, path) \
	seal_delta_receive_sized(delta, sizeof(*(delta)), in_fd, path)
int seal_delta_receive_sized(struct seal_delta *delta, size_t size, int in_fd,
			     const char *path);

/**
 * seal_delta_where() - how far an interrupted transfer got
 * @path: the file that the transfer was to change
 * @flags: SEAL_DELTA_IN_PLACE or 0
 * @token: filled in, a string of letters, digits and colons
 *
 * A sender that is given the token as @resume leaves out what has been
 * received. Nothing has been if somebody wrote to the file since; a file that
 * receiving would not go on with is not looked at.
 *
 * Return: 0; -ENODATA: nothing was interrupted; errors of open(2).
 */
int seal_delta_where(const char *path, uint32_t flags,
		     char token[SEAL_DELTA_TOKEN_LEN]);

/**
 * struct seal_delta_header - what a delta says about itself
 * @version: of the format
 * @flags: 1: it has a base, 2: it has hashes of both files as a whole
 * @old_size, @new_size: sizes of the files, bytes
 * @data: bytes of changed data
 * @start: changes before this offset, in bytes, were sent earlier
 * @mtime_sec, @mtime_nsec: modification time of the new contents
 * @reserved: 0
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
 * @flags: 1: compressed, 2: it has a hash of what it replaces
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

/* Called for each record; any value but 0 ends the dump (-ECANCELED). */
typedef int (*seal_delta_record_fn)(const struct seal_delta_record *record,
				    void *arg);

/**
 * seal_delta_dump() - look at a delta, and check all of it
 * @delta: in: progress; out: data, zero, stream, identities, message
 * @in_fd: the delta
 * @header: filled in before @fn is called for the first time, as are the
 * identities in @delta
 * @fn: called for each record, or NULL
 * @arg: passed to @fn
 *
 * Return: 0; -EBADMSG, -EPROTONOSUPPORT, -ECANCELED, -ENOMEM, -EINVAL, -E2BIG,
 * errors of read(2): as seal_delta_receive().
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
