// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl unseal: lift what sealctl seal did.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "export.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* Its blocks must stay where a device takes them to be. */
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

static int unseal(struct seal_session *session, const char *path)
{
	struct seal_status status;
	int fd = open_file(path, O_RDONLY);
	int ret;

	if (fd < 0)
		return STATUS_FAILED;
	if (is_exported(path, fd)) {
		close(fd);
		return STATUS_FAILED;
	}
	ret = seal_unseal(session, fd, SEAL_UNSEAL_STICKY);
	if (ret == -EPERM)
		complain(path,
			 "not permitted; lifting a lasting seal needs its owner or root, and CAP_LINUX_IMMUTABLE");
	else if (ret)
		complain_range(path, "unsealing", -ret);
	/* Whoever lifts a seal wants to know that the file is not free yet. */
	else if (!seal_status(session, fd, &status) &&
		 (status.flags & SEAL_STATUS_SEALED))
		complain(path,
			 "its lasting seal is lifted; it stays sealed, %u other holder%s left",
			 status.holders, status.holders == 1 ? "" : "s");
	close(fd);
	return ret ? STATUS_FAILED : STATUS_OK;
}

int cmd_unseal(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	int status = STATUS_OK;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return option == 'h' ? verb_help(verb) : verb_usage(verb);
	if (optind == argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	for (; optind < argc; optind++)
		if (unseal(session, argv[optind]))
			status = STATUS_FAILED;
	seal_close(session);
	return status;
}
