/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seals of files that no path leads to, by the numbers of their claims.
 */
#ifndef SEALCTL_BY_CLAIM_H
#define SEALCTL_BY_CLAIM_H

#include <sys/stat.h>

#include <libseal-events.h>

#include "base/sealctl.h"

/*
 * Calls @fn for every claim. Return: the sum of what @fn returned, or a negative
 * errno value.
 */
int each_claim(int (*fn)(const struct seal_claim *claim, void *arg), void *arg);

/* Of the lasting seal of a file, 0: there is none, or it cannot be told. */
uint64_t claim_of(const struct stat *st);

/* Lift it. Return: STATUS_OK, or STATUS_FAILED after having told why not. */
int unseal_claim(struct seal_session *session, const struct seal_claim *claim);
int unseal_number(struct seal_session *session, const char *number);

/* Tell of sealed files that had this path before. Return: how many. */
int tell_former(const char *path);

#endif /* SEALCTL_BY_CLAIM_H */
