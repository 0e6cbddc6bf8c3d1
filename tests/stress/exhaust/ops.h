/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What prepares and acts have in common. All return whether anything was done,
 * and keep the model; under a seal they check that a call did all or nothing.
 */
#ifndef EXHAUST_OPS_H
#define EXHAUST_OPS_H

#include "exhaust.h"

#ifndef RWF_ATOMIC
#define RWF_ATOMIC	0x40
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* What write() of @want bytes at @offset came to. */
bool wrote(struct run *run, const char *call, ssize_t n, uint64_t offset,
	   const void *data, size_t want);

bool op_write(struct run *run, int fd, uint64_t offset, size_t length);
bool op_write_flags(struct run *run, uint64_t offset, size_t length, int flags);
/* A direct write whose buffer cannot be read. */
bool op_write_bad(struct run *run, uint64_t offset, size_t length, int flags);
/* A write of @length bytes of which only the first @readable can be read. */
bool op_write_short(struct run *run, uint64_t offset, size_t length,
		    size_t readable);
bool op_store(struct run *run, uint64_t offset);
bool op_truncate(struct run *run, uint64_t size);
bool op_fallocate(struct run *run, int mode, uint64_t offset, uint64_t length);
/* Share blocks of this file into one of its own. */
bool op_clone_from(struct run *run, uint64_t offset, uint64_t length);
/* A direct read of the common file into the mapping. */
bool op_direct_into(struct run *run, uint64_t offset, size_t length);
bool op_advise(struct run *run, uint64_t start, uint64_t end, int advice);
bool op_drop(struct run *run);
bool op_read(struct run *run);

#endif /* EXHAUST_OPS_H */
