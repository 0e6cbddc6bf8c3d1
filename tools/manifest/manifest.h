/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of stored maps: which file it is, and where its blocks are.
 */
#ifndef SEALCTL_MANIFEST_H
#define SEALCTL_MANIFEST_H

#include <json-c/json.h>

#include "base/sealctl.h"

#define MANIFEST_VERSION 1

/*
 * Make an entry of the map that a file has now. Return: an object, or NULL
 * after a complaint.
 */
struct json_object *manifest_entry(const char *path, int fd, uint64_t *digest);

/* Do file and map agree with the entry? Complains about one difference. */
bool manifest_check(const char *path, int fd, struct json_object *entry);

/* The digest of an entry. Return: is there one? */
bool manifest_digest(struct json_object *entry, uint64_t *digest);

#endif /* SEALCTL_MANIFEST_H */
