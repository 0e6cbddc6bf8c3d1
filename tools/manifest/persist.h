/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are to be sealed again at boot: one manifest for each, which
 * besides the map has the requirements it was sealed with.
 */
#ifndef SEALCTL_PERSIST_H
#define SEALCTL_PERSIST_H

#include <libseal-events.h>

#include "manifest/file.h"

#define PERSIST_DIR "/var/lib/seal"

/* A record, as persist_each() hands it out. */
struct persist_record {
	const char *name;		/* of the file in PERSIST_DIR */
	const char *path;		/* of the file that is to be sealed */
	struct json_object *entry;
	struct requirements require;
};

/*
 * Records files that are sealed, all or none. Return: 0, or -1 after having told
 * why not.
 */
int persist_store(struct seal_session *session, const struct file_list *list,
		  const struct requirements *require);

/*
 * Calls @act for every record, in no order. A record that cannot be read is
 * told and counts as a failure. Return: the sum of what @act returned.
 */
int persist_each(int (*act)(const struct persist_record *record, void *context),
		 void *context);

/* Removes a record. Return: 0, or -1 after having told why not. */
int persist_remove(const struct persist_record *record);

/* Is the record of this file? */
bool persist_is(const struct persist_record *record, int fd);

/* Is it of the file that a claim is on, wherever that is now? */
bool persist_is_claimed(const struct persist_record *record,
			const struct seal_claim *claim);

/* Is there a record of the file? */
bool persist_has(int fd);

#endif /* SEALCTL_PERSIST_H */
