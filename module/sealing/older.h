/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that are older than the gates. */
#ifndef SEAL_OLDER_H
#define SEAL_OLDER_H

#include <linux/types.h>

struct module;
struct seal_fs;
struct seal_limit;

/*
 * The gates of @fs, which is in @module (NULL: in the kernel), have been attached,
 * and stay so: wait for every call that
 * entered one of the wrapped functions without them, or that gave up a lock there
 * half-way. Only the caller waits. 0; -EINTR: killed; -ENOMEM; -EBUSY: not before
 * the end of @limit, whose reason names the task.
 */
int seal_wait_older(struct seal_fs *fs, struct module *module,
		    const struct seal_limit *limit);

/*
 * The same for calls that gave up a lock half-way and take it again; these can be
 * younger than the gates.
 */
int seal_wait_dropped(struct seal_fs *fs, struct module *module,
		      const struct seal_limit *limit);

#endif /* SEAL_OLDER_H */
