// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl restore: at boot, seal files again that were sealed with --persist.
 *
 * First the file and its map are compared with the record, which shows what
 * differs. Then the file is sealed. It stays sealed only if the module reads
 * the recorded map, so a change between the two steps is noticed, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "manifest/persist.h"
#include "steps/seal_step.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* Is the sealed map the recorded one? */
static bool is_kept(struct seal_session *session, const char *path, int fd,
		    struct json_object *entry)
{
	struct seal_status status;
	uint64_t digest;
	int ret;

	ret = seal_status(session, fd, &status);
	if (ret)
		complain(path, "reading its map: %s", strerror(-ret));
	else if (!manifest_digest(entry, &digest) || digest != status.digest)
		complain(path, "its map is not the recorded one; not sealed");
	else if (!is_protected(&status))
		complain(path,
			 "the seal does not protect (\"sealctl status\" says why); not sealed");
	else
		return true;
	return false;
}

static int restore_file(struct seal_session *session,
			const struct persist_record *record, int fd)
{
	char *path = (char *)record->path;
	struct file_list list = { .nr = 1, .paths = &path, .fds = &fd };
	struct seal_status before;
	int ret;

	if (!manifest_check(path, fd, record->entry)) {
		complain(path,
			 "not sealed: it is not as it was recorded; look at it, then \"sealctl seal --persist\" or \"sealctl forget\" it");
		return 1;
	}
	ret = seal_status(session, fd, &before);
	if (ret) {
		complain_range(path, "reading its map", -ret);
		return 1;
	}
	if (step_seal(session, &list, SEAL_SEAL_STICKY, &record->require))
		return 1;
	if (is_kept(session, path, fd, record->entry)) {
		printf("%s: sealed, as recorded\n", shown(path));
		return 0;
	}
	if (!(before.flags & SEAL_STATUS_STICKY))
		seal_unseal(session, fd, SEAL_UNSEAL_STICKY);
	return 1;
}

static int restore(const struct persist_record *record, void *context)
{
	int fd = open_file(record->path, O_RDONLY);
	int failed;

	if (fd < 0) {
		complain(record->path,
			 "not sealed: it is to be sealed and is not there; \"sealctl forget %s\" ends that",
			 record->path);
		return 1;
	}
	failed = restore_file(context, record, fd);
	close(fd);
	return failed;
}

int cmd_restore(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	int option, failures;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return option == 'h' ? verb_help(verb) : verb_usage(verb);
	if (optind != argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	failures = persist_each(restore, session);
	seal_close(session);
	return failures ? STATUS_FAILED : STATUS_OK;
}
