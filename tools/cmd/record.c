// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl record: store the maps of files, as they were at one instant.
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

static int record(struct seal_session *session, const struct file_list *list)
{
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
	json_print(manifest_new(files));
	return STATUS_OK;
}

int cmd_record(const struct verb *verb, int argc, char **argv)
{
	const struct requirements none = { 0 };
	struct seal_session *session;
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
	if (!open_files(&list, argv + optind, argc - optind, O_RDONLY)) {
		if (!step_seal(session, &list, 0, &none))
			status = record(session, &list);
		close_files(&list);
	}
	seal_close(session);
	return status;
}
