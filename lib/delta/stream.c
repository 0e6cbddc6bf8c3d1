// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading a delta. Every record is checked before any part of it is used.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delta/delta.h"

int delta_stream_open(struct delta_stream *stream, struct seal_delta *delta,
		      int in_fd)
{
	*stream = (struct delta_stream){
		.delta = delta,
		.in_fd = in_fd,
		.spool_fd = -1,
		.start = -1,
		.buffer = malloc(DELTA_CHUNK),
		.packed = malloc(DELTA_CHUNK),
		.zstd = ZSTD_createDCtx(),
	};
	if (stream->buffer && stream->packed && stream->zstd)
		return 0;
	return delta_fail(delta, ENOMEM, "%s", strerror(ENOMEM));
}

void delta_stream_close(struct delta_stream *stream)
{
	ZSTD_freeDCtx(stream->zstd);
	free(stream->packed);
	free(stream->buffer);
	if (stream->spool_fd >= 0)
		close(stream->spool_fd);
}

static int is_damaged(struct delta_stream *stream, const char *what)
{
	return delta_fail(stream->delta, EBADMSG, "the delta is damaged: %s",
			  what);
}

static int get(struct delta_stream *stream, void *data, size_t length)
{
	size_t have;
	int ret;

	ret = delta_read_all(stream->delta, stream->in_fd, data, length, &have);
	stream->stream += have;
	if (!ret && have == length) {
		if (stream->spool_fd < 0 || stream->spool_fd == stream->in_fd)
			return 0;
		ret = delta_write_all(stream->spool_fd, data, length);
		return ret ? delta_fail(stream->delta, -ret, "storing the delta: %s",
					strerror(-ret)) : 0;
	}
	stream->cut = true;
	if (ret == -ECANCELED)
		return ret;
	if (ret)
		return delta_fail(stream->delta, -ret, "reading the delta: %s",
				  strerror(-ret));
	return delta_fail(stream->delta, EBADMSG, "the delta is cut short");
}

/* Only contents whose hash is there can be a base without an identity. */
static bool base_is_sensible(const struct delta_header *header)
{
	if (!(header->flags & HEADER_HAS_BASE))
		return !header->old_size && delta_id_is_none(header->base_id);
	return (header->flags & HEADER_CHECKED) ||
	       !delta_id_is_none(header->base_id);
}

static bool header_is_sensible(const struct delta_header *header)
{
	return base_is_sensible(header) && !delta_id_is_none(header->new_id) &&
	       !(header->flags & ~HEADER_ALL) && !header->reserved &&
	       header->new_size <= INT64_MAX && header->old_size <= INT64_MAX &&
	       header->mtime_nsec <= 999999999 &&
	       header->start <= header->new_size &&
	       header->data <= header->new_size - header->start;
}

int delta_stream_header(struct delta_stream *stream)
{
	struct delta_header *header = &stream->header;
	int ret;

	/* Magic and version come first in every version of the format. */
	ret = get(stream, header, offsetof(struct delta_header, flags));
	if (ret)
		return ret;
	if (memcmp(header->magic, DELTA_MAGIC, sizeof(header->magic)) != 0)
		return delta_fail(stream->delta, EBADMSG, "this is not a delta");
	if (le32toh(header->version) != SEAL_DELTA_VERSION)
		return delta_fail(stream->delta, EPROTONOSUPPORT,
				  "the delta has version %u of the format, this program reads version %d; send it again with the same version of sealctl at both ends",
				  le32toh(header->version), SEAL_DELTA_VERSION);
	ret = get(stream, &header->flags, sizeof(*header) -
		  offsetof(struct delta_header, flags));
	if (ret)
		return ret;
	stream->header_check = delta_header_check(header);
	delta_swap_header(header);
	if (header->check != stream->header_check)
		return is_damaged(stream, "the header does not match its check");
	if (!header_is_sensible(header))
		return is_damaged(stream, "the header has values that cannot be");
	memcpy(stream->delta->base_id, header->base_id, DELTA_ID_LEN);
	memcpy(stream->delta->new_id, header->new_id, DELTA_ID_LEN);
	stream->delta->total = header->data;
	stream->start = lseek(stream->in_fd, 0, SEEK_CUR);
	delta_stream_begin(stream);
	return 0;
}

void delta_stream_begin(struct delta_stream *stream)
{
	stream->check = stream->header_check;
	stream->records = 0;
	stream->data = 0;
	stream->pos = stream->header.start;
}

static bool sensible(const struct delta_stream *stream,
		     const struct delta_record *record)
{
	uint64_t end = record->offset + record->length;
	bool packed = record->flags & RECORD_ZSTD;

	if (record->flags & ~RECORD_ALL)
		return false;
	if ((record->flags & RECORD_HAS_OLD) &&
	    !(stream->header.flags & HEADER_HAS_BASE))
		return false;
	if (record->type == RECORD_END)
		return !record->flags && !record->stored;
	if (!record->length || end < record->offset ||
	    end > stream->header.new_size || record->offset < stream->pos)
		return false;
	if (record->type == RECORD_ZERO)
		return !packed && !record->stored;
	return record->type == RECORD_DATA && record->length <= DELTA_CHUNK &&
	       record->length <= stream->header.data - stream->data &&
	       (packed ? record->stored && record->stored < record->length :
			 record->stored == record->length);
}

static int get_record(struct delta_stream *stream, struct delta_record *record)
{
	uint64_t check;
	int ret;

	ret = get(stream, record, sizeof(*record));
	if (ret)
		return ret;
	check = delta_record_check(record, stream->check);
	delta_swap_record(record);
	if (record->check != check)
		return is_damaged(stream, "a record does not match its check");
	stream->check = check;
	if (!sensible(stream, record))
		return is_damaged(stream, "a record has values that cannot be");
	return 0;
}

/* Read the data of a record into the buffer, and check them. */
static int get_data(struct delta_stream *stream,
		    const struct delta_record *record)
{
	bool packed = record->flags & RECORD_ZSTD;
	uint8_t hash[DELTA_HASH_LEN];
	size_t n;
	int ret;

	ret = get(stream, packed ? stream->packed : stream->buffer,
		  (size_t)record->stored);
	if (ret)
		return ret;
	if (packed) {
		n = ZSTD_decompressDCtx(stream->zstd, stream->buffer,
					DELTA_CHUNK, stream->packed,
					(size_t)record->stored);
		if (ZSTD_isError(n) || n != record->length)
			return is_damaged(stream, "data cannot be decompressed");
	}
	delta_hash(stream->buffer, (size_t)record->length, hash);
	if (memcmp(hash, record->hash, DELTA_HASH_LEN) != 0)
		return is_damaged(stream, "data does not match its hash");
	return 0;
}

static int finish(struct delta_stream *stream, const struct delta_record *record)
{
	size_t have;
	char byte;
	int ret;

	if (record->offset != stream->records ||
	    record->length != stream->data ||
	    stream->data != stream->header.data)
		return is_damaged(stream, "its end counts something else");
	ret = delta_read_all(stream->delta, stream->in_fd, &byte, 1, &have);
	if (ret)
		return ret;
	if (have)
		return is_damaged(stream, "something follows its end");
	memcpy(stream->new_hash, record->hash, DELTA_HASH_LEN);
	return 0;
}

int delta_stream_next(struct delta_stream *stream, struct delta_record *record)
{
	int ret;

	ret = get_record(stream, record);
	if (ret)
		return ret;
	if (record->type == RECORD_END)
		return finish(stream, record);
	if (record->type == RECORD_DATA) {
		ret = get_data(stream, record);
		if (ret)
			return ret;
		stream->data += record->length;
	}
	stream->records++;
	stream->pos = record->offset + record->length;
	return 1;
}
