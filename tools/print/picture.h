/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of a file as one line. Each character stands for a part of the
 * file, and shows the state of most bytes of that part.
 */
#ifndef SEALCTL_PICTURE_H
#define SEALCTL_PICTURE_H

#include <stdint.h>

#define PICTURE_STATES (SEAL_RANGE_COW + 1)

struct picture {
	unsigned int cells;
	uint64_t size;
	uint64_t (*bytes)[PICTURE_STATES];
};

char picture_symbol(uint32_t state);
int picture_begin(struct picture *picture, unsigned int cells, uint64_t size);
void picture_add(struct picture *picture, uint64_t offset, uint64_t length,
		 uint32_t state);
/* @line has room for picture->cells characters and a NUL. */
void picture_draw(const struct picture *picture, char *line);
void picture_end(struct picture *picture);

#endif /* SEALCTL_PICTURE_H */
