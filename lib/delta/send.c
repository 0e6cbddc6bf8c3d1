// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The sender. It seals two files, compares their maps, and reads the ranges
 * that differ.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zstd.h>

#include "delta/delta.h"

struct sender {
	struct seal_delta *delta;
	struct seal_diff *diff;
	int old_fd;
	int new_fd;
	int out_fd;
	uint64_t old_size;
	uint64_t new_size;
	struct stat old_st;
	struct stat new_st;
	struct delta_mark new_mark;
	int unmarked;			/* why NEW has no mark: -errno, or 0 */
	struct delta_header header;	/* in the byte order of the host */
	uint64_t check;			/* of the last record or header */
	uint64_t records;
	char *data;
	char *packed;
	size_t packed_size;
	ZSTD_CCtx *zstd;
};

/* Contiguous changes of one kind. */
struct span {
	uint64_t offset;
	uint64_t length;
	uint32_t kind;		/* SEAL_DIFF_DATA or SEAL_DIFF_ZERO */
};

struct spans {
	struct seal_diff *diff;
	struct span next;
};

/* Cut off what an earlier attempt has sent. Return: is anything left? */
static bool clip(struct seal_diff_range *range, uint64_t start)
{
	uint64_t end = range->offset + range->length;

	if (end <= start)
		return false;
	if (range->offset < start) {
		range->offset = start;
		range->length = end - start;
	}
	return true;
}

/*
 * Get the next span. Ranges of kind GONE are left out, since the receiver knows
 * the sizes, and so are ranges of kind LAYOUT, whose contents do not differ.
 * Return: 1, 0 at the end, or a negative errno value.
 */
static int next_span(struct sender *s, struct spans *spans, struct span *span)
{
	struct seal_diff_range range;
	int ret;

	*span = spans->next;
	spans->next.length = 0;
	while ((ret = seal_diff_next(spans->diff, &range)) > 0) {
		ret = delta_poll(s->delta);
		if (ret)
			return ret;
		if (range.kind != SEAL_DIFF_DATA && range.kind != SEAL_DIFF_ZERO)
			continue;
		if (!clip(&range, s->header.start))
			continue;
		if (!span->length) {
			*span = (struct span){ range.offset, range.length,
					       range.kind };
		} else if (range.kind == span->kind &&
			   range.offset == span->offset + span->length) {
			span->length += range.length;
		} else {
			spans->next = (struct span){ range.offset, range.length,
						     range.kind };
			return 1;
		}
	}
	if (ret < 0)
		return ret;
	return span->length ? 1 : 0;
}

static int totals(struct sender *s)
{
	struct spans spans = { .diff = s->diff };
	struct span span;
	int ret;

	while ((ret = next_span(s, &spans, &span)) > 0)
		if (span.kind == SEAL_DIFF_DATA)
			s->header.data += span.length;
	s->delta->total = s->header.data;
	return ret < 0 ? ret : seal_diff_rewind(s->diff);
}

static bool untouched(int fd, const struct stat *before)
{
	struct stat now;

	return !fstat(fd, &now) && now.st_size == before->st_size &&
	       now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* Has the file a mark, and still the contents that the mark was made for? */
static int find_mark(struct sender *s, int fd, const struct stat *st,
		     struct delta_mark *mark, uint64_t *digest)
{
	struct seal_status status;
	int ret;

	ret = seal_status(seal_diff_session(s->diff), fd, &status);
	if (ret)
		return ret;
	*digest = status.digest;
	ret = delta_mark_read(fd, mark);
	if (ret <= 0)
		return ret;
	return delta_mark_fits(mark, st) &&
	       (!mark->has_digest || mark->digest == status.digest);
}

static int identify_old(struct sender *s)
{
	struct seal_delta *delta = s->delta;
	struct delta_mark mark = { 0 };
	uint64_t digest;
	int ret;

	if (s->old_fd < 0)
		return 0;
	s->header.flags |= HEADER_HAS_BASE;
	s->header.old_size = s->old_size;
	ret = delta_settle(s->old_fd, &s->old_st);
	if (ret)
		return delta_fail(delta, -ret, "the base has a timestamp in the future");
	ret = find_mark(s, s->old_fd, &s->old_st, &mark, &digest);
	if (ret < 0)
		return ret;
	if (ret) {
		memcpy(s->header.base_id, mark.id, DELTA_ID_LEN);
	} else if (!(delta->flags & SEAL_DELTA_CHECK_ALL)) {
		return delta_fail(delta, ENODATA,
				  "the base was never sent, or was changed since; send it in full first, or let both files be hashed as a whole");
	}
	if (!(delta->flags & SEAL_DELTA_CHECK_ALL))
		return 0;
	s->header.flags |= HEADER_CHECKED;
	return delta_hash_file(delta, s->old_fd, 0, s->old_size,
			       s->header.base_hash);
}

static int identify_new(struct sender *s)
{
	struct delta_mark *mark = &s->new_mark;
	uint64_t digest = 0;
	int ret;

	s->header.new_size = s->new_size;
	ret = delta_settle(s->new_fd, &s->new_st);
	if (ret)
		return delta_fail(s->delta, -ret, "the file has a timestamp in the future");
	ret = find_mark(s, s->new_fd, &s->new_st, mark, &digest);
	if (ret < 0)
		return ret;
	if (!ret && getrandom(mark->id, DELTA_ID_LEN, 0) != DELTA_ID_LEN)
		return -errno;
	if (s->delta->flags & SEAL_DELTA_CHECK_ALL)
		s->header.flags |= HEADER_CHECKED;
	mark->size = s->new_size;
	mark->mtime = s->new_st.st_mtim;
	mark->has_digest = true;
	mark->digest = digest;
	memcpy(s->header.new_id, mark->id, DELTA_ID_LEN);
	s->header.mtime_sec = s->new_st.st_mtim.tv_sec;
	s->header.mtime_nsec = (uint32_t)s->new_st.st_mtim.tv_nsec;
	/*
	 * Mark it before the first byte is sent: if the transfer is repeated
	 * after an error, it is the same delta, which the receiver can
	 * continue.
	 */
	s->unmarked = delta_mark_write(s->new_fd, mark);
	return 0;
}

/* Begin at the offset that the token of the receiver names. */
static int find_start(struct sender *s)
{
	struct delta_journal token;

	if (!s->delta->resume)
		return 0;
	if (delta_token_parse(s->delta->resume, &token))
		return delta_fail(s->delta, EINVAL,
				  "what is to be resumed is not what \"sealctl receive --where\" prints");
	if (!delta_journal_fits(&token, &s->header))
		return delta_fail(s->delta, ESTALE,
				  "the receiver has begun with other contents or another base; send it from the beginning");
	if (token.done > s->new_size)
		return delta_fail(s->delta, EINVAL,
				  "the receiver is further than the file is long");
	s->header.start = token.done;
	return 0;
}

static int put(struct sender *s, const void *data, size_t length)
{
	int ret;

	s->delta->stream += length;
	ret = delta_write_all(s->out_fd, data, length);
	return ret ? delta_fail(s->delta, -ret, "writing the delta: %s",
				strerror(-ret)) : 0;
}

static int put_header(struct sender *s)
{
	struct delta_header wire = s->header;

	memcpy(wire.magic, DELTA_MAGIC, sizeof(wire.magic));
	wire.version = SEAL_DELTA_VERSION;
	delta_swap_header(&wire);
	s->check = delta_header_check(&wire);
	wire.check = htole64(s->check);
	return put(s, &wire, sizeof(wire));
}

static int put_record(struct sender *s, const struct delta_record *record,
		      const void *payload)
{
	struct delta_record wire = *record;
	int ret;

	delta_swap_record(&wire);
	s->check = delta_record_check(&wire, s->check);
	wire.check = htole64(s->check);
	ret = put(s, &wire, sizeof(wire));
	if (!ret && record->stored)
		ret = put(s, payload, (size_t)record->stored);
	s->records++;
	return ret;
}

static int hash_old(struct sender *s, struct delta_record *record)
{
	if (s->old_fd < 0 || !(s->delta->flags & SEAL_DELTA_CHECK_RANGES))
		return 0;
	record->flags |= RECORD_HAS_OLD;
	return delta_hash_file(s->delta, s->old_fd, record->offset,
			       record->length, record->old_hash);
}

static int report(struct sender *s)
{
	int ret = delta_poll(s->delta);

	return ret ? ret : seal_read_check(seal_diff_reading(s->diff));
}

static int send_chunk(struct sender *s, uint64_t offset, size_t length)
{
	struct delta_record record = {
		.type = RECORD_DATA,
		.offset = offset,
		.length = length,
		.stored = length,
	};
	const void *payload = s->data;
	ssize_t n;
	size_t packed;
	int ret;

	n = delta_pread_all(s->new_fd, s->data, length, offset);
	if (n < 0)
		return (int)n;
	if ((size_t)n < length)
		return -ESTALE;
	s->delta->read += length;
	delta_hash(s->data, length, record.hash);
	ret = hash_old(s, &record);
	if (ret)
		return ret;
	if (s->zstd) {
		packed = ZSTD_compressCCtx(s->zstd, s->packed, s->packed_size,
					   s->data, length,
					   s->delta->level ? s->delta->level :
					   ZSTD_CLEVEL_DEFAULT);
		if (!ZSTD_isError(packed) && packed < length) {
			record.flags |= RECORD_ZSTD;
			record.stored = packed;
			payload = s->packed;
		}
	}
	s->delta->data += length;
	ret = put_record(s, &record, payload);
	return ret ? ret : report(s);
}

static int send_data(struct sender *s, const struct span *span)
{
	uint64_t done = 0;
	uint64_t part;
	int ret = 0;

	while (!ret && done < span->length) {
		part = span->length - done;
		if (part > DELTA_CHUNK)
			part = DELTA_CHUNK;
		ret = send_chunk(s, span->offset + done, (size_t)part);
		done += part;
	}
	return ret;
}

static int send_zero(struct sender *s, const struct span *span)
{
	struct delta_record record = {
		.type = RECORD_ZERO,
		.offset = span->offset,
		.length = span->length,
	};
	int ret;

	/* Without a base, everything that is not sent is a hole. */
	if (s->old_fd < 0)
		return 0;
	s->delta->zero += span->length;
	ret = hash_old(s, &record);
	return ret ? ret : put_record(s, &record, NULL);
}

static int send_end(struct sender *s)
{
	struct delta_record record = {
		.type = RECORD_END,
		.offset = s->records,
		.length = s->header.data,
	};
	int ret;

	if (s->header.flags & HEADER_CHECKED) {
		ret = delta_hash_file(s->delta, s->new_fd, 0, s->new_size,
				      record.hash);
		if (ret)
			return ret;
	}
	/* After a write there is no END, and no receiver takes the delta. */
	if (!untouched(s->new_fd, &s->new_st))
		return delta_fail(s->delta, EBUSY,
				  "the file was written to while it was read; send a snapshot of it");
	if (s->old_fd >= 0 && !untouched(s->old_fd, &s->old_st))
		return delta_fail(s->delta, EBUSY,
				  "the base was written to while it was compared; use a snapshot of it");
	return put_record(s, &record, NULL);
}

static int send_all(struct sender *s)
{
	struct spans spans = { .diff = s->diff };
	struct span span;
	int ret;

	ret = put_header(s);
	if (ret)
		return ret;
	while ((ret = next_span(s, &spans, &span)) > 0) {
		ret = span.kind == SEAL_DIFF_DATA ? send_data(s, &span) :
						    send_zero(s, &span);
		if (ret)
			return ret;
	}
	if (ret < 0)
		return ret;
	/* The data belong to one instant only if the seals held. */
	ret = seal_diff_check(s->diff);
	return ret ? ret : send_end(s);
}

static int allocate(struct sender *s)
{
	s->data = malloc(DELTA_CHUNK);
	if (!s->data)
		return -ENOMEM;
	if (!(s->delta->flags & SEAL_DELTA_COMPRESS))
		return 0;
	s->packed_size = ZSTD_compressBound(DELTA_CHUNK);
	s->packed = malloc(s->packed_size);
	s->zstd = ZSTD_createCCtx();
	return s->packed && s->zstd ? 0 : -ENOMEM;
}

static int open_diff(struct sender *s)
{
	struct seal_files report;
	int ret;

	ret = seal_diff_open(s->old_fd, s->new_fd, &s->diff, &report);
	if (!ret) {
		seal_diff_sizes(s->diff, &s->old_size, &s->new_size);
		return 0;
	}
	if (ret == -ETXTBSY && report.reason[0])
		return delta_fail(s->delta, -ret, "%s is %s; send a snapshot of it",
				  report.bad_index == 1 ? "the base" : "the file",
				  (const char *)report.reason);
	if (report.reason[0] && ret != -EBUSY)
		return delta_fail(s->delta, -ret, "%s cannot be sealed: %s",
				  report.bad_index == 1 ? "the base" : "the file",
				  (const char *)report.reason);
	return ret;
}

static int run(struct sender *s)
{
	int ret;

	ret = allocate(s);
	if (!ret)
		ret = open_diff(s);
	if (!ret)
		ret = identify_old(s);
	if (!ret)
		ret = identify_new(s);
	if (!ret)
		ret = find_start(s);
	if (!ret)
		ret = totals(s);
	if (!ret)
		ret = send_all(s);
	if (ret)
		return ret;
	memcpy(s->delta->base_id, s->header.base_id, DELTA_ID_LEN);
	memcpy(s->delta->new_id, s->header.new_id, DELTA_ID_LEN);
	s->delta->resumed = s->header.start;
	s->delta->skipped = s->new_size - s->header.start - s->delta->data -
			    s->delta->zero;
	if (s->unmarked)
		delta_fail(s->delta, -s->unmarked,
			   "it could not be marked (%s); as a base it has to be hashed as a whole",
			   strerror(-s->unmarked));
	return 0;
}

static int send_delta(struct seal_delta *delta, int old_fd, int new_fd,
		      int out_fd)
{
	struct sender s = {
		.delta = delta,
		.old_fd = old_fd,
		.new_fd = new_fd,
		.out_fd = out_fd,
	};
	int ret;

	delta->message[0] = '\0';
	/* No readahead: the purpose is to read only what differs. */
	posix_fadvise(new_fd, 0, 0, POSIX_FADV_RANDOM);
	ret = run(&s);
	if (ret == -EBUSY && !delta->message[0])
		delta_fail(delta, EBUSY,
			   "a program opened it or its base for writing, which goes first; the delta has no end and cannot be received; send a snapshot");
	seal_diff_close(s.diff);
	ZSTD_freeCCtx(s.zstd);
	free(s.packed);
	free(s.data);
	return ret;
}

SEAL_EXPORT int seal_delta_send_sized(struct seal_delta *delta, size_t size,
				      int old_fd, int new_fd, int out_fd)
{
	struct seal_delta whole;
	int ret = delta_take(&whole, delta, size);

	if (ret)
		return ret;
	ret = send_delta(&whole, old_fd, new_fd, out_fd);
	delta_give(&whole, delta, size);
	return ret;
}
