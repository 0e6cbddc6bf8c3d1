/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stored maps as files, and maps that the module has confirmed.
 */
#ifndef SEALCTL_MANIFEST_FILE_H
#define SEALCTL_MANIFEST_FILE_H

#include "manifest/manifest.h"

/*
 * The map of a file that was just sealed, with its absolute path. Return: an
 * object, or NULL after a complaint.
 */
struct json_object *manifest_of_sealed(struct seal_session *session,
				       const char *path, int fd);

/* Make a manifest of these files; takes over @files. */
struct json_object *manifest_new(struct json_object *files);

/*
 * Read a manifest from a file, or if @path is NULL from standard input. Return:
 * the whole object, or NULL after a complaint. @files gets its array of files.
 */
struct json_object *manifest_load(const char *path,
				  struct json_object **files);

/* The path of an entry, or NULL. */
const char *manifest_path(struct json_object *entry);

#endif /* SEALCTL_MANIFEST_FILE_H */
