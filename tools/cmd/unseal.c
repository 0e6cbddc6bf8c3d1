// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl unseal: lift the lasting seal of files.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "export/export.h"
#include "manifest/persist.h"
#include "steps/by_claim.h"

static const struct option options[] = {
	{ "persistent", no_argument, NULL, 'P' },
	{ "claim", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* An exported file must stay sealed: a device uses its blocks. */
static bool is_exported(const char *path, int fd)
{
	struct export_id id;
	char name[130];

	if (export_id_of(fd, &id) || !export_find(&id, name, sizeof(name)))
		return false;
	complain(path, "it is the device %s; run \"sealctl unexport %s\", which unseals it, too",
		 name, name);
	return true;
}

/* Tell the user that the file is not free yet. */
static int tell_held(struct seal_session *session, const char *path, int fd,
		     bool lifted)
{
	struct seal_status status;
	struct stat st;

	if (seal_status(session, fd, &status) ||
	    !(status.flags & SEAL_STATUS_SEALED))
		return 0;
	if (lifted) {
		complain(path,
			 "its lasting seal is lifted; it stays sealed, %u other holder%s left",
			 status.holders, status.holders == 1 ? "" : "s");
		return 0;
	}
	/* It had none: what was asked for cannot be done in this way. */
	if (!fstat(fd, &st))
		complain_held(path, &st);
	return -EBUSY;
}

/* @or_held: it is no failure if only programs hold it */
static int unseal(struct seal_session *session, const char *path, bool or_held)
{
	struct seal_status status;
	int fd = open_file(path, O_RDONLY);
	bool lasting;
	int ret;

	if (fd < 0) {
		tell_former(path);
		return STATUS_FAILED;
	}
	if (is_exported(path, fd)) {
		close(fd);
		return STATUS_FAILED;
	}
	lasting = !seal_status(session, fd, &status) &&
		  (status.flags & SEAL_STATUS_STICKY);
	ret = seal_unseal(session, fd, SEAL_UNSEAL_STICKY);
	if (ret == -EPERM)
		complain(path,
			 "not permitted; lifting a lasting seal needs its owner or root, and CAP_LINUX_IMMUTABLE");
	else if (ret)
		complain_range(path, "unsealing", -ret);
	else
		ret = tell_held(session, path, fd, lasting);
	close(fd);
	if (ret == -EBUSY && or_held)
		ret = 0;
	/* Another file may have taken the place of the one that was sealed. */
	if (!ret)
		tell_former(path);
	return ret ? STATUS_FAILED : STATUS_OK;
}

struct recorded {
	struct seal_session *session;
	const struct persist_record *record;
};

static int unseal_recorded(const struct seal_claim *claim, void *arg)
{
	const struct recorded *recorded = arg;

	if (!(claim->flags & SEAL_STATUS_STICKY) ||
	    !persist_is_claimed(recorded->record, claim))
		return 0;
	return unseal_claim(recorded->session, claim) ? 1 : 0;
}

/* The file may have another name by now, or none. */
static int unseal_record(const struct persist_record *record, void *context)
{
	struct recorded recorded = { .session = context, .record = record };
	mode_t mode;
	int fd = open_regular(record->path, O_RDONLY, &mode);
	bool here = fd >= 0 && persist_is(record, fd);
	int ret;

	if (fd >= 0)
		close(fd);
	if (here)
		return unseal(context, record->path, true) ? 1 : 0;
	ret = each_claim(unseal_recorded, &recorded);
	if (ret >= 0)
		return ret;
	complain(record->path, "looking for its seal: %s", strerror(-ret));
	return 1;
}

static int unseal_persistent(void)
{
	struct seal_session *session;
	int ret = seal_open(&session);
	int failures;

	/* Without the module nothing is sealed. */
	if (ret == -ENOENT || ret == -ENXIO || ret == -ENODEV)
		return STATUS_OK;
	session = ret ? open_session() : session;
	if (!session)
		return STATUS_FAILED;
	failures = persist_each(unseal_record, session);
	seal_close(session);
	return failures ? STATUS_FAILED : STATUS_OK;
}

/* Remind the user that the file will be sealed again at boot. */
static void remind(const char *path)
{
	mode_t mode;
	int fd = open_regular(path, O_RDONLY, &mode);

	if (fd < 0)
		return;
	if (persist_has(fd))
		complain(path,
			 "unsealed now; it is sealed again at boot, \"sealctl forget %s\" ends that",
			 path);
	close(fd);
}

int cmd_unseal(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	int status = STATUS_OK;
	uint64_t claim = 0;
	bool persistent = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'P':
			persistent = true;
			break;
		case 'c':
			if (parse_claim(optarg, &claim))
				return STATUS_USAGE;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	/* either files, or a claim, or all recorded files */
	if ((persistent && claim) || (claim && optind != argc)) {
		complain("--claim",
			 "one claim, and neither files nor --persistent beside it");
		return verb_usage(verb);
	}
	if (persistent ? optind != argc : !claim && optind == argc)
		return verb_usage(verb);
	if (persistent)
		return unseal_persistent();
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	if (claim)
		status = unseal_number(session, claim);
	for (; optind < argc; optind++)
		if (unseal(session, argv[optind], false))
			status = STATUS_FAILED;
		else
			remind(argv[optind]);
	seal_close(session);
	return status;
}
