/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switches of an administrator, given when the module is loaded (also on the
 * kernel command line: seal.disable=1) and not changed afterwards.
 */
#ifndef SEAL_MODE_H
#define SEAL_MODE_H

#include <linux/types.h>

struct inode;

/* Nothing is sealed, preallocated or unshared. */
bool seal_is_disabled(void);

/* Gates count and tell what they would refuse, and let it pass. */
bool seal_is_log_only(void);

/* Tell one operation that log-only mode let pass. In a probe handler. */
void seal_tell_passed(const struct inode *inode, const char *gate);

#endif /* SEAL_MODE_H */
