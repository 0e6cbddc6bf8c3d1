/* SPDX-License-Identifier: GPL-2.0-only */
/* Random pairs of files, one of which may be a reflinked copy of the other. */
#ifndef PAIR_H
#define PAIR_H

#include <libseal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCKS		64

extern unsigned int block;	/* of the filesystem */
extern size_t room;		/* the largest size of a file */

/* So that no case passes because it never happened. */
struct pair_seen {
	unsigned int cloned, deduped;
};

extern struct pair_seen pair_seen;

/* In this directory; the pairs follow from the seed. */
void pair_begin(const char *dir, uint64_t seed);
unsigned int pair_rnd(unsigned int below);
__attribute__((noreturn)) void die(const char *what);
int create(const char *name);
/* The same file, which must not be open for writing when it is compared. */
int only_read(int fd, const char *name);
size_t size_of(int fd);
void make_pair(int old, int new, bool *shared);

/* Per block its address, and how FIEMAP calls it: independent of libseal. */
struct blocks {
	uint64_t address[BLOCKS];
	char kind[BLOCKS];	/* 'h'ole, 'u'nwritten, 'd'ata */
};

void look(int fd, struct blocks *blocks);
/* As much as there is room, zeros beyond the end; to be freed. */
char *contents(int fd);

/* Gates are armed once, not for every pair. */
struct seal_session *anchor(void);

#endif /* PAIR_H */
