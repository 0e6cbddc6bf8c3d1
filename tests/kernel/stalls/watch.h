/* SPDX-License-Identifier: GPL-2.0-only */
/* What must not happen to those who have nothing to do with a seal. */
#ifndef STALLS_WATCH_H
#define STALLS_WATCH_H

#include "bystander.h"

#include <stdbool.h>

/* The limit of SEAL in these tests, and the name of its parameter. */
#define LIMIT_MS	2000

void limit_short(void);
void limit_long(void);

/* Bystanders on the target and on another filesystem. */
struct watch {
	struct bystander same, apart;
	struct bystander idle;	/* on no filesystem that is sealed: the machine */
	double control[2];
};

void watch_start(struct watch *w);
/* What they have waited for up to now is not the seal's doing. */
void watch_control(struct watch *w);
/* Since then they have not been held up; prints how long they waited. */
void watch_check(struct watch *w, const char *what);
void watch_stop(struct watch *w);

/* SEAL ends in time, with success or with EBUSY and a reason: its result. */
int seal_in_time(int dev, int fd, const char *what);
/*
 * Nothing is in the way any more: SEAL succeeds, if not at once then when the gates
 * are attached, which under emulation takes longer than the limit of these tests.
 */
void seal_at_last(int dev, int fd);
/* The reason of the last one that failed. */
const char *seal_reason(void);

/* A process that holds @name sealed until it is killed. */
pid_t holder_start(const char *name, unsigned int recall_ms);
void holder_kill(pid_t pid, const char *what);

/* INFO and STATUS of @fd answer within a second. */
void answers_in_time(int dev, int fd, const char *what);

/* What rmmod ends with, in time: 0 or a negative errno. */
int unload_in_time(const char *what);
/* Load the module, with the limit of these tests. */
void load_again(void);

/* rmmod ends in time: gone (and loaded again), or busy. */
void unloads_in_time(const char *what);

#endif /* STALLS_WATCH_H */
