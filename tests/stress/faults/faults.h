/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls in which everything that can fail does, one thing at a time. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "sealtest.h"

/* What a call works on. */
struct state {
	int dev;		/* the session */
	int fd[2];
	uint64_t content;	/* of the first file */
	pid_t writer;		/* to the first file, or 0 */
};

struct op {
	const char *name;
	int result;		/* of the call when nothing fails */
	bool xfs;		/* needs reflink */
	void (*before)(struct state *s);
	int (*call)(struct state *s);
	/* what must hold after the call, whatever it returned */
	void (*after)(struct state *s, int ret);
	void (*end)(struct state *s);
};

extern const struct op ops[];
extern const unsigned int nr_ops;

#endif /* FAULTS_H */
