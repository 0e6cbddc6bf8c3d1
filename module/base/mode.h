/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Module parameters by which an administrator limits what the module does.
 * They are given when the module is loaded (also on the kernel command line:
 * seal.disable=1). Only the last one can be changed afterwards.
 */
#ifndef SEAL_MODE_H
#define SEAL_MODE_H

#include <linux/types.h>

struct inode;

/* Is the module to seal, preallocate and unshare nothing? */
bool seal_is_disabled(void);

/* Do gates only count and log what they would refuse, and let it pass? */
bool seal_is_log_only(void);

/*
 * May a file be sealed although the kernel that the module was built for differs
 * from the reviewed ones, or was not compared with them?
 */
bool seal_takes_unreviewed(void);

/*
 * Log one operation that log-only mode let pass (rate limited). May be called
 * in the handler of a gate, where nothing sleeps.
 */
void seal_tell_passed(const struct inode *inode, const char *gate);

#endif /* SEAL_MODE_H */
