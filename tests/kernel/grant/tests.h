/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test cases of tests/kernel/grant share. */
#ifndef GRANT_TESTS_H
#define GRANT_TESTS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libseal.h>

#define UNIT	4096
#define MAX	64		/* extents per call */

/* A file of unwritten blocks, and the end of the file behind them. */
int gr_create_unwritten(const char *name, uint64_t size);

struct seal_session *gr_session(void);
/* Seal it through the library. */
void gr_seal(struct seal_session *session, int fd);

/* The device, past its page cache. */
int gr_device(void);

/* Grant all of it or fail: the number of extents. */
int gr_grant(struct seal_session *session, int fd, uint32_t flags,
	     uint64_t offset, uint64_t length, struct seal_grant_extent *extents);
/* Result of a grant that is expected to fail. */
int gr_do_grant(struct seal_session *session, int fd, uint32_t flags,
		uint64_t offset, uint64_t length, struct seal_grant *result);
int gr_do_commit(struct seal_session *session, int fd, uint64_t offset,
		 uint64_t length);
void gr_commit(struct seal_session *session, int fd, uint64_t offset,
	       uint64_t length);

/* Write through the device, as a client: every byte is @byte. */
void gr_client_write(int device, const struct seal_grant_extent *extents, int nr,
		     uint64_t offset, uint64_t length, unsigned char byte);

/* Is every byte of the file's range @byte, as read(2) shows it? */
bool gr_reads(int fd, uint64_t offset, uint64_t length, unsigned char byte);

/*
 * STATUS tells the map there is: its digest is that of FIEMAP, nothing was
 * broken, and what can be written is what is written.
 */
void gr_consistent(int fd);

#endif /* GRANT_TESTS_H */
