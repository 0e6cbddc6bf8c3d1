/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stored maps: which file, where its blocks are.
 */
#ifndef SEALCTL_MANIFEST_H
#define SEALCTL_MANIFEST_H

#include <json-c/json.h>

#include "base/sealctl.h"

#define MANIFEST_VERSION 1

/*
 * The map of a file as it is now. Return: an object, or NULL after having told
 * why not.
 */
struct json_object *manifest_entry(const char *path, int fd, uint64_t *digest);

/* Does the file agree with the entry? Tells the first thing that does not. */
bool manifest_check(const char *path, int fd, struct json_object *entry);

/* The digest of an entry. Return: whether there is one. */
bool manifest_digest(struct json_object *entry, uint64_t *digest);

#endif /* SEALCTL_MANIFEST_H */
