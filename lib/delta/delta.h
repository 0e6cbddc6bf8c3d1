/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the parts of libseal-delta: the format, marks, hashes, files. If
 * nothing else is said, functions return 0 or a negative errno value.
 */
#ifndef LIBSEAL_DELTA_PRIVATE_H
#define LIBSEAL_DELTA_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <zstd.h>

#include <libseal-delta.h>

#define SEAL_EXPORT __attribute__((visibility("default")))

#define DELTA_MAGIC	"SEALDLT"	/* 8 bytes with the NUL */
#define DELTA_ID_LEN	SEAL_DELTA_ID_LEN
#define DELTA_HASH_LEN	16

/*
 * The largest piece of data in one record, and in memory. Who tries many deltas, like
 * the fuzzer, makes it smaller.
 */
#ifndef DELTA_CHUNK
#define DELTA_CHUNK	(1024 * 1024)
#endif

/* delta_header.flags */
#define HEADER_HAS_BASE	0x1
#define HEADER_CHECKED	0x2	/* base_hash and the hash of END are set */
#define HEADER_ALL	(HEADER_HAS_BASE | HEADER_CHECKED)

/*
 * On the wire all numbers are little-endian, see docs/DELTA.md. The structures
 * have no padding.
 */
struct delta_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t flags;
	uint64_t old_size;
	uint64_t new_size;
	uint64_t data;		/* bytes in all records of type DATA */
	uint64_t start;		/* sent by earlier attempts up to here */
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

/* format.c; swapping converts from and to the byte order of the wire */
void delta_swap_header(struct delta_header *header);
void delta_swap_record(struct delta_record *record);
uint64_t delta_header_check(const struct delta_header *wire);
uint64_t delta_record_check(const struct delta_record *wire, uint64_t seed);
/* Copy from and to the structure of the caller, which may have another size. */
int delta_take(struct seal_delta *whole, const struct seal_delta *delta,
	       size_t size);
void delta_give(const struct seal_delta *whole, struct seal_delta *delta,
		size_t size);

/*
 * Is the transfer to go on? To be called in every loop. Return: 0 or
 * -ECANCELED.
 */
int delta_poll(struct seal_delta *delta);
/* Store a message for people in @delta, and return -@error. */
int delta_fail(struct seal_delta *delta, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void delta_id_text(const uint8_t id[DELTA_ID_LEN], char text[33]);
bool delta_id_is_none(const uint8_t id[DELTA_ID_LEN]);

/* hash.c */
void delta_hash(const void *data, size_t length, uint8_t hash[DELTA_HASH_LEN]);
/*
 * The hash of a range of a file up to EOF. Pieces that are all zeros are left
 * out, so a hole costs nothing, however large it is, and zeros have the same
 * hash whether they are a hole or not.
 */
int delta_hash_file(struct seal_delta *delta, int fd, uint64_t offset,
		    uint64_t length, uint8_t hash[DELTA_HASH_LEN]);
/* Like delta_hash(), for at most DELTA_CHUNK bytes of a file. */
int delta_hash_piece(struct seal_delta *delta, int fd, uint64_t offset,
		     size_t length, uint8_t hash[DELTA_HASH_LEN]);

/* mark.c: identifies the contents of a file, in an extended attribute */
struct delta_mark {
	uint8_t id[DELTA_ID_LEN];
	uint64_t size;
	struct timespec mtime;
	bool has_digest;
	uint64_t digest;
};

/*
 * An update that has begun; @done: offset up to which it is on disk. The time of the
 * last write tells whether somebody else wrote since. An update that was killed
 * cannot note that time: then there is only a limit, which it did not go beyond.
 */
struct delta_journal {
	uint8_t base_id[DELTA_ID_LEN];
	uint8_t new_id[DELTA_ID_LEN];
	uint64_t done;
	enum {
		JOURNAL_NO_TIME = 0,	/* by an older version */
		JOURNAL_TIME	= '=',
		JOURNAL_LIMIT	= '<',
	} kind;
	struct timespec time;
};

/*
 * The functions that read return 1: there is one; 0: there is none; or a
 * negative errno value, -EINVAL if the journal makes no sense.
 */
int delta_mark_read(int fd, struct delta_mark *mark);
bool delta_mark_fits(const struct delta_mark *mark, const struct stat *st);
int delta_mark_write(int fd, const struct delta_mark *mark);
/*
 * Wait until a later write would change the timestamp of the file. -EBUSY: the
 * timestamp is in the future.
 */
int delta_settle(int fd, struct stat *st);
void delta_mark_remove(int fd);
/*
 * The identities of the transfer of a delta. A base without an identity has its
 * hash instead, so that it is not taken for no base.
 */
void delta_journal_of(const struct delta_header *header,
		      struct delta_journal *journal);
bool delta_journal_fits(const struct delta_journal *journal,
			const struct delta_header *header);
/* Was the file written to by nobody else since the journal was? */
bool delta_journal_kept(const struct delta_journal *journal,
			const struct stat *st);
int delta_journal_read(int fd, struct delta_journal *journal);
int delta_journal_write(int fd, const struct delta_journal *journal);
int delta_journal_remove(int fd);
/* A journal as text, for the sender. */
void delta_token_format(const struct delta_journal *journal,
			char text[SEAL_DELTA_TOKEN_LEN]);
int delta_token_parse(const char *text, struct delta_journal *journal);
int delta_drop_access_list(int fd);
/* Copy all user attributes except our own, and the access control list. */
int delta_copy_xattrs(int from, int to);

/* work.c: the file that is written to */
struct delta_work {
	int fd;			/* the file that is written to */
	int base_fd;		/* the old file, -1: there is none */
	struct stat base_st;
	int dir_fd;
	char *path;		/* resolved */
	const char *name;	/* the last part of @path */
	char *temporary;	/* name of the new file, NULL if in place */
	bool resumed;
	uint64_t done;		/* written by an earlier attempt up to here */
	uint64_t noted;		/* the same, as the journal has it now */
	time_t limit;		/* no write is to be later, 0: none is noted */
};

int delta_work_open(struct seal_delta *delta, struct delta_work *work,
		    const char *path, const struct delta_header *header);
/*
 * Make a file without a name in the same directory, for a delta that has to be
 * read twice. Return: its descriptor, or -errno.
 */
int delta_work_spool(struct seal_delta *delta, const struct delta_work *work);
int delta_work_begin(struct seal_delta *delta, struct delta_work *work,
		     const struct delta_header *header);
/* Find the journal of an interrupted transfer. Return: 1, 0 or -errno. */
int delta_work_find(const char *path, uint32_t flags,
		    struct delta_journal *journal);
/*
 * Everything before offset @done is on disk: note that in the journal. @last: this
 * attempt writes nothing more.
 */
int delta_work_note(struct delta_work *work, const struct delta_header *header,
		    uint64_t done, bool last);
/* To be called before each write: moves the limit of the journal if it is near. */
int delta_work_writes(struct delta_work *work, const struct delta_header *header);
int delta_work_commit(struct seal_delta *delta, struct delta_work *work,
		      const struct delta_header *header);
void delta_work_close(struct delta_work *work, bool discard);

/* io.c */
int delta_read_all(struct seal_delta *delta, int fd, void *data, size_t length,
		   size_t *have);
int delta_write_all(int fd, const void *data, size_t length);
int delta_pwrite_all(int fd, const void *data, size_t length, uint64_t offset);
/* Return: the number of bytes, smaller only at EOF; or -errno. */
ssize_t delta_pread_all(int fd, void *data, size_t length, uint64_t offset);
int delta_zero(struct seal_delta *delta, int fd, uint64_t offset,
	       uint64_t length);

/* stream.c: reads and checks a delta */
struct delta_stream {
	struct seal_delta *delta;
	int in_fd;
	int spool_fd;			/* gets a copy of the delta, or -1 */
	off_t start;			/* of the records, -1: cannot seek */
	struct delta_header header;	/* in the byte order of the host */
	uint64_t header_check;
	uint64_t check;			/* of the last record or header */
	uint64_t records;
	uint64_t data;
	uint64_t pos;			/* the next record is not before this */
	uint64_t stream;		/* bytes read */
	bool cut;			/* it ended too early, but was good */
	uint8_t new_hash[DELTA_HASH_LEN];
	char *buffer;			/* the data of a record */
	char *packed;
	ZSTD_DCtx *zstd;
};

int delta_stream_open(struct delta_stream *stream, struct seal_delta *delta,
		      int in_fd);
void delta_stream_close(struct delta_stream *stream);
int delta_stream_header(struct delta_stream *stream);
/* Expect the first record next, for the first or another time. */
void delta_stream_begin(struct delta_stream *stream);
/* Return: 1: a record, with its data in the buffer; 0: the end; or -errno. */
int delta_stream_next(struct delta_stream *stream,
		      struct delta_record *record);

#endif /* LIBSEAL_DELTA_PRIVATE_H */
