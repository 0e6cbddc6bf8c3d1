// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The format of a delta: byte order, checks of headers and records.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "delta/delta.h"

_Static_assert(sizeof(struct delta_header) == 120, "no padding");
_Static_assert(sizeof(struct delta_record) == 72, "no padding");

void delta_swap_header(struct delta_header *header)
{
	header->version = htole32(header->version);
	header->flags = htole32(header->flags);
	header->old_size = htole64(header->old_size);
	header->new_size = htole64(header->new_size);
	header->data = htole64(header->data);
	header->start = htole64(header->start);
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
 * The seed is the check of the record before, so a record that is missing,
 * doubled, moved or from another delta is noticed.
 */
uint64_t delta_record_check(const struct delta_record *wire, uint64_t seed)
{
	return XXH64(wire, offsetof(struct delta_record, check), seed);
}

/*
 * Members that the caller does not know are taken as 0; members that this
 * library does not know must be 0.
 */
int delta_take(struct seal_delta *whole, const struct seal_delta *delta,
	       size_t size)
{
	const uint8_t *bytes = (const uint8_t *)delta;
	size_t i;

	if (size < offsetof(struct seal_delta, message))
		return -EINVAL;
	for (i = sizeof(*whole); i < size; i++)
		if (bytes[i])
			return -E2BIG;
	*whole = (struct seal_delta){ 0 };
	memcpy(whole, delta, size < sizeof(*whole) ? size : sizeof(*whole));
	/* Clear the results. */
	memset(&whole->total, 0, sizeof(*whole) -
	       offsetof(struct seal_delta, total));
	return 0;
}

void delta_give(const struct seal_delta *whole, struct seal_delta *delta,
		size_t size)
{
	memcpy(delta, whole, size < sizeof(*whole) ? size : sizeof(*whole));
}

int delta_poll(struct seal_delta *delta)
{
	if (delta->progress && delta->progress(delta->data, delta->total,
					       delta->progress_arg))
		return -ECANCELED;
	return 0;
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
