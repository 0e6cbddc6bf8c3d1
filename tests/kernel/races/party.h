/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two parties and a clock: a racer, a thread that does one operation and is
 * parked on its way, and a sealer, a thread that seals the file meanwhile.
 * Threads are made before anybody is parked: a racer in a page fault holds
 * the lock of the address space.
 */
#ifndef RACES_PARTY_H
#define RACES_PARTY_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct party {
	pthread_t thread;
	pid_t tid;
	sem_t ready, go;
	int (*fn)(void *arg);
	void *arg;
	int ret;
	atomic_bool done;
};

/* The thread waits for party_go(). */
void party_start(struct party *p, int (*fn)(void *arg), void *arg);
void party_go(struct party *p);
/* Does it end within this time? */
bool party_ends(struct party *p, unsigned int ms);
/* What it returned; a hang fails the test. */
int party_join(struct party *p);

/* Seals @fd in session @dev. */
struct sealing {
	struct party party;
	int dev, fd;
};

void sealing_start(struct sealing *s, int dev, int fd);

/*
 * How long to wait to be sure that SEAL waits, and does not just take its
 * time: a multiple of what it takes with nobody in its way.
 */
unsigned int patience_ms(void);
/*
 * The seal of the test attaches the gates, and so must the one that is measured: no
 * gate is attached before and after it. For a whole case, set by its fixture.
 */
extern bool seals_attach;

/*
 * Park a thread at the entry of a function. @symbols: "a|b", the first one
 * this kernel has; with "module:" in front where it is in one. NULL for @p is
 * the kernel thread that gets there first.
 */
void park_set(unsigned int spot, const struct party *p, const char *symbols,
	      unsigned int nth);
/* The same for one symbol; an errno if the kernel does not allow it. */
int park_try(unsigned int spot, const struct party *p, const char *symbol);
/* It must get there. */
void park_wait(unsigned int spot);
void park_release(unsigned int spot);

/*
 * The sealed map is what FIEMAP reads now, stays so, and has the digest that
 * a fresh reading gives. Unseals the file.
 */
void check_frozen(int dev, int fd, const char *what);

#endif /* RACES_PARTY_H */
