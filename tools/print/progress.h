/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A progress bar with the remaining time.
 */
#ifndef SEALCTL_PROGRESS_H
#define SEALCTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct progress {
	char label[512];
	bool terminal;
	bool drawn;
	struct timespec begin;
	struct timespec last;
};

unsigned int progress_percent(uint64_t done, uint64_t total);
/* The remaining seconds, or -1 if they are not known yet. */
int64_t progress_eta(uint64_t done, uint64_t total, uint64_t elapsed_ms);
void progress_line(char *line, size_t size, unsigned int columns,
		   const char *label, uint64_t done, uint64_t total,
		   uint64_t elapsed_ms);

void progress_begin(struct progress *progress, const char *label);
void progress_update(struct progress *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

/* Columns of the terminal @fd; 0 if it is no terminal. */
unsigned int terminal_columns(int fd);

#endif /* SEALCTL_PROGRESS_H */
