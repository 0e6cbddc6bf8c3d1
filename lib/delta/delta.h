/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of libseal-delta share: the format, marks, hashes.
 */
#ifndef LIBSEAL_DELTA_PRIVATE_H
#define LIBSEAL_DELTA_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "libseal-delta.h"

#define SEAL_EXPORT __attribute__((visibility("default")))

#define DELTA_MAGIC	"SEALDLT"	/* with its NUL, 8 bytes */
#define DELTA_ID_LEN	SEAL_DELTA_ID_LEN
#define DELTA_HASH_LEN	16

/* The largest piece of data in one record, and in memory. */
#define DELTA_CHUNK	(1024 * 1024)

/* delta_header.flags */
#define HEADER_HAS_BASE	0x1
#define HEADER_CHECKED	0x2	/* base_hash and END's hash are set */
#define HEADER_ALL	(HEADER_HAS_BASE | HEADER_CHECKED)

/*
 * Everything is little-endian on the wire, see docs/DELTA.md; the structures
 * have no padding.
 */
struct delta_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t flags;
	uint64_t old_size;
	uint64_t new_size;
	uint64_t data;		/* bytes in all records of type DATA */
	int64_t mtime_sec;	/* of NEW */
	uint32_t mtime_nsec;
	uint32_t reserved;
	uint8_t base_id[DELTA_ID_LEN];
	uint8_t new_id[DELTA_ID_LEN];
	uint8_t base_hash[DELTA_HASH_LEN];
	uint64_t check;
};

enum {
	RECORD_DATA	= 1,
	RECORD_ZERO	= 2,
	RECORD_END	= 3,
};

/* delta_record.flags */
#define RECORD_ZSTD	0x1
#define RECORD_HAS_OLD	0x2	/* old_hash is set */
#define RECORD_ALL	(RECORD_ZSTD | RECORD_HAS_OLD)

struct delta_record {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t length;
	uint64_t stored;	/* bytes that follow */
	uint8_t hash[DELTA_HASH_LEN];
	uint8_t old_hash[DELTA_HASH_LEN];
	uint64_t check;
};

/* format.c: conversion is the same in both directions */
void delta_swap_header(struct delta_header *header);
void delta_swap_record(struct delta_record *record);
uint64_t delta_header_check(const struct delta_header *wire);
uint64_t delta_record_check(const struct delta_record *wire, uint64_t seed);
int delta_fail(struct seal_delta *delta, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void delta_id_text(const uint8_t id[DELTA_ID_LEN], char text[33]);

/* hash.c */
void delta_hash(const void *data, size_t length, uint8_t hash[DELTA_HASH_LEN]);
/* Of a range of a file, what lies beyond its end left out. */
int delta_hash_file(struct seal_delta *delta, int fd, uint64_t offset,
		    uint64_t length, uint8_t hash[DELTA_HASH_LEN]);

/* mark.c: which contents a file has, as an extended attribute */
struct delta_mark {
	uint8_t id[DELTA_ID_LEN];
	uint64_t size;
	struct timespec mtime;
	bool has_digest;
	uint64_t digest;
};

/* An update that was begun. */
struct delta_journal {
	uint8_t base_id[DELTA_ID_LEN];
	uint8_t new_id[DELTA_ID_LEN];
	uint64_t done;
};

/* Return: 1: there is one; 0: none; or a negative errno value. */
int delta_mark_read(int fd, struct delta_mark *mark);
bool delta_mark_fits(const struct delta_mark *mark, const struct stat *st);
int delta_mark_write(int fd, const struct delta_mark *mark);
void delta_mark_remove(int fd);
int delta_journal_read(int fd, struct delta_journal *journal);
int delta_journal_write(int fd, const struct delta_journal *journal);
int delta_journal_remove(int fd);
/* All the others, and the access list, from one file to another. */
int delta_copy_xattrs(int from, int to);

/* work.c: the file that is written to */
struct delta_work {
	int fd;			/* what is written to */
	int base_fd;		/* the file as it was, -1: there is none */
	struct stat base_st;
	int dir_fd;
	char *path;		/* resolved */
	const char *name;	/* last part of it */
	char *temporary;	/* name beside it, NULL in place */
	bool resumed;
	uint64_t done;		/* all before is in place already */
};

int delta_work_open(struct seal_delta *delta, struct delta_work *work,
		    const char *path);
int delta_work_begin(struct seal_delta *delta, struct delta_work *work,
		     const struct delta_header *header);
/* What was written before is on disk; note how far that is. */
int delta_work_note(struct delta_work *work, const struct delta_header *header,
		    uint64_t done);
int delta_work_commit(struct seal_delta *delta, struct delta_work *work,
		      const struct delta_header *header);
void delta_work_close(struct delta_work *work, bool discard);

/* io.c */
int delta_write_all(int fd, const void *data, size_t length);
int delta_pwrite_all(int fd, const void *data, size_t length, uint64_t offset);
/* Return: bytes, fewer only at the end of the file. */
ssize_t delta_pread_all(int fd, void *data, size_t length, uint64_t offset);
int delta_zero(int fd, uint64_t offset, uint64_t length);

#endif /* LIBSEAL_DELTA_PRIVATE_H */
