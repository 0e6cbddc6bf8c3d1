/* SPDX-License-Identifier: GPL-2.0-only */
/* COMMIT: granted blocks have been written; make them part of the file. */
#ifndef SEAL_COMMIT_H
#define SEAL_COMMIT_H

#include "uapi/seal.h"

struct file;
struct seal_session;

/*
 * Convert the unwritten blocks of @ranges, and set the new size, as @commit
 * asks; the results go into @commit. @ranges has @commit->nr_ranges items.
 * Returns 0 or -errno. See struct seal_commit. May sleep.
 */
int seal_grant_commit(struct seal_session *session, struct file *file,
		      struct seal_commit *commit,
		      const struct seal_commit_range *ranges);

#endif /* SEAL_COMMIT_H */
