/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by sealctl list and sealctl monitor. */
#ifndef SEALCTL_CLAIMS_H
#define SEALCTL_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libseal-events.h>

/* Complain that the library could not ask the module; @error is positive. */
void complain_events(int error);

/* Local time, in whole seconds or exactly. */
void format_time(uint64_t ns, char *text, size_t size);
void format_time_exact(uint64_t ns, char *text, size_t size);

/* The most important of the flags of a claim as a word: "broken", "sealed". */
const char *claim_state(uint32_t flags);

/* Read a decimal number that fits; nothing may follow it. */
bool parse_number(const char *text, uint32_t *number);

#endif /* SEALCTL_CLAIMS_H */
