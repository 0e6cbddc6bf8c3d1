/* SPDX-License-Identifier: GPL-2.0-only */
/* What sealctl list and sealctl monitor have in common. */
#ifndef SEALCTL_CLAIMS_H
#define SEALCTL_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libseal-events.h>

/* Tell why the library could not ask the module; @error is positive. */
void complain_events(int error);

/* Local time, to the second or with what is behind it. */
void format_time(uint64_t ns, char *text, size_t size);
void format_time_exact(uint64_t ns, char *text, size_t size);

/* "broken", "sealed", ... and what else is true of a claim, as one word. */
const char *claim_state(uint32_t flags);

/* A decimal number that fits, and nothing else. */
bool parse_number(const char *text, uint32_t *number);

#endif /* SEALCTL_CLAIMS_H */
