/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing a map on request, before it is sealed. */
#ifndef SEAL_PREPARE_H
#define SEAL_PREPARE_H

#include <linux/types.h>

struct file;

/*
 * One bounded step over [offset, offset + length); @done says how far it got,
 * from @offset on. See struct seal_range_op.
 */
int seal_prealloc_step(struct file *file, u32 flags, u64 offset, u64 length,
		       u64 *done);
int seal_unshare_step(struct file *file, u64 offset, u64 length, u64 *done);

#endif /* SEAL_PREPARE_H */
