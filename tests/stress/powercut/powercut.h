/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files whose every block says what it is, written and sealed until the power
 * fails; and the record of what was promised until then.
 *
 * The record is what "powercut run" prints: lines that end with " .", each
 * printed after the fact (a line that was cut off promises nothing).
 *   N file                       there, empty of promises
 *   W file block:version ...     these blocks hold this version or a later one
 *   S file digest size extents   sealed, with this map
 *   U file                       about to be unsealed
 *   E text                       what must not happen
 *   R                            all files are there, writers begin
 */
#ifndef POWERCUT_H
#define POWERCUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libseal.h>

#define FILES		6
#define BLOCK		4096
#define BLOCKS		256
#define MAP_TEXT	32768

/* record.c */
__attribute__((format(printf, 1, 2))) void record(const char *fmt, ...);
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);

/* "logical:physical:length:state ..." of a file; shared counts as written. */
void map_text(int fd, char *text);

/* What a record promises of one file. */
struct promise {
	bool there;
	bool sealed;
	char seal[MAP_TEXT + 64];	/* "digest size map" */
	uint32_t version[BLOCKS];	/* 0: nothing */
};

void promises_read(const char *path, struct promise *promises);

/* A block that says which it is. */
void block_fill(void *buf, unsigned int file, unsigned int block,
		uint32_t version);
/* Its version; 0: zeros; -1: neither, or another block. */
int64_t block_version(const void *buf, unsigned int file, unsigned int block);

/* "digest size map" of a file that is open */
void seal_text(struct seal_session *session, int fd, char *text);

/* writers.c: does not return */
void writers_run(const char *dir, unsigned int seed);

/* check.c: 0 if the promises are kept */
int promises_check(const char *dir, const char *path);

/* volatile.c: does a disk lose what was not flushed? */
void volatile_write(const char *disk);
int volatile_check(const char *disk);

#endif /* POWERCUT_H */
