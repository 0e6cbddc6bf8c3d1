/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a delta has in it, and what came of it.
 */
#ifndef SEALCTL_PRINT_DELTA_H
#define SEALCTL_PRINT_DELTA_H

#include <stdbool.h>

#include <libseal-delta.h>

/* Record by record, none is kept in memory. Return: as seal_delta_dump(). */
int print_delta(struct seal_delta *delta, int fd, bool json);

void print_delta_result(const struct seal_delta *delta, const char *path);

#endif /* SEALCTL_PRINT_DELTA_H */
