/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints the records of a delta, and the result of a transfer.
 */
#ifndef SEALCTL_PRINT_DELTA_H
#define SEALCTL_PRINT_DELTA_H

#include <stdbool.h>

#include <libseal-delta.h>

/* Print one record after the other. Return: as seal_delta_dump(). */
int print_delta(struct seal_delta *delta, int fd, bool json);

void print_delta_result(const struct seal_delta *delta, const char *path);

#endif /* SEALCTL_PRINT_DELTA_H */
