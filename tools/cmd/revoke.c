// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl revoke: take files from all their holders.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static int revoke_file(struct seal_session *session, const char *path)
{
	int fd = open_file(path, O_RDONLY);
	unsigned int holders = 0;
	int ret;

	if (fd < 0)
		return STATUS_FAILED;
	ret = seal_revoke(session, fd, &holders);
	close(fd);
	switch (ret) {
	case 0:
		if (!holders) {
			printf("%s: not sealed, nobody holds it\n",
			       shown(path));
			return STATUS_OK;
		}
		printf("%s: taken from %u holder%s\n", shown(path), holders,
		       holders == 1 ? "" : "s");
		return STATUS_OK;
	case -EPERM:
		complain(path,
			 "not permitted; it takes CAP_LINUX_IMMUTABLE and the owner of the file or CAP_FOWNER: be root");
		break;
	case -ENOTTY:
		complain(path,
			 "the loaded module is older than sealctl and cannot revoke; update it and load it again (\"rmmod seal; modprobe seal\")");
		break;
	default:
		complain(path, "%s", strerror(-ret));
		break;
	}
	return STATUS_FAILED;
}

int cmd_revoke(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	int option, status = STATUS_OK;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return verb_help(verb);
		return verb_usage(verb);
	}
	if (optind == argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	for (; optind < argc; optind++)
		if (revoke_file(session, argv[optind]) != STATUS_OK)
			status = STATUS_FAILED;
	seal_close(session);
	return status;
}
