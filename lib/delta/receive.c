// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The receiver. It checks that the file is the base of the delta, and applies
 * the records.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "delta/delta.h"

/* Bytes that are written between two updates of the journal. */
#define NOTE_BYTES	(64 * 1024 * 1024)

struct receiver {
	struct seal_delta *delta;
	struct delta_stream stream;
	struct delta_work work;
	uint64_t noted;
	bool applying;
	bool keep;			/* a later attempt can go on */
	bool disturbed;			/* it has to begin at the beginning */
};

static bool in_place(const struct receiver *r)
{
	return r->delta->flags & SEAL_DELTA_IN_PLACE;
}

static int wrong_base(struct receiver *r, const struct delta_mark *mark)
{
	char have[33], want[33];

	delta_id_text(r->stream.header.base_id, want);
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
	const struct delta_header *header = &r->stream.header;
	uint8_t hash[DELTA_HASH_LEN];
	int ret;

	ret = delta_hash_file(r->delta, r->work.base_fd, 0, header->old_size,
			      hash);
	if (ret)
		return ret;
	if (memcmp(hash, header->base_hash, DELTA_HASH_LEN) != 0)
		return delta_fail(r->delta, ESTALE,
				  "its contents are not those of the base");
	return 0;
}

/*
 * Somebody wrote to the file after the update in place was interrupted. A full delta
 * replaces that if it begins at the beginning; a hash of the whole result tells
 * whether it is right; nothing else does.
 */
static int begin_again(struct receiver *r)
{
	const uint32_t flags = r->stream.header.flags;

	r->work.resumed = flags & HEADER_HAS_BASE;
	if (!(flags & HEADER_HAS_BASE) || (flags & HEADER_CHECKED))
		return 0;
	return delta_fail(r->delta, ESTALE,
			  "somebody wrote to it after the update in place was interrupted, so that this delta would not make it what was sent; receive a full delta");
}

/*
 * An update in place was interrupted. The same delta completes it; a full delta
 * replaces all contents.
 */
static int check_interrupted(struct receiver *r,
			     const struct delta_journal *journal)
{
	const struct delta_header *header = &r->stream.header;

	if (in_place(r) && journal && delta_journal_fits(journal, header)) {
		if (!delta_journal_kept(journal, &r->work.base_st))
			return begin_again(r);
		r->work.resumed = true;
		r->work.done = journal->done;
		return 0;
	}
	if (!(header->flags & HEADER_HAS_BASE))
		return 0;
	if (!journal)
		return delta_fail(r->delta, ESTALE,
				  "its attribute user.seal.receiving makes no sense, so whether it is whole cannot be told; receive a full delta, or remove the attribute (setfattr -x) if nobody was updating it");
	return delta_fail(r->delta, ESTALE,
			  "an update in place was interrupted; receive the same delta again in place, or a full one");
}

static int check_base(struct receiver *r)
{
	const struct delta_header *header = &r->stream.header;
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
	if (ret == 1 || ret == -EINVAL)
		return check_interrupted(r, ret == 1 ? &journal : NULL);
	if (ret < 0)
		return ret;
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

/*
 * The hash of what the record replaces. Like the sender, this leaves out the
 * part of the range beyond the end of the base.
 */
static int hash_old(struct receiver *r, const struct delta_record *record,
		    int fd, uint8_t hash[DELTA_HASH_LEN])
{
	const uint64_t old_size = r->stream.header.old_size;
	uint64_t length = 0;

	if (record->offset < old_size)
		length = old_size - record->offset < record->length ?
			 old_size - record->offset : record->length;
	return delta_hash_file(r->delta, fd, record->offset, length, hash);
}

/*
 * Does the range of the record contain what the sender had there? If an earlier
 * attempt is continued, that may have replaced it already.
 */
static int check_old(struct receiver *r, const struct delta_record *record,
		     int fd)
{
	uint8_t hash[DELTA_HASH_LEN];
	int ret;

	if (!(record->flags & RECORD_HAS_OLD))
		return 0;
	ret = hash_old(r, record, fd, hash);
	if (ret)
		return ret;
	if (!memcmp(hash, record->old_hash, DELTA_HASH_LEN))
		return 0;
	if (r->work.resumed) {
		if (record->type == RECORD_ZERO)
			return 0;
		ret = delta_hash_piece(r->delta, fd, record->offset,
				       (size_t)record->length, hash);
		if (ret && ret != -ESTALE)
			return ret;
		if (!ret && !memcmp(hash, record->hash, DELTA_HASH_LEN))
			return 0;
	}
	return delta_fail(r->delta, ESTALE,
			  "its contents at offset %" PRIu64 " are not those of the base",
			  record->offset);
}

static int note(struct receiver *r, bool last)
{
	int ret;

	if (fdatasync(r->work.fd) < 0)
		return -errno;
	/* What an earlier attempt has brought is still there. */
	ret = delta_work_note(&r->work, &r->stream.header,
			      r->disturbed ? 0 :
			      r->stream.pos > r->work.done ? r->stream.pos :
							     r->work.done, last);
	r->noted = r->stream.data;
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
	ret = delta_work_writes(&r->work, &r->stream.header);
	if (!ret && record->type == RECORD_ZERO)
		ret = delta_zero(r->delta, r->work.fd, record->offset,
				 record->length);
	else if (!ret)
		ret = delta_pwrite_all(r->work.fd, r->stream.buffer,
				       (size_t)record->length, record->offset);
	if (!ret)
		return 0;
	r->keep = true;
	if (ret == -ECANCELED)
		return ret;
	return delta_fail(r->delta, -ret, "writing %" PRIu64 " bytes at offset %" PRIu64 ": %s",
			  record->length, record->offset, strerror(-ret));
}

static int count(struct receiver *r, const struct delta_record *record)
{
	int ret;

	if (r->applying) {
		r->delta->data = r->stream.data;
		if (record->type == RECORD_ZERO)
			r->delta->zero += record->length;
	}
	ret = delta_poll(r->delta);
	if (ret)
		r->keep = true;
	if (ret || !r->applying || r->stream.data - r->noted < NOTE_BYTES)
		return ret;
	return note(r, false);
}

/*
 * An update in place checks the old contents in rehearse(), before anything is
 * changed; otherwise they are checked while records are applied.
 */
static int one_record(struct receiver *r, const struct delta_record *record)
{
	int ret = 0;

	if (r->applying != in_place(r))
		ret = check_old(r, record, in_place(r) ? r->work.base_fd :
							 r->work.fd);
	if (!ret && r->applying)
		ret = apply(r, record);
	return ret ? ret : count(r, record);
}

static int all_records(struct receiver *r)
{
	struct delta_record record;
	int ret;

	delta_stream_begin(&r->stream);
	while ((ret = delta_stream_next(&r->stream, &record)) > 0) {
		ret = one_record(r, &record);
		if (ret)
			break;
	}
	if (r->stream.cut)
		r->keep = true;
	return ret;
}

/*
 * Read and check the whole delta before anything is changed in place. A delta
 * from a pipe is stored meanwhile, because it has to be read once more.
 */
static int rehearse(struct receiver *r)
{
	struct delta_stream *stream = &r->stream;
	int ret;

	if (stream->start < 0) {
		stream->spool_fd = delta_work_spool(r->delta, &r->work);
		if (stream->spool_fd < 0)
			return stream->spool_fd;
	}
	ret = all_records(r);
	r->delta->stream = stream->stream;
	if (ret)
		return ret;
	if (stream->spool_fd >= 0) {
		stream->in_fd = stream->spool_fd;
		stream->start = 0;
	}
	return lseek(stream->in_fd, stream->start, SEEK_SET) < 0 ? -errno : 0;
}

static int check_result(struct receiver *r)
{
	const struct delta_header *header = &r->stream.header;
	uint8_t hash[DELTA_HASH_LEN];
	int ret;

	if (!(header->flags & HEADER_CHECKED))
		return 0;
	ret = delta_hash_file(r->delta, r->work.fd, 0, header->new_size, hash);
	if (ret == -ECANCELED)
		r->keep = true;
	if (ret || !memcmp(hash, r->stream.new_hash, DELTA_HASH_LEN))
		return ret;
	r->disturbed = true;
	return delta_fail(r->delta, EIO,
			  "the result is not what was sent; an earlier attempt may have been disturbed");
}

/* A delta that does not begin at the beginning needs what was sent before. */
static int check_start(struct receiver *r)
{
	uint64_t start = r->stream.header.start;

	if (!start || (r->work.resumed && r->work.done >= start))
		return 0;
	/* Keep what was received: a delta that fits can go on from there. */
	r->keep = r->work.resumed;
	return delta_fail(r->delta, ESTALE,
			  "the delta goes on at offset %llu, and what comes before was not received; send it from the beginning",
			  (unsigned long long)start);
}

static int prepare(struct receiver *r, const char *path)
{
	int ret;

	ret = delta_stream_header(&r->stream);
	if (!ret)
		ret = delta_work_open(r->delta, &r->work, path,
				      &r->stream.header);
	if (!ret)
		ret = check_base(r);
	if (!ret && in_place(r))
		ret = check_start(r);
	if (!ret && in_place(r))
		ret = rehearse(r);
	if (!ret)
		ret = delta_work_begin(r->delta, &r->work, &r->stream.header);
	return ret ? ret : check_start(r);
}

static int run(struct receiver *r, const char *path)
{
	int ret = prepare(r, path);

	if (ret)
		return ret;
	r->applying = true;
	r->keep = false;
	r->stream.cut = false;
	ret = all_records(r);
	if (!in_place(r))
		r->delta->stream = r->stream.stream;
	if (!ret)
		ret = check_result(r);
	/* The next attempt begins here. */
	if (ret && (r->keep || in_place(r)) && r->stream.pos)
		note(r, true);
	return ret ? ret : delta_work_commit(r->delta, &r->work,
					     &r->stream.header);
}

static void outcome(struct seal_delta *delta, const struct receiver *r)
{
	const struct delta_header *header = &r->stream.header;
	uint64_t changed = delta->data + delta->zero;

	if (r->applying && changed <= header->new_size)
		delta->skipped = header->new_size - changed;
}

static int receive(struct seal_delta *delta, int in_fd, const char *path)
{
	struct receiver r = {
		.delta = delta,
		.work = { .fd = -1, .base_fd = -1, .dir_fd = -1 },
	};
	int ret;

	delta->message[0] = '\0';
	ret = delta_stream_open(&r.stream, delta, in_fd);
	if (!ret)
		ret = run(&r, path);
	outcome(delta, &r);
	delta_work_close(&r.work, ret && !(r.keep &&
					   (r.stream.pos || r.work.resumed)));
	delta_stream_close(&r.stream);
	if (ret && ret != -ECANCELED && !delta->message[0])
		delta_fail(delta, -ret, "%s", strerror(-ret));
	return ret;
}

SEAL_EXPORT int seal_delta_receive_sized(struct seal_delta *delta, size_t size,
					 int in_fd, const char *path)
{
	struct seal_delta whole;
	int ret = delta_take(&whole, delta, size);

	if (ret)
		return ret;
	ret = receive(&whole, in_fd, path);
	delta_give(&whole, delta, size);
	return ret;
}

SEAL_EXPORT int seal_delta_where(const char *path, uint32_t flags,
				 char token[SEAL_DELTA_TOKEN_LEN])
{
	struct delta_journal journal;
	int ret = delta_work_find(path, flags, &journal);

	if (ret <= 0)
		return ret ? ret : -ENODATA;
	delta_token_format(&journal, token);
	return 0;
}

/* What the caller of a dump gets. */
struct dump {
	struct seal_delta *delta;
	size_t delta_size;
	struct seal_delta_header *header;
	size_t header_size;
	seal_delta_record_fn fn;
	void *arg;
};

/* Call the function for each record. Needs no file but the delta itself. */
static int look(struct delta_stream *stream, const struct dump *dump)
{
	struct seal_delta_record seen;
	struct delta_record record;
	int ret;

	while ((ret = delta_stream_next(stream, &record)) > 0) {
		seen = (struct seal_delta_record){
			.kind = record.type == RECORD_DATA ? SEAL_DIFF_DATA :
							     SEAL_DIFF_ZERO,
			.flags = record.flags,
			.offset = record.offset,
			.length = record.length,
			.stored = record.stored,
		};
		if (record.type == RECORD_ZERO)
			stream->delta->zero += record.length;
		else
			stream->delta->data += record.length;
		if (dump->fn && dump->fn(&seen, dump->arg))
			return -ECANCELED;
	}
	return ret;
}

/* Header and identities are there before the function is called. */
static void give_header(const struct delta_stream *stream,
			const struct dump *dump)
{
	const struct seal_delta_header whole = {
		.version = stream->header.version,
		.flags = stream->header.flags,
		.old_size = stream->header.old_size,
		.new_size = stream->header.new_size,
		.data = stream->header.data,
		.start = stream->header.start,
		.mtime_sec = stream->header.mtime_sec,
		.mtime_nsec = stream->header.mtime_nsec,
	};

	memcpy(dump->header, &whole, dump->header_size < sizeof(whole) ?
				     dump->header_size : sizeof(whole));
	delta_give(stream->delta, dump->delta, dump->delta_size);
}

static int dump_all(const struct dump *dump, struct seal_delta *delta, int in_fd)
{
	struct delta_stream stream;
	int ret;

	delta->message[0] = '\0';
	ret = delta_stream_open(&stream, delta, in_fd);
	if (!ret)
		ret = delta_stream_header(&stream);
	if (!ret) {
		give_header(&stream, dump);
		ret = look(&stream, dump);
	}
	delta->stream = stream.stream;
	delta_stream_close(&stream);
	return ret;
}

SEAL_EXPORT int seal_delta_dump_sized(struct seal_delta *delta, size_t size,
				      int in_fd,
				      struct seal_delta_header *header,
				      size_t header_size,
				      seal_delta_record_fn fn, void *arg)
{
	const struct dump dump = {
		.delta = delta,
		.delta_size = size,
		.header = header,
		.header_size = header_size,
		.fn = fn,
		.arg = arg,
	};
	struct seal_delta whole;
	int ret = delta_take(&whole, delta, size);

	if (ret)
		return ret;
	ret = dump_all(&dump, &whole, in_fd);
	delta_give(&whole, delta, size);
	return ret;
}
