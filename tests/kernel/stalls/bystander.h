/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that has nothing to do with a seal: it writes to a file of its own every
 * ten milliseconds, and knows the longest time a write took.
 */
#ifndef STALLS_BYSTANDER_H
#define STALLS_BYSTANDER_H

#include <sys/types.h>

struct bystander {
	pid_t pid;
	double *longest;	/* seconds, in memory that both share */
};

/* On the file @path, which is made. */
void bystander_start(struct bystander *b, const char *path);
/* The longest write since the start, or since this was called last. */
double bystander_longest(struct bystander *b);
void bystander_stop(struct bystander *b);

#endif /* STALLS_BYSTANDER_H */
