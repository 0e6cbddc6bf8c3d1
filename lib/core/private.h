/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the parts of libseal.
 */
#ifndef LIBSEAL_PRIVATE_H
#define LIBSEAL_PRIVATE_H

#include <string.h>

#include <libseal.h>

/* Marks public functions; all others have hidden visibility. */
#define SEAL_EXPORT __attribute__((visibility("default")))

/* Fill in a structure of the caller, which may be shorter or longer. */
static inline void seal_give(void *to, size_t size, const void *from,
			     size_t have)
{
	memcpy(to, from, size < have ? size : have);
	if (size > have)
		memset((char *)to + have, 0, size - have);
}

struct seal_session {
	int fd;
	seal_progress_fn progress;
	void *progress_arg;
};

/* These return a negative errno value on failure. */
int seal_ioctl(int fd, unsigned long command, void *argument);
int seal_device_open(void);
int seal_device_abi(int fd);

/* The state of a seal, without the map: as seal_status(), but always fast. */
int seal_ask_status(struct seal_session *session, int fd,
		    struct seal_status *status);

/* 0, or -ETXTBSY and the reason: it may be written to while it is read. */
int read_only(const struct seal_read *reading, unsigned int index, int fd,
	      struct seal_files *report);

/* The SEAL_RANGE_* state of an extent with these FIEMAP_EXTENT_* flags. */
uint32_t seal_extent_state(uint32_t flags);

#endif /* LIBSEAL_PRIVATE_H */
