/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lasting seals of files that no path leads to, by the numbers of their claims.
 */
#ifndef SEALCTL_BY_CLAIM_H
#define SEALCTL_BY_CLAIM_H

#include <sys/stat.h>

#include <libseal-events.h>

#include "base/sealctl.h"

/*
 * Call @fn for every claim. Return: the sum of its results, or a negative errno
 * value.
 */
int each_claim(int (*fn)(const struct seal_claim *claim, void *arg), void *arg);

/* The number of the lasting claim on a file; 0: none, or not known. */
uint64_t claim_of(const struct stat *st);

/* Say that a file has no lasting seal, and who holds it. */
void complain_held(const char *path, const struct stat *st);

/* Lift a lasting seal. Return: STATUS_OK; STATUS_FAILED after a complaint. */
int unseal_claim(struct seal_session *session, const struct seal_claim *claim);
int unseal_number(struct seal_session *session, uint64_t claim);

/* Return: STATUS_OK; STATUS_USAGE after a complaint. */
int parse_claim(const char *text, uint64_t *claim);

/*
 * Tell the user of sealed files that had one of these paths before. Return: their
 * number.
 */
int tell_former_of(char *const *paths, unsigned int nr);
int tell_former(const char *path);

#endif /* SEALCTL_BY_CLAIM_H */
