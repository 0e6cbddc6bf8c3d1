// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The receiver: every record is checked before any of it is used.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "delta/delta.h"

/* How much is written between two notes of how far it got. */
#define NOTE_BYTES	(64 * 1024 * 1024)

struct receiver {
	struct seal_delta *delta;
	struct delta_work work;
	FILE *in;
	FILE *spool;			/* a copy of what came from a pipe */
	off_t start;			/* of the records, -1: cannot seek */
	struct delta_header header;	/* of the host's byte order */
	uint64_t header_check;
	uint64_t check;			/* of what was read last */
	uint64_t records;
	uint64_t data;
	uint64_t pos;			/* records do not go back */
	uint64_t noted;
	bool applying;
	bool keep;			/* an attempt can go on from here */
	uint8_t new_hash[DELTA_HASH_LEN];
	char *buffer;
	char *packed;
	ZSTD_DCtx *zstd;
};

static int bad_delta(struct receiver *r, const char *what)
{
	return delta_fail(r->delta, EBADMSG, "the delta is damaged: %s", what);
}

static int get(struct receiver *r, void *data, size_t length)
{
	if (fread(data, 1, length, r->in) == length) {
		r->delta->stream += length;
		return 0;
	}
	r->keep = true;
	if (ferror(r->in))
		return delta_fail(r->delta, EIO, "reading the delta: %s",
				  strerror(errno));
	return delta_fail(r->delta, EBADMSG, "the delta is cut short");
}

static int get_header(struct receiver *r)
{
	struct delta_header *header = &r->header;
	int ret;

	ret = get(r, header, sizeof(*header));
	if (ret)
		return ret;
	if (memcmp(header->magic, DELTA_MAGIC, sizeof(header->magic)) != 0)
		return delta_fail(r->delta, EBADMSG, "this is not a delta");
	r->header_check = delta_header_check(header);
	delta_swap_header(header);
	/* Another version may have another check. */
	if (header->version != SEAL_DELTA_VERSION)
		return delta_fail(r->delta, EPROTONOSUPPORT,
				  "the delta has version %" PRIu32 ", this program knows %d",
				  header->version, SEAL_DELTA_VERSION);
	if (header->check != r->header_check)
		return bad_delta(r, "the header does not match its check");
	if ((header->flags & ~HEADER_ALL) || header->reserved ||
	    header->new_size > INT64_MAX || header->old_size > INT64_MAX ||
	    header->mtime_nsec > 999999999 || header->data > header->new_size)
		return bad_delta(r, "the header has values that cannot be");
	memcpy(r->delta->base_id, header->base_id, DELTA_ID_LEN);
	memcpy(r->delta->new_id, header->new_id, DELTA_ID_LEN);
	if (fseeko(r->in, 0, SEEK_CUR) == 0)
		r->start = ftello(r->in);
	return 0;
}

static int wrong_base(struct receiver *r, const struct delta_mark *mark)
{
	char have[33], want[33];

	delta_id_text(r->header.base_id, want);
	if (!mark)
		return delta_fail(r->delta, ESTALE,
				  "not known to be the base %s: it was not received, or was changed since",
				  want);
	delta_id_text(mark->id, have);
	return delta_fail(r->delta, ESTALE,
			  "it has the contents %s, the delta is for %s", have,
			  want);
}

static int check_hash_of_base(struct receiver *r)
{
	uint8_t hash[DELTA_HASH_LEN];
	int ret;

	ret = delta_hash_file(r->delta, r->work.base_fd, 0, r->header.old_size,
			      hash);
	if (ret)
		return ret;
	if (memcmp(hash, r->header.base_hash, DELTA_HASH_LEN) != 0)
		return delta_fail(r->delta, ESTALE,
				  "its contents are not those of the base");
	return 0;
}

/* An update in place that did not end: only the same delta makes it whole. */
static int check_interrupted(struct receiver *r,
			     const struct delta_journal *journal)
{
	const struct delta_header *header = &r->header;
	bool in_place = r->delta->flags & SEAL_DELTA_IN_PLACE;

	if (!in_place && !(header->flags & HEADER_HAS_BASE))
		return 0;
	if (!in_place ||
	    memcmp(journal->base_id, header->base_id, DELTA_ID_LEN) != 0 ||
	    memcmp(journal->new_id, header->new_id, DELTA_ID_LEN) != 0)
		return delta_fail(r->delta, ESTALE,
				  "an update in place was interrupted; receive the same delta again in place, or a full one");
	r->work.resumed = true;
	r->work.done = journal->done;
	return 0;
}

static int check_base(struct receiver *r)
{
	const struct delta_header *header = &r->header;
	struct delta_journal journal;
	struct delta_mark mark;
	bool marked;
	int ret;

	if (r->work.base_fd < 0) {
		if (header->flags & HEADER_HAS_BASE)
			return delta_fail(r->delta, ENOENT,
					  "there is no such file; the delta needs its base");
		return 0;
	}
	ret = delta_journal_read(r->work.base_fd, &journal);
	if (ret < 0)
		return ret;
	if (ret)
		return check_interrupted(r, &journal);
	ret = delta_mark_read(r->work.base_fd, &mark);
	if (ret < 0)
		return ret;
	marked = ret && delta_mark_fits(&mark, &r->work.base_st);
	if (marked && !memcmp(mark.id, header->new_id, DELTA_ID_LEN))
		return delta_fail(r->delta, EALREADY,
				  "it has these contents already; the delta was received before");
	if (!(header->flags & HEADER_HAS_BASE))
		return 0;
	if ((uint64_t)r->work.base_st.st_size != header->old_size)
		return delta_fail(r->delta, ESTALE,
				  "it has %lld bytes, the base has %" PRIu64,
				  (long long)r->work.base_st.st_size,
				  header->old_size);
	if (header->flags & HEADER_CHECKED)
		return check_hash_of_base(r);
	if (!marked)
		return wrong_base(r, NULL);
	if (memcmp(mark.id, header->base_id, DELTA_ID_LEN) != 0)
		return wrong_base(r, &mark);
	return 0;
}

static bool sensible(const struct receiver *r,
		     const struct delta_record *record)
{
	uint64_t end = record->offset + record->length;
	bool packed = record->flags & RECORD_ZSTD;

	if (record->flags & ~RECORD_ALL)
		return false;
	if (record->type == RECORD_END)
		return !record->flags && !record->stored;
	if (!record->length || end < record->offset ||
	    end > r->header.new_size || record->offset < r->pos)
		return false;
	if (record->type == RECORD_ZERO)
		return !packed && !record->stored;
	return record->type == RECORD_DATA && record->length <= DELTA_CHUNK &&
	       (packed ? record->stored && record->stored < record->length :
			 record->stored == record->length);
}

static int get_record(struct receiver *r, struct delta_record *record)
{
	uint64_t check;
	int ret;

	ret = get(r, record, sizeof(*record));
	if (ret)
		return ret;
	check = delta_record_check(record, r->check);
	delta_swap_record(record);
	if (record->check != check)
		return bad_delta(r, "a record does not match its check");
	r->check = check;
	if (!sensible(r, record))
		return bad_delta(r, "a record has values that cannot be");
	return 0;
}

/* The data of a record, checked, into the buffer. */
static int get_data(struct receiver *r, const struct delta_record *record)
{
	uint8_t hash[DELTA_HASH_LEN];
	size_t n;
	int ret;

	if (record->flags & RECORD_ZSTD) {
		ret = get(r, r->packed, (size_t)record->stored);
		if (ret)
			return ret;
		n = ZSTD_decompressDCtx(r->zstd, r->buffer, DELTA_CHUNK,
					r->packed, (size_t)record->stored);
		if (ZSTD_isError(n) || n != record->length)
			return bad_delta(r, "data cannot be decompressed");
	} else {
		ret = get(r, r->buffer, (size_t)record->stored);
		if (ret)
			return ret;
	}
	delta_hash(r->buffer, (size_t)record->length, hash);
	if (memcmp(hash, record->hash, DELTA_HASH_LEN) != 0)
		return bad_delta(r, "data does not match its hash");
	return 0;
}

/*
 * Is what the record replaces what the sender had there? An attempt that is
 * continued may have replaced it already.
 */
static int check_old(struct receiver *r, const struct delta_record *record,
		     int fd)
{
	const uint64_t old_size = r->header.old_size;
	uint8_t hash[DELTA_HASH_LEN];
	uint64_t length = 0;
	int ret;

	if (!(record->flags & RECORD_HAS_OLD))
		return 0;
	if (record->offset < old_size)
		length = old_size - record->offset < record->length ?
			 old_size - record->offset : record->length;
	ret = delta_hash_file(r->delta, fd, record->offset, length, hash);
	if (ret)
		return ret;
	if (!memcmp(hash, record->old_hash, DELTA_HASH_LEN))
		return 0;
	if (r->work.resumed) {
		if (record->type == RECORD_ZERO)
			return 0;
		ret = delta_hash_file(r->delta, fd, record->offset,
				      record->length, hash);
		if (ret || !memcmp(hash, record->hash, DELTA_HASH_LEN))
			return ret;
	}
	return delta_fail(r->delta, ESTALE,
			  "its contents at offset %" PRIu64 " are not those of the base",
			  record->offset);
}

static int note(struct receiver *r)
{
	int ret;

	if (fdatasync(r->work.fd) < 0)
		return -errno;
	ret = delta_work_note(&r->work, &r->header, r->pos);
	r->noted = r->data;
	return ret == -EOPNOTSUPP ? 0 : ret;
}

static int apply(struct receiver *r, const struct delta_record *record)
{
	int ret;

	if (record->offset + record->length <= r->work.done) {
		if (record->type == RECORD_DATA)
			r->delta->resumed += record->length;
		return 0;
	}
	if (record->type == RECORD_ZERO)
		ret = delta_zero(r->work.fd, record->offset, record->length);
	else
		ret = delta_pwrite_all(r->work.fd, r->buffer,
				       (size_t)record->length, record->offset);
	if (!ret)
		return 0;
	r->keep = true;
	return delta_fail(r->delta, -ret, "writing %" PRIu64 " bytes at offset %" PRIu64 ": %s",
			  record->length, record->offset, strerror(-ret));
}

static int count(struct receiver *r, const struct delta_record *record)
{
	struct seal_delta *delta = r->delta;

	r->records++;
	r->pos = record->offset + record->length;
	if (record->type == RECORD_DATA)
		r->data += record->length;
	else if (r->applying)
		delta->zero += record->length;
	if (!r->applying)
		return 0;
	delta->data = r->data;
	if (delta->progress &&
	    delta->progress(r->data, r->header.data, delta->progress_arg)) {
		r->keep = true;
		return -ECANCELED;
	}
	return r->data - r->noted >= NOTE_BYTES ? note(r) : 0;
}

/* In place the old contents are looked at before, else while they are read. */
static int one_record(struct receiver *r, const struct delta_record *record)
{
	bool in_place = r->delta->flags & SEAL_DELTA_IN_PLACE;
	int ret = 0;

	if (record->type == RECORD_DATA)
		ret = get_data(r, record);
	if (!ret && r->applying != in_place)
		ret = check_old(r, record, in_place ? r->work.base_fd :
						      r->work.fd);
	if (!ret && r->applying)
		ret = apply(r, record);
	return ret ? ret : count(r, record);
}

static int all_records(struct receiver *r)
{
	struct delta_record record;
	int ret;

	r->check = r->header_check;
	r->records = 0;
	r->data = 0;
	r->pos = 0;
	for (;;) {
		ret = get_record(r, &record);
		if (ret)
			return ret;
		if (record.type == RECORD_END)
			break;
		ret = one_record(r, &record);
		if (ret)
			return ret;
	}
	if (record.offset != r->records || record.length != r->data ||
	    r->data != r->header.data)
		return bad_delta(r, "its end counts something else");
	if (fgetc(r->in) != EOF)
		return bad_delta(r, "something follows its end");
	memcpy(r->new_hash, record.hash, DELTA_HASH_LEN);
	return 0;
}

/* A delta from a pipe that is to be read twice. */
static int spool(struct receiver *r)
{
	FILE *file = tmpfile();
	size_t n;

	if (!file)
		return delta_fail(r->delta, errno, "a temporary file: %s",
				  strerror(errno));
	while ((n = fread(r->buffer, 1, DELTA_CHUNK, r->in)) > 0)
		if (fwrite(r->buffer, 1, n, file) != n)
			break;
	if (ferror(r->in) || fflush(file) || ferror(file)) {
		fclose(file);
		return delta_fail(r->delta, EIO, "storing the delta: %s",
				  strerror(errno));
	}
	rewind(file);
	r->in = file;
	r->spool = file;
	r->start = 0;
	return 0;
}

/* Nothing is changed in place before all of the delta has proved good. */
static int rehearse(struct receiver *r)
{
	uint64_t stream;
	int ret = 0;

	if (r->start < 0)
		ret = spool(r);
	stream = r->delta->stream;
	if (!ret)
		ret = all_records(r);
	if (ret)
		return ret;
	r->delta->stream = stream;
	return fseeko(r->in, r->start, SEEK_SET) < 0 ? -errno : 0;
}

static int check_result(struct receiver *r)
{
	uint8_t hash[DELTA_HASH_LEN];
	int ret;

	if (!(r->header.flags & HEADER_CHECKED))
		return 0;
	ret = delta_hash_file(r->delta, r->work.fd, 0, r->header.new_size, hash);
	if (!ret && memcmp(hash, r->new_hash, DELTA_HASH_LEN) != 0)
		ret = delta_fail(r->delta, EIO,
				 "the result is not what was sent; an earlier attempt may have been disturbed");
	return ret;
}

static int run(struct receiver *r, const char *path)
{
	bool in_place = r->delta->flags & SEAL_DELTA_IN_PLACE;
	int ret;

	ret = get_header(r);
	if (!ret)
		ret = delta_work_open(r->delta, &r->work, path);
	if (!ret)
		ret = check_base(r);
	if (!ret && in_place)
		ret = rehearse(r);
	if (!ret)
		ret = delta_work_begin(r->delta, &r->work, &r->header);
	if (ret)
		return ret;
	r->applying = true;
	ret = all_records(r);
	if (!ret)
		ret = check_result(r);
	/* So that the next attempt begins here. */
	if (ret && (r->keep || in_place) && r->pos)
		note(r);
	return ret ? ret : delta_work_commit(r->delta, &r->work, &r->header);
}

static int receive(struct seal_delta *delta, FILE *in, char *buffers,
		   ZSTD_DCtx *zstd, const char *path)
{
	struct receiver r = {
		.delta = delta,
		.work = { .fd = -1, .base_fd = -1, .dir_fd = -1 },
		.in = in,
		.start = -1,
		.buffer = buffers,
		.packed = buffers + DELTA_CHUNK,
		.zstd = zstd,
	};
	int ret = run(&r, path);

	delta->skipped = r.header.new_size - delta->data - delta->zero;
	delta_work_close(&r.work, ret && !(r.keep && r.pos));
	if (r.spool)
		fclose(r.spool);
	return ret;
}

SEAL_EXPORT int seal_delta_receive(struct seal_delta *delta, int in_fd,
				   const char *path)
{
	char *buffers = malloc(2 * DELTA_CHUNK);
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	int fd = dup(in_fd);
	int ret = -ENOMEM;
	FILE *in = NULL;

	delta->message[0] = '\0';
	if (fd < 0) {
		ret = -errno;
	} else {
		in = fdopen(fd, "r");
		if (!in)
			close(fd);
	}
	if (in && buffers && zstd)
		ret = receive(delta, in, buffers, zstd, path);
	if (in)
		fclose(in);
	ZSTD_freeDCtx(zstd);
	free(buffers);
	return ret;
}
