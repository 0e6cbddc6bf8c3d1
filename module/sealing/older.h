/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that are older than the gates. */
#ifndef SEAL_OLDER_H
#define SEAL_OLDER_H

#include <linux/types.h>

struct module;
struct seal_fs;
struct seal_limit;

/*
 * The caller has attached the gates of @fs, whose module is @module, and keeps
 * them attached. Wait for every call that entered one of the wrapped functions
 * before, or that has dropped a lock half-way (fs->drops). Only the caller
 * waits. Returns 0; -EINTR: killed; -ENOMEM; -EBUSY: a call did not end until
 * the end of @limit, whose reason names the task.
 */
int seal_wait_older(struct seal_fs *fs, struct module *module,
		    const struct seal_limit *limit);

/*
 * The same for calls only that have dropped a lock half-way and will take it
 * again. These can be younger than the gates.
 */
int seal_wait_dropped(struct seal_fs *fs, struct module *module,
		      const struct seal_limit *limit);

#endif /* SEAL_OLDER_H */
