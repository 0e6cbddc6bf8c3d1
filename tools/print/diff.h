/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways to print the differences of two maps. None of them keeps the ranges
 * in memory.
 */
#ifndef SEALCTL_PRINT_DIFF_H
#define SEALCTL_PRINT_DIFF_H

#include "base/sealctl.h"

struct diff_files {
	const char *old_path;	/* NULL: only where NEW has data */
	const char *new_path;
	int new_fd;
	struct seal_diff *diff;
	uint64_t starting_offset;
	bool zeros;		/* without OLD: also where NEW has none */
	bool *different;	/* out: is there a difference? */
};

/*
 * The next range to print, as seal_diff_next(): without OLD only data, unless zeros
 * are wanted.
 */
int diff_files_next(const struct diff_files *files,
		    struct seal_diff_range *range);

/* Return: 0 or a negative errno value, without a complaint. */
int print_diff_text(const struct diff_files *files);
int print_diff_json(const struct diff_files *files);
int print_diff_bmap(const struct diff_files *files);

#endif /* SEALCTL_PRINT_DIFF_H */
