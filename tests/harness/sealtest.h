/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the test programs that talk to /dev/seal without the library.
 *
 * Everything here fails the running test when it cannot do its work; only
 * the st_do_* functions hand the result (0 or -errno) back.
 *
 * The environment says where to work: SEAL_DIR (a directory on the mounted
 * target), SEAL_DEV, SEAL_TYPE, SEAL_OPTIONS (to mount it again), SEAL_TARGET
 * (its name) and SEAL_TREE (the built tree).
 */
#ifndef SEALTEST_H
#define SEALTEST_H

#include <linux/fiemap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <seal.h>

#include "harness.h"

#define ST_DEVICE	"/dev/" SEAL_DEVICE_NAME

/* A user that owns nothing. */
#define ST_NOBODY	65534

const char *st_env(const char *name);
bool st_is_xfs(void);

/* Session with the module. */
int st_session(void);
int st_do_ioctl(int dev, unsigned long cmd, void *arg);
int st_do_seal(int dev, const int *fds, unsigned int nr, uint32_t flags,
	       uint32_t require, uint64_t max_extents, struct seal_files *out);
int st_do_seal_one(int dev, int fd);
int st_do_unseal(int dev, int fd, uint32_t flags);
int st_do_range(int dev, unsigned long cmd, int fd, uint32_t flags,
		uint64_t offset, uint64_t length);
void st_seal(int dev, int fd);
void st_unseal(int dev, int fd);
struct seal_status st_status(int fd);
bool st_sealed(int fd);
/* Closing a descriptor may be finished by another task a little later. */
bool st_becomes_unsealed(int fd);

/* Files on the target. */
void st_path(char *buf, size_t size, const char *name);
int st_open(const char *name, int flags);
int st_create(const char *name);
int st_create_written(const char *name, size_t length);
/*
 * The same without blocks behind its end, which XFS frees after five minutes
 * if the file is not sealed then.
 */
int st_create_trimmed(const char *name, size_t length);
void st_remove(const char *name);
void st_fill(int fd, off_t offset, size_t length, unsigned char byte);
uint64_t st_content(int fd);
uint32_t st_block(int fd);

/* The map, as user space sees it. */
struct st_map {
	unsigned int nr;
	struct fiemap_extent *e;
};

struct st_map st_map(int fd);
bool st_map_same(const struct st_map *a, const struct st_map *b);
void st_map_free(struct st_map *map);
/* Physical address of a byte of the file, 0 if it has none. */
uint64_t st_address(int fd, uint64_t offset);

/* Small files of the kernel. */
int st_do_write_file(const char *path, const char *text);
char *st_read_file(const char *path);
/*
 * Is no gate of the module attached? They stay for a moment after the last
 * unseal (linger_ms), so wait some seconds for that. If not, prints what is left.
 */
bool st_at_rest(void);

/* Mount the target again after it was unmounted. */
void st_mount(void);
int st_do_unmount(void);

double st_now(void);
/*
 * Repeated tests do as many rounds as fit into a few seconds. With SEAL_LONG=1
 * they do ST_LONG_ROUNDS, however long that takes.
 */
#define ST_LONG_ROUNDS	200

bool st_long(void);
/* Is there time for one more after this many, since st_now() was @start? */
bool st_goes_on(int done, int rounds, double start, unsigned int seconds);
/* Time limit of a test case that needs @seconds without SEAL_LONG. */
double st_limit(unsigned int seconds);
/* How long a single thing may take: longer where check waits longer. */
double st_patience(unsigned int seconds);
void st_sleep_ms(unsigned int ms);
/*
 * A task that reads a GiB from /dev/urandom in each call, in which it never sleeps: some
 * seconds. Between two calls it sleeps for @pause seconds; then it looks as if detaching
 * gates took no time.
 */
pid_t st_reader_start(unsigned int pause);
/* Wait for a child at most this long: its wait status, or -1. */
int st_wait_child(pid_t pid, unsigned int seconds);

#endif /* SEALTEST_H */
