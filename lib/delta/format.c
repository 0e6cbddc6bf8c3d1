// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The format of a delta: byte order, checks of headers and records.
 */
#include <endian.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "delta/delta.h"

_Static_assert(sizeof(struct delta_header) == 112, "no padding");
_Static_assert(sizeof(struct delta_record) == 72, "no padding");

void delta_swap_header(struct delta_header *header)
{
	header->version = htole32(header->version);
	header->flags = htole32(header->flags);
	header->old_size = htole64(header->old_size);
	header->new_size = htole64(header->new_size);
	header->data = htole64(header->data);
	header->mtime_sec = (int64_t)htole64((uint64_t)header->mtime_sec);
	header->mtime_nsec = htole32(header->mtime_nsec);
	header->reserved = htole32(header->reserved);
	header->check = htole64(header->check);
}

void delta_swap_record(struct delta_record *record)
{
	record->type = htole32(record->type);
	record->flags = htole32(record->flags);
	record->offset = htole64(record->offset);
	record->length = htole64(record->length);
	record->stored = htole64(record->stored);
	record->check = htole64(record->check);
}

uint64_t delta_header_check(const struct delta_header *wire)
{
	return XXH64(wire, offsetof(struct delta_header, check), 0);
}

/*
 * The seed is the check before: a record that is missing, doubled, moved or of
 * another delta does not fit where it is.
 */
uint64_t delta_record_check(const struct delta_record *wire, uint64_t seed)
{
	return XXH64(wire, offsetof(struct delta_record, check), seed);
}

int delta_fail(struct seal_delta *delta, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(delta->message, sizeof(delta->message), format, args);
	va_end(args);
	return -error;
}

void delta_id_text(const uint8_t id[DELTA_ID_LEN], char text[33])
{
	unsigned int i;

	for (i = 0; i < DELTA_ID_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
}
