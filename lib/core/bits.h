/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of numbers below a limit, as bits. What is all zeros or all ones takes no
 * memory: it is kept in chunks, and those are not there.
 */
#ifndef LIBSEAL_BITS_H
#define LIBSEAL_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a chunk. */
#define BITS_BYTES 4096U
#define BITS_CHUNK (8U * BITS_BYTES)

struct bits {
	uint64_t nr;		/* the limit */
	uint8_t **chunks;	/* NULL: zeros; see bits_ones */
};

/* Return: 0; -ENOMEM. */
int bits_init(struct bits *bits, uint64_t nr);
void bits_free(struct bits *bits);

/* Those from @first to before @end, which is at most the limit. */
int bits_set(struct bits *bits, uint64_t first, uint64_t end);

/* The first that is in the set (or not, without @set), from @from on; the limit. */
uint64_t bits_next(const struct bits *bits, uint64_t from, bool set);
/* Is one of those from @first to before @end in the set (or not, without @set)? */
bool bits_any(const struct bits *bits, uint64_t first, uint64_t end, bool set);
uint64_t bits_count(const struct bits *bits);

/*
 * The bits of @length bytes from @byte on. Bit 0 of a byte is the lowest number; what is
 * beyond the limit is 0.
 */
void bits_copy(const struct bits *bits, uint64_t byte, size_t length,
	       uint8_t *to);

#endif /* LIBSEAL_BITS_H */
