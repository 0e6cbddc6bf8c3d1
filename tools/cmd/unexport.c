// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl unexport: remove the device of a file, and its lasting seal.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "export/export.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/*
 * Are the blocks still where the device has them? If the logical volume was
 * moved (pvmove) meanwhile, the device went on writing to the old place.
 */
static bool still_there(const char *name, int fd)
{
	struct dm_segments now, then;
	bool equal;

	if (dm_read_named_table(name, &then)) {
		complain(name, "reading its table: %s", dm_error());
		return false;
	}
	if (export_table(name, fd, &now)) {
		dm_segments_free(&then);
		return false;
	}
	equal = dm_segments_equal(&now, &then);
	if (!equal)
		complain(name,
			 "the volume below its file was moved meanwhile: what was written through it since may be elsewhere; check the file");
	dm_segments_free(&then);
	dm_segments_free(&now);
	return equal;
}

/* Remove the device first: its blocks must not become free while it exists. */
static int undo(struct seal_session *session, const char *name, int fd,
		bool kept)
{
	bool good = still_there(name, fd);
	int ret;

	if (dm_remove(name)) {
		complain(name, "removing the device: %s", dm_error());
		return STATUS_FAILED;
	}
	if (export_drop_cache(name, fd))
		good = false;
	if (!kept) {
		ret = seal_unseal(session, fd, SEAL_UNSEAL_STICKY);
		if (ret) {
			complain_range(name, "unsealing its file", -ret);
			good = false;
		}
	}
	return good ? STATUS_OK : STATUS_FAILED;
}

/*
 * Return the state of the device as soon as no program has it open, or after five
 * seconds. When a program that wrote to a device closes it, such as mkfs or umount,
 * udev opens the device for a moment.
 */
#define CLOSE_TRIES	50
static int state_when_closed(const char *name, struct dm_state *state)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	unsigned int i;
	int ret;

	for (i = 0; i < CLOSE_TRIES; i++) {
		ret = dm_state_of(name, state);
		if (ret || !state->exists || !state->open_count)
			return ret;
		nanosleep(&moment, NULL);
	}
	return 0;
}

static int unexport(struct seal_session *session, const char *name)
{
	struct dm_state state;
	struct export_id id;
	int fd, status;
	bool kept;

	if (state_when_closed(name, &state)) {
		complain(name, "device-mapper: %s", dm_error());
		return STATUS_FAILED;
	}
	if (!state.exists || !export_parse(state.uuid, &id, &kept)) {
		complain(name, state.exists ? "not a device that \"sealctl export\" made" :
					      "there is no such device");
		return STATUS_FAILED;
	}
	if (state.open_count) {
		complain(name, "in use; unmount it, or end the programs that have it open");
		return STATUS_FAILED;
	}
	fd = export_open_file(name, &id);
	if (fd < 0)
		return STATUS_FAILED;
	status = undo(session, name, fd, kept);
	close(fd);
	return status;
}

int cmd_unexport(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return option == 'h' ? verb_help(verb) : verb_usage(verb);
	if (optind + 1 != argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	status = unexport(session, argv[optind]);
	seal_close(session);
	return status;
}
