// SPDX-License-Identifier: GPL-2.0-only
/* Layouts as a line: every byte of the file is in one cell, none twice. */
#include <stdlib.h>
#include <string.h>

#include <libseal.h>

#include "parsers.h"
#include "print/picture.h"

#define MAX_CELLS 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t length, offset = 0, want = 0, got = 0, total;
	struct input in = { data, size };
	struct picture picture;
	char line[MAX_CELLS + 1];
	uint32_t state;

	/* as sealctl map has it: the extents are in order and do not overlap */
	total = input_number(&in);
	must(!picture_begin(&picture, input_number(&in) % MAX_CELLS, total));
	while (picture.cells && in.size) {
		offset += input_number(&in) >> (input_byte(&in) % 64);
		length = input_number(&in) >> (input_byte(&in) % 64);
		state = input_byte(&in) % (PICTURE_STATES + 2);
		if (offset >= total)
			break;
		if (length > UINT64_MAX - offset)
			length = UINT64_MAX - offset;
		picture_add(&picture, offset, length, state);
		if (state < PICTURE_STATES)
			want += length < total - offset ? length :
							  total - offset;
		if (length >= total - offset)
			break;
		offset += length;
	}
	for (unsigned int i = 0; i < picture.cells; i++)
		for (state = 0; state < PICTURE_STATES; state++)
			got += picture.bytes[i][state];
	must(got == want);
	picture_draw(&picture, line);
	must(strlen(line) == picture.cells);
	picture_end(&picture);
	return 0;
}
