// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hashes of contents: XXH3, 128 bits.
 */
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

/* Bytes from @offset on that are a hole, at most @length. */
static uint64_t hole_at(int fd, uint64_t offset, uint64_t length)
{
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? length : 0;
	return (uint64_t)data - offset < length ? (uint64_t)data - offset :
						  length;
}

static int update(struct seal_delta *delta, XXH3_state_t *state, int fd,
		  uint64_t offset, uint64_t length, char *buffer)
{
	uint64_t hole;
	size_t part;
	ssize_t n;

	while (length) {
		part = length < DELTA_CHUNK ? (size_t)length : DELTA_CHUNK;
		hole = hole_at(fd, offset, length);
		if (hole) {
			if (hole < part)
				part = (size_t)hole;
			memset(buffer, 0, part);
		} else {
			n = delta_pread_all(fd, buffer, part, offset);
			if (n < 0)
				return (int)n;
			if ((size_t)n < part)
				return -ESTALE;	/* it was truncated */
			delta->read += part;
		}
		XXH3_128bits_update(state, buffer, part);
		offset += part;
		length -= part;
	}
	return 0;
}

int delta_hash_file(struct seal_delta *delta, int fd, uint64_t offset,
		    uint64_t length, uint8_t hash[DELTA_HASH_LEN])
{
	XXH3_state_t *state = XXH3_createState();
	char *buffer = malloc(DELTA_CHUNK);
	uint64_t size;
	struct stat st;
	int ret = -ENOMEM;

	if (!state || !buffer)
		goto out;
	ret = -errno;
	if (fstat(fd, &st) < 0)
		goto out;
	size = (uint64_t)st.st_size;
	if (offset > size)
		length = 0;
	else if (length > size - offset)
		length = size - offset;
	XXH3_128bits_reset(state);
	ret = update(delta, state, fd, offset, length, buffer);
	store(XXH3_128bits_digest(state), hash);
out:
	free(buffer);
	XXH3_freeState(state);
	return ret;
}
