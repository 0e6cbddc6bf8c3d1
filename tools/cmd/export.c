// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl export: make a device of the blocks of a file.
 *
 * The file gets a lasting seal. If a process held the seal, it could be killed
 * and leave the device behind, while the filesystem gives the blocks to other
 * files. The verbs that lift a lasting seal look for a device first.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "export/export.h"
#include "steps/seal_step.h"

enum { OPT_DM = 256, OPT_TABLE };

static const struct option options[] = {
	{ "dm", required_argument, NULL, OPT_DM },
	{ "table", no_argument, NULL, OPT_TABLE },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const struct requirements whole = {
	.mask = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED,
};

static int get_status(struct seal_session *session, const char *path, int fd,
		      struct seal_status *status)
{
	int ret = seal_status(session, fd, status);

	if (ret)
		complain_range(path, "reading its status", -ret);
	return ret;
}

/* "START LENGTH linear DEVICE SECTOR", as "dmsetup create" reads it. */
static void print_table(const struct dm_segments *segments)
{
	const struct dm_segment *segment;
	size_t i;

	for (i = 0; i < segments->nr; i++) {
		segment = &segments->list[i];
		printf("%" PRIu64 " %" PRIu64 " linear %u:%u %" PRIu64 "\n",
		       segment->start, segment->length, segment->major_number,
		       segment->minor_number, segment->target);
	}
}

/* Print the table, but only of a sealed file: other maps may change. */
static int table(struct seal_session *session, const struct file_list *list)
{
	const char *path = list->paths[0];
	struct dm_segments segments;
	struct seal_status status;

	if (get_status(session, path, list->fds[0], &status))
		return STATUS_FAILED;
	if (!is_protected(&status) || (status.met & whole.mask) != whole.mask) {
		complain(path,
			 "not sealed with all blocks written and its own; run \"sealctl seal --prepare %s\" first",
			 path);
		return STATUS_FAILED;
	}
	if (export_table(path, list->fds[0], &segments))
		return STATUS_FAILED;
	print_table(&segments);
	dm_segments_free(&segments);
	return STATUS_OK;
}

static int create(const struct file_list *list, const char *name, bool kept)
{
	const char *path = list->paths[0];
	struct dm_segments segments;
	struct export_id id;
	char uuid[EXPORT_ID_LEN];
	int ret;

	ret = export_id_of(list->fds[0], &id);
	if (ret) {
		complain(path, "its filesystem gives it no handle: %s",
			 strerror(-ret));
		return -1;
	}
	if (export_drop_cache(path, list->fds[0]) ||
	    export_table(path, list->fds[0], &segments))
		return -1;
	export_uuid(&id, kept, uuid);
	ret = dm_create(name, uuid, &segments);
	if (ret)
		complain(name, "making the device: %s", dm_error());
	dm_segments_free(&segments);
	return ret;
}

static bool is_free(const struct file_list *list, const char *name)
{
	struct dm_state state;
	struct export_id id;
	char other[130];

	if (dm_state_of(name, &state)) {
		complain(name, "device-mapper: %s", dm_error());
		return false;
	}
	if (state.exists) {
		complain(name, "there is a device of this name");
		return false;
	}
	if (export_id_of(list->fds[0], &id) ||
	    !export_find(&id, other, sizeof(other)))
		return true;
	complain(list->paths[0], "exported already, as %s", other);
	return false;
}

static int export(struct seal_session *session, const struct file_list *list,
		  const char *name)
{
	const char *path = list->paths[0];
	struct seal_status status;
	bool kept;

	if (!is_free(list, name) ||
	    get_status(session, path, list->fds[0], &status))
		return STATUS_FAILED;
	kept = status.flags & SEAL_STATUS_STICKY;
	if (step_seal(session, list, SEAL_SEAL_STICKY, &whole))
		return STATUS_FAILED;
	if (create(list, name, kept)) {
		if (!kept)
			seal_unseal(session, list->fds[0], SEAL_UNSEAL_STICKY);
		return STATUS_FAILED;
	}
	printf("/dev/mapper/%s\n", name);
	return STATUS_OK;
}

int cmd_export(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	const char *name = NULL;
	bool is_table = false;
	int status = STATUS_FAILED;
	struct file_list list;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_DM:
			name = optarg;
			break;
		case OPT_TABLE:
			is_table = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 1 != argc || is_table == !!name)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	if (!open_files(&list, argv + optind, 1, O_RDONLY)) {
		status = is_table ? table(session, &list) :
				    export(session, &list, name);
		close_files(&list);
	}
	seal_close(session);
	return status;
}
