/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of prealloc and unshare.
 */
#ifndef SEALCTL_RANGE_OPTIONS_H
#define SEALCTL_RANGE_OPTIONS_H

#include "base/sealctl.h"

struct range_options {
	uint64_t offset;
	uint64_t length;
	uint32_t flags;
};

int parse_range_options(const struct verb *verb, int argc, char **argv,
			bool is_prealloc, struct range_options *options);

#endif /* SEALCTL_RANGE_OPTIONS_H */
