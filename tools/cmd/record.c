// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl record: store the maps that files had at one instant.
 */
#include <fcntl.h>
#include <getopt.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "manifest/file.h"
#include "print/json.h"
#include "steps/seal_step.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int record(struct seal_read *reading, const struct file_list *list)
{
	struct seal_session *session = seal_read_session(reading);
	struct json_object *files = json_object_new_array();
	struct json_object *entry;
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		entry = manifest_of_sealed(session, list->paths[i],
					   list->fds[i]);
		if (!entry) {
			json_object_put(files);
			return STATUS_FAILED;
		}
		json_object_array_add(files, entry);
	}
	if (seal_read_check(reading)) {
		complain("record",
			 "a program opened one of the files for writing, which goes first; use copies that \"sealctl snapshot\" makes");
		json_object_put(files);
		return STATUS_FAILED;
	}
	json_print(manifest_new(files));
	return STATUS_OK;
}

int cmd_record(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	struct seal_read *reading;
	int status = STATUS_FAILED;
	struct file_list list;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return option == 'h' ? verb_help(verb) : verb_usage(verb);
	if (optind == argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	seal_close(session);
	if (!open_files(&list, argv + optind, argc - optind, O_RDONLY)) {
		if (!step_read(&list, &reading)) {
			status = record(reading, &list);
			seal_read_close(reading);
		}
		close_files(&list);
	}
	return status;
}
