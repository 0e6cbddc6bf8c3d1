/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of libseal-delta share: the format, marks, hashes.
 */
#ifndef LIBSEAL_DELTA_PRIVATE_H
#define LIBSEAL_DELTA_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <zstd.h>

#include <libseal-delta.h>

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
	uint64_t start;		/* all before it was sent by an earlier attempt */
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
/* The caller's structure, which may be shorter or longer than ours. */
int delta_take(struct seal_delta *whole, const struct seal_delta *delta,
	       size_t size);
void delta_give(const struct seal_delta *whole, struct seal_delta *delta,
		size_t size);

/*
 * Is the transfer to go on? Called in every loop. Return: 0 or -ECANCELED.
 */
int delta_poll(struct seal_delta *delta);
int delta_fail(struct seal_delta *delta, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void delta_id_text(const uint8_t id[DELTA_ID_LEN], char text[33]);

/* hash.c */
void delta_hash(const void *data, size_t length, uint8_t hash[DELTA_HASH_LEN]);
/*
 * Of a range of a file, what lies beyond its end left out. Pieces that are all
 * zeros are not part of it, so a hole costs nothing however large it is, and
 * whether zeros are a hole makes no difference.
 */
int delta_hash_file(struct seal_delta *delta, int fd, uint64_t offset,
		    uint64_t length, uint8_t hash[DELTA_HASH_LEN]);
/* As delta_hash(), of at most DELTA_CHUNK bytes of a file. */
int delta_hash_piece(struct seal_delta *delta, int fd, uint64_t offset,
		     size_t length, uint8_t hash[DELTA_HASH_LEN]);

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

/*
 * Return: 1: there is one; 0: none; or a negative errno value, -EINVAL if the
 * journal makes no sense.
 */
int delta_mark_read(int fd, struct delta_mark *mark);
bool delta_mark_fits(const struct delta_mark *mark, const struct stat *st);
int delta_mark_write(int fd, const struct delta_mark *mark);
/* Wait until a later write is seen by the file's time. -EBUSY: it never is. */
int delta_settle(int fd, struct stat *st);
void delta_mark_remove(int fd);
int delta_journal_read(int fd, struct delta_journal *journal);
int delta_journal_write(int fd, const struct delta_journal *journal);
int delta_journal_remove(int fd);
/* A journal as text, for the sender. Return: 0 or -EINVAL. */
void delta_token_format(const struct delta_journal *journal,
			char text[SEAL_DELTA_TOKEN_LEN]);
int delta_token_parse(const char *text, struct delta_journal *journal);
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
		    const char *path, const struct delta_header *header);
/* A file without a name beside it, for what has to be read twice. */
int delta_work_spool(struct seal_delta *delta, const struct delta_work *work);
int delta_work_begin(struct seal_delta *delta, struct delta_work *work,
		     const struct delta_header *header);
/* How far an earlier attempt at this file got. Return: 1, 0 or -errno. */
int delta_work_find(const char *path, uint32_t flags,
		    struct delta_journal *journal);
/* What was written before is on disk; note how far that is. */
int delta_work_note(struct delta_work *work, const struct delta_header *header,
		    uint64_t done);
int delta_work_commit(struct seal_delta *delta, struct delta_work *work,
		      const struct delta_header *header);
void delta_work_close(struct delta_work *work, bool discard);

/* io.c */
int delta_read_all(struct seal_delta *delta, int fd, void *data, size_t length,
		   size_t *have);
int delta_write_all(int fd, const void *data, size_t length);
int delta_pwrite_all(int fd, const void *data, size_t length, uint64_t offset);
/* Return: bytes, fewer only at the end of the file. */
ssize_t delta_pread_all(int fd, void *data, size_t length, uint64_t offset);
int delta_zero(struct seal_delta *delta, int fd, uint64_t offset,
	       uint64_t length);

/* stream.c: reads and checks a delta, whatever is made of it */
struct delta_stream {
	struct seal_delta *delta;
	int in_fd;
	int spool_fd;			/* what was read is copied there, or -1 */
	off_t start;			/* of the records, -1: cannot seek */
	struct delta_header header;	/* of the host's byte order */
	uint64_t header_check;
	uint64_t check;			/* of what was read last */
	uint64_t records;
	uint64_t data;
	uint64_t pos;			/* records do not go back */
	uint64_t stream;		/* bytes read */
	bool cut;			/* it was good as far as it went */
	uint8_t new_hash[DELTA_HASH_LEN];
	char *buffer;			/* the data of a record */
	char *packed;
	ZSTD_DCtx *zstd;
};

int delta_stream_open(struct delta_stream *stream, struct seal_delta *delta,
		      int in_fd);
void delta_stream_close(struct delta_stream *stream);
int delta_stream_header(struct delta_stream *stream);
/* Begin at the first record (again). */
void delta_stream_begin(struct delta_stream *stream);
/* Return: 1: a record and, in the buffer, its data; 0: the end; -errno. */
int delta_stream_next(struct delta_stream *stream,
		      struct delta_record *record);

#endif /* LIBSEAL_DELTA_PRIVATE_H */
