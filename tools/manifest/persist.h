/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are to be sealed again at boot. There is a record for each of
 * them: a manifest that also has the requirements with which the file was
 * sealed.
 */
#ifndef SEALCTL_PERSIST_H
#define SEALCTL_PERSIST_H

#include <libseal-events.h>

#include "manifest/file.h"

#define PERSIST_DIR "/var/lib/seal"

/* A record, as persist_each() passes it. */
struct persist_record {
	const char *name;		/* of the file in PERSIST_DIR */
	const char *path;		/* of the file that is to be sealed */
	struct json_object *entry;
	struct requirements require;
};

/*
 * Record sealed files, all or none. Return: 0, or -1 after a complaint.
 */
int persist_store(struct seal_session *session, const struct file_list *list,
		  const struct requirements *require);

/*
 * Call @act for every record, in no particular order. A record that cannot be
 * read leads to a complaint and counts as 1. Return: the sum of all results of
 * @act.
 */
int persist_each(int (*act)(const struct persist_record *record, void *context),
		 void *context);

/* Remove a record. Return: 0, or -1 after a complaint. */
int persist_remove(const struct persist_record *record);

/* Is the record of this file? */
bool persist_is(const struct persist_record *record, int fd);

/* Is the record of the file that @claim is on, whatever path that has now? */
bool persist_is_claimed(const struct persist_record *record,
			const struct seal_claim *claim);

/* Is there a record of the file? */
bool persist_has(int fd);

#endif /* SEALCTL_PERSIST_H */
