/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells people how a transfer ended.
 */
#ifndef SEALCTL_DELTA_H
#define SEALCTL_DELTA_H

#include <libseal-delta.h>

#include "base/sealctl.h"

int delta_status(const struct seal_delta *delta, int ret);

/* Prints to stderr, since stdout may be the delta. Return: the exit status. */
int delta_result(const struct seal_delta *delta, const char *path, int ret,
		 bool quiet);

#endif /* SEALCTL_DELTA_H */
