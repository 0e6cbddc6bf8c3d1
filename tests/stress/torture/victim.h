/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations that are rare, or that would spoil a file everybody works on: a
 * worker makes a file of its own, seals it, and tries one of them.
 */
#ifndef TORTURE_VICTIM_H
#define TORTURE_VICTIM_H

#include "torture.h"

struct victim {
	int fd;			/* open to write; closed if only_reader */
	int reader;
	int other;		/* a second file of the same size, not sealed */
};

struct attack {
	const char *name;
	/* before sealing; -errno: cannot be done here */
	long (*prepare)(struct worker *w, struct victim *v);
	/* sealed: -ETXTBSY or, if it passes by, 0 */
	long (*change)(struct worker *w, struct victim *v);
	bool passes_by;
	bool only_reader;
};

void attack(struct worker *w, const struct attack *attacks, unsigned int nr);

#endif /* TORTURE_VICTIM_H */
