// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl seal: a seal that stays until it is lifted.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include "dry_run.h"
#include "errors.h"
#include "seal_step.h"

static const struct option options[] = {
	{ "prepare", no_argument, NULL, 'p' },
	{ "require", required_argument, NULL, 'r' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/*
 * First everything gets blocks, then each block becomes the file's own:
 * unsharing allocates no hole, and preallocating leaves shared blocks shared.
 */
static int prepare_file(struct seal_session *session, const char *path)
{
	int fd = open_file(path, O_RDWR);
	int ret;

	if (fd < 0)
		return -EBADF;
	ret = step_prealloc(session, path, fd, SEAL_PREALLOC_WRITTEN, 0, 0);
	if (!ret)
		ret = step_unshare(session, path, fd, 0, 0);
	close(fd);
	return ret;
}

/*
 * A file that is sealed already cannot be changed, and need not be if it
 * meets the requirements, which sealing will tell.
 */
static int prepare_files(struct seal_session *session,
			 const struct file_list *list)
{
	struct seal_status status;
	unsigned int i;
	int ret;

	for (i = 0; i < list->nr; i++) {
		ret = seal_status(session, list->fds[i], &status);
		if (ret) {
			complain_range(list->paths[i], "reading its map", -ret);
			return ret;
		}
		if ((status.flags & SEAL_STATUS_SEALED) || !status.file_size)
			continue;
		ret = prepare_file(session, list->paths[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int seal(char **paths, int nr, const struct requirements *require,
		bool prepare, bool is_dry_run)
{
	struct seal_session *session;
	int status = STATUS_FAILED;
	struct file_list list;

	session = open_session();
	if (!session)
		return STATUS_FAILED;
	/* An open writable descriptor would be in the way of others. */
	if (open_files(&list, paths, nr, O_RDONLY))
		goto out_session;
	if (is_dry_run) {
		status = dry_run(session, &list, require, prepare);
		goto out_files;
	}
	if (prepare && prepare_files(session, &list))
		goto out_files;
	if (!step_seal(session, &list, SEAL_SEAL_STICKY, require))
		status = STATUS_OK;
out_files:
	close_files(&list);
out_session:
	seal_close(session);
	return status;
}

int cmd_seal(const struct verb *verb, int argc, char **argv)
{
	struct requirements require = { 0 };
	bool is_dry_run = false;
	bool prepare = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			prepare = true;
			require.mask |= SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
					SEAL_REQ_UNSHARED;
			break;
		case 'r':
			if (parse_require_option(optarg, &require))
				return STATUS_USAGE;
			break;
		case 'n':
			is_dry_run = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind == argc)
		return verb_usage(verb);
	return seal(argv + optind, argc - optind, &require, prepare, is_dry_run);
}
