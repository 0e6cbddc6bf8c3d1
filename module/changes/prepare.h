/* SPDX-License-Identifier: GPL-2.0-only */
/* PREALLOC and UNSHARE: changing a map on request, before it is sealed. */
#ifndef SEAL_PREPARE_H
#define SEAL_PREPARE_H

#include <linux/types.h>

struct file;

/*
 * Do one bounded step on the bytes [offset, offset + length); @done gets the
 * number of bytes that are finished, from @offset on. The caller has attached
 * the map gate. Returns 0 or -errno. See struct seal_range_op. May sleep.
 */
int seal_prealloc_step(struct file *file, u32 flags, u64 offset, u64 length,
		       u64 *done);
int seal_unshare_step(struct file *file, u64 offset, u64 length, u64 *done);

#endif /* SEAL_PREPARE_H */
