// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A set of numbers, as bits in chunks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bits.h"

/* Stands for a chunk that is all ones, also beyond the limit. */
static uint8_t ones;

static uint64_t chunks_of(const struct bits *bits)
{
	return (bits->nr + BITS_CHUNK - 1) / BITS_CHUNK;
}

int bits_init(struct bits *bits, uint64_t nr)
{
	bits->nr = nr;
	bits->chunks = calloc(chunks_of(bits) + 1, sizeof(bits->chunks[0]));
	return bits->chunks ? 0 : -ENOMEM;
}

void bits_free(struct bits *bits)
{
	uint64_t i;

	if (!bits->chunks)
		return;
	for (i = 0; i < chunks_of(bits); i++)
		if (bits->chunks[i] != &ones)
			free(bits->chunks[i]);
	free(bits->chunks);
	bits->chunks = NULL;
}

/* Within one chunk. */
static void set_some(uint8_t *chunk, unsigned int first, unsigned int end)
{
	while (first < end && first % 8) {
		chunk[first / 8] |= (uint8_t)(1U << first % 8);
		first++;
	}
	if (end - first >= 8) {
		memset(chunk + first / 8, 0xff, (end - first) / 8);
		first = end - end % 8;
	}
	for (; first < end; first++)
		chunk[first / 8] |= (uint8_t)(1U << first % 8);
}

static int set_in_chunk(struct bits *bits, uint64_t index, unsigned int first,
			unsigned int end)
{
	uint8_t *bytes = bits->chunks[index];
	uint64_t last = bits->nr - index * BITS_CHUNK;
	bool whole;

	if (bytes == &ones)
		return 0;
	if (!bytes) {
		whole = !first && (end == BITS_CHUNK || end == last);
		bytes = whole ? &ones : calloc(1, BITS_BYTES);
		if (!bytes)
			return -ENOMEM;
		bits->chunks[index] = bytes;
		if (whole)
			return 0;
	}
	set_some(bytes, first, end);
	return 0;
}

int bits_set(struct bits *bits, uint64_t first, uint64_t end)
{
	uint64_t index, from, to;
	int ret;

	while (first < end) {
		index = first / BITS_CHUNK;
		from = index * BITS_CHUNK;
		to = from + BITS_CHUNK < end ? from + BITS_CHUNK : end;
		ret = set_in_chunk(bits, index, (unsigned int)(first - from),
				   (unsigned int)(to - from));
		if (ret)
			return ret;
		first = to;
	}
	return 0;
}

/* A byte as it is, without regard to the limit. */
static uint8_t byte_at(const struct bits *bits, uint64_t byte)
{
	const uint8_t *chunk = bits->chunks[byte / BITS_BYTES];

	if (!chunk)
		return 0;
	return chunk == &ones ? 0xff : chunk[byte % BITS_BYTES];
}

/* @end is at most the limit. What is behind it is not looked at. */
static uint64_t find(const struct bits *bits, uint64_t from, uint64_t end,
		     bool set)
{
	const uint8_t skip = set ? 0 : 0xff;
	const uint8_t *none = set ? NULL : &ones;
	uint8_t byte;

	while (from < end) {
		/* neither through a whole chunk nor through a byte bit by bit */
		if (from % BITS_CHUNK == 0 &&
		    bits->chunks[from / BITS_CHUNK] == none) {
			from += BITS_CHUNK;
			continue;
		}
		byte = byte_at(bits, from / 8);
		if (from % 8 == 0 && byte == skip) {
			from += 8;
			continue;
		}
		if ((byte >> from % 8 & 1) == set)
			return from;
		from++;
	}
	return end;
}

uint64_t bits_next(const struct bits *bits, uint64_t from, bool set)
{
	return find(bits, from, bits->nr, set);
}

bool bits_any(const struct bits *bits, uint64_t first, uint64_t end, bool set)
{
	if (end > bits->nr)
		end = bits->nr;
	return find(bits, first, end, set) < end;
}

uint64_t bits_count(const struct bits *bits)
{
	uint64_t count = 0, first = 0, end;

	while ((first = bits_next(bits, first, true)) < bits->nr) {
		end = bits_next(bits, first, false);
		count += end - first;
		first = end;
	}
	return count;
}

void bits_copy(const struct bits *bits, uint64_t byte, size_t length,
	       uint8_t *to)
{
	uint64_t end = (bits->nr + 7) / 8;
	size_t i;

	for (i = 0; i < length; i++) {
		to[i] = byte + i < end ? byte_at(bits, byte + i) : 0;
		if (byte + i + 1 == end && bits->nr % 8)
			to[i] &= (uint8_t)((1U << bits->nr % 8) - 1);
	}
}
