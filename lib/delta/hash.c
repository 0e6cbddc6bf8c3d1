// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hashes of contents: XXH3, 128 bits.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "delta/delta.h"

static void store(XXH128_hash_t value, uint8_t hash[DELTA_HASH_LEN])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, value);
	memcpy(hash, canonical.digest, DELTA_HASH_LEN);
}

void delta_hash(const void *data, size_t length, uint8_t hash[DELTA_HASH_LEN])
{
	store(XXH3_128bits(data, length), hash);
}

static bool is_zero(const char *data, size_t length)
{
	return !*data && !memcmp(data, data + 1, length - 1);
}

/* The hash of a file is computed over the numbers and hashes of its pieces. */
static void add_piece(XXH3_state_t *state, uint64_t piece, const char *data,
		      size_t length)
{
	struct {
		uint64_t piece;
		uint8_t hash[DELTA_HASH_LEN];
	} entry = { .piece = htole64(piece) };

	delta_hash(data, length, entry.hash);
	XXH3_128bits_update(state, &entry, sizeof(entry));
}

static int read_piece(struct seal_delta *delta, int fd, uint64_t offset,
		      size_t length, char *buffer)
{
	ssize_t n = delta_pread_all(fd, buffer, length, offset);

	if (n < 0)
		return (int)n;
	if ((size_t)n < length)
		return -ESTALE;	/* the file was truncated */
	delta->read += length;
	return 0;
}

/*
 * Return the position of the next piece that has data, or @end. Returns @pos if
 * the filesystem cannot tell.
 */
static uint64_t skip_hole(int fd, uint64_t offset, uint64_t pos, uint64_t end)
{
	off_t data = lseek(fd, (off_t)(offset + pos), SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : pos;
	if ((uint64_t)data <= offset + pos)
		return pos;
	pos = (uint64_t)data - offset;
	return pos < end ? pos - pos % DELTA_CHUNK : end;
}

static int add_all(struct seal_delta *delta, XXH3_state_t *state, int fd,
		   uint64_t offset, uint64_t length, char *buffer)
{
	uint64_t pos = 0;
	size_t part;
	int ret = 0;

	while (!ret && (pos = skip_hole(fd, offset, pos, length)) < length) {
		part = length - pos < DELTA_CHUNK ? (size_t)(length - pos) :
						    DELTA_CHUNK;
		ret = read_piece(delta, fd, offset + pos, part, buffer);
		if (!ret && !is_zero(buffer, part))
			add_piece(state, pos / DELTA_CHUNK, buffer, part);
		pos += part;
		if (!ret)
			ret = delta_poll(delta);
	}
	return ret;
}

/* Reduce *@length to the bytes of the range that are before EOF. */
static int clip(int fd, uint64_t offset, uint64_t *length)
{
	uint64_t size;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = (uint64_t)st.st_size;
	if (offset > size)
		*length = 0;
	else if (*length > size - offset)
		*length = size - offset;
	return 0;
}

int delta_hash_file(struct seal_delta *delta, int fd, uint64_t offset,
		    uint64_t length, uint8_t hash[DELTA_HASH_LEN])
{
	XXH3_state_t *state = XXH3_createState();
	char *buffer = malloc(DELTA_CHUNK);
	int ret = state && buffer ? 0 : -ENOMEM;
	uint64_t wire;

	if (!ret)
		ret = clip(fd, offset, &length);
	if (!ret) {
		XXH3_128bits_reset(state);
		ret = add_all(delta, state, fd, offset, length, buffer);
	}
	if (!ret) {
		wire = htole64(length);
		XXH3_128bits_update(state, &wire, sizeof(wire));
		store(XXH3_128bits_digest(state), hash);
	}
	free(buffer);
	XXH3_freeState(state);
	return ret;
}

int delta_hash_piece(struct seal_delta *delta, int fd, uint64_t offset,
		     size_t length, uint8_t hash[DELTA_HASH_LEN])
{
	char *buffer = malloc(DELTA_CHUNK);
	int ret = buffer ? 0 : -ENOMEM;

	if (!ret)
		ret = read_piece(delta, fd, offset, length, buffer);
	if (!ret)
		delta_hash(buffer, length, hash);
	free(buffer);
	return ret;
}
