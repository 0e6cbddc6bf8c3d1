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

#define SEAL_DELTA_VERSION	1
#define SEAL_DELTA_ID_LEN	16
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
 * @progress: in: called after each piece (bytes of changed data done and to
 *            do), or NULL; stops the transfer like any seal_progress_fn
 * @progress_arg: in: passed to it
 * @read: out: bytes read from OLD and NEW, or from the file to be updated
 * @data: out: bytes of changed data
 * @zero: out: bytes that became zeros
 * @skipped: out: bytes of the new size that were neither
 * @stream: out: bytes of the delta
 * @resumed: out: bytes of changed data that an earlier attempt had received
 * @base_id, @new_id: out: identities of the contents before and after
 * @message: out: on failure the reason, for people; on success a warning or ""
 */
struct seal_delta {
	uint32_t flags;
	int level;
	seal_progress_fn progress;
	void *progress_arg;
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
 * them goes first, and the delta is left without an end. NEW is marked
 * with an identity (extended attribute user.seal.id), OLD must have one, or
 * SEAL_DELTA_CHECK_ALL be set.
 *
 * Return: 0; -ENODATA: OLD has no identity or was changed; -ETXTBSY: a file is
 * open for writing; -EBUSY: one was written to, or opened for that, meanwhile; -ESTALE: a seal was not kept; -ECANCELED; errors of
 * seal_diff_open(), read(2), write(2).
 */
int seal_delta_send(struct seal_delta *delta, int old_fd, int new_fd,
		    int out_fd);

/**
 * seal_delta_receive() - bring a file from OLD's contents to NEW's
 * @delta: in and out
 * @in_fd: the delta
 * @path: the file; a full delta creates it
 *
 * Needs neither the module nor a filesystem it supports. Without
 * SEAL_DELTA_IN_PLACE a new file is made beside the old one and takes its
 * place at the end, in one step. With it, the delta is checked as a whole
 * before the file is touched. What was interrupted is continued by receiving
 * the same delta again.
 *
 * Return: 0; -EBADMSG: the delta is damaged or cut short; -EPROTONOSUPPORT:
 * its version is not known; -ESTALE: the file is not its base; -EALREADY: the
 * file has its contents already; -EBUSY: another process receives into it;
 * -ECANCELED; errors of open(2), write(2). Unless an update in place was under
 * way, the file is as it was.
 */
int seal_delta_receive(struct seal_delta *delta, int in_fd, const char *path);

#ifdef __cplusplus
}
#endif

#endif /* LIBSEAL_DELTA_H */
