/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to write and places to write to, whose product cases_write.c makes. */
#ifndef CONTRACT_WRITES_H
#define CONTRACT_WRITES_H

#include "contract.h"

enum {
	M_DIRECT	= 1 << 0,	/* bypasses the page cache */
	M_UNALIGNED	= 1 << 1,	/* the same, aligned to sectors only */
	M_PEER		= 1 << 2,	/* takes the data from the second file */
	M_APPEND	= 1 << 3,	/* writes at the end, whatever it is told */
	M_NOWAIT	= 1 << 4,
};

enum {
	P_ALL		= 1 << 0,	/* for every method */
	P_SOME		= 1 << 1,	/* one buffered, one direct method */
	P_BYTES		= 1 << 2,	/* for methods without alignment */
	P_APPEND	= 1 << 3,	/* for appending methods too */
};

struct method {
	const char *name;
	/* Bytes written; -1 and errno, or a negative errno; OP_SKIP. */
	ssize_t (*fn)(struct ctx *c, void *buf, size_t len, off_t off);
	unsigned int flags;
	const char *may_lack;
};

struct place {
	const char *name, *layout;
	uint64_t off, len;
	int expect;
	unsigned int flags;
};

/* contract_case.data is the method */
int op_write(struct ctx *c);
void write_matrix(const struct method *m, size_t count);

#endif /* CONTRACT_WRITES_H */
