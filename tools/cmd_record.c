// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl record: store the maps of files, as they were at one instant.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "manifest.h"
#include "print_json.h"
#include "seal_step.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* What FIEMAP told must be what the module froze. */
static bool confirmed(struct seal_session *session, const char *path, int fd,
		      uint64_t digest)
{
	struct seal_status status;
	int ret = seal_status(session, fd, &status);

	if (ret)
		complain(path, "reading its map: %s", strerror(-ret));
	else if (!is_protected(&status) || status.digest != digest)
		complain(path, "the seal was not kept; its map cannot be recorded");
	else
		return true;
	return false;
}

static struct json_object *record_file(struct seal_session *session,
				       const char *path, int fd)
{
	char *whole = realpath(path, NULL);
	struct json_object *entry;
	uint64_t digest;

	/* It may be verified from elsewhere. */
	entry = manifest_entry(whole ? whole : path, fd, &digest);
	free(whole);
	if (entry && !confirmed(session, path, fd, digest)) {
		json_object_put(entry);
		return NULL;
	}
	return entry;
}

static int record(struct seal_session *session, const struct file_list *list)
{
	struct json_object *top = json_object_new_object();
	struct json_object *files = json_object_new_array();
	struct json_object *entry;
	unsigned int i;

	json_add_number(top, "version", MANIFEST_VERSION);
	json_add(top, "files", files);
	for (i = 0; i < list->nr; i++) {
		entry = record_file(session, list->paths[i], list->fds[i]);
		if (!entry) {
			json_object_put(top);
			return STATUS_FAILED;
		}
		json_object_array_add(files, entry);
	}
	json_print(top);
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
