// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of a file as one line.
 */
#include <errno.h>
#include <stdlib.h>

#include <libseal.h>

#include "print/picture.h"

char picture_symbol(uint32_t state)
{
	static const char symbols[PICTURE_STATES] = {
		[SEAL_RANGE_NONE] = '?',
		[SEAL_RANGE_HOLE] = '.',
		[SEAL_RANGE_DELALLOC] = 'd',
		[SEAL_RANGE_UNWRITTEN] = 'u',
		[SEAL_RANGE_WRITTEN] = '#',
		[SEAL_RANGE_SHARED] = 's',
		[SEAL_RANGE_COW] = 'c',
	};

	return state < PICTURE_STATES ? symbols[state] : '?';
}

int picture_begin(struct picture *picture, unsigned int cells, uint64_t size)
{
	/* No cell is smaller than a byte. */
	if (cells > size)
		cells = (unsigned int)size;
	picture->cells = cells;
	picture->size = size;
	picture->bytes = calloc(cells ? cells : 1, sizeof(picture->bytes[0]));
	return picture->bytes ? 0 : -ENOMEM;
}

/* The offset at which a cell begins; the cells together are the whole file. */
static uint64_t cell_start(const struct picture *picture, unsigned int cell)
{
	return picture->size / picture->cells * cell +
	       picture->size % picture->cells * cell / picture->cells;
}

static unsigned int cell_of(const struct picture *picture, uint64_t offset)
{
	unsigned int low = 0, high = picture->cells - 1, middle;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (cell_start(picture, middle) <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

void picture_add(struct picture *picture, uint64_t offset, uint64_t length,
		 uint32_t state)
{
	unsigned int cell;
	uint64_t end, stop;

	if (offset >= picture->size || state >= PICTURE_STATES)
		return;
	end = picture->size - offset < length ? picture->size : offset + length;
	for (cell = cell_of(picture, offset); offset < end; cell++) {
		stop = cell_start(picture, cell + 1);
		if (stop > end)
			stop = end;
		picture->bytes[cell][state] += stop - offset;
		offset = stop;
	}
}

void picture_draw(const struct picture *picture, char *line)
{
	unsigned int cell, state, most;

	for (cell = 0; cell < picture->cells; cell++) {
		most = SEAL_RANGE_NONE;
		for (state = 0; state < PICTURE_STATES; state++)
			if (picture->bytes[cell][state] >
			    picture->bytes[cell][most])
				most = state;
		line[cell] = picture_symbol(most);
	}
	line[picture->cells] = '\0';
}

void picture_end(struct picture *picture)
{
	free(picture->bytes);
	picture->bytes = NULL;
}
