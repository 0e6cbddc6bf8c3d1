// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl seal: give files a lasting seal.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "manifest/persist.h"
#include "steps/by_claim.h"
#include "steps/dry_run.h"
#include "steps/seal_step.h"
#include "steps/space.h"
#include "steps/step.h"

static const struct option options[] = {
	{ "prepare", no_argument, NULL, 'p' },
	{ "require", required_argument, NULL, 'r' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "persist", no_argument, NULL, 'P' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct how {
	bool prepare;
	bool dry_run;
	bool persist;
};

/*
 * First allocate all holes, then unshare: unsharing allocates no hole, and
 * preallocating leaves shared blocks shared.
 */
static int prepare_file(struct seal_session *session, const char *path,
			int read_fd, const struct seal_status *status,
			void *arg)
{
	int fd = open_file(path, O_RDWR);
	int ret;

	(void)read_fd;
	(void)status;
	(void)arg;
	if (fd < 0)
		return -EBADF;
	ret = step_prealloc(session, path, fd, SEAL_PREALLOC_WRITTEN, 0, 0);
	if (!ret)
		ret = step_unshare(session, path, fd, 0, 0);
	close(fd);
	return ret;
}

static int add_need(struct seal_session *session, const char *path, int fd,
		    const struct seal_status *status, void *space)
{
	(void)session;
	return space_add(space, path, fd, status,
			 SPACE_HOLES | SPACE_SHARED);
}

/*
 * A file that is sealed already cannot be changed. It need not be if it meets
 * the requirements; sealing checks that.
 */
static int each_to_prepare(struct seal_session *session,
			   const struct file_list *list,
			   int (*act)(struct seal_session *session,
				      const char *path, int fd,
				      const struct seal_status *status,
				      void *arg),
			   void *arg)
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
		ret = act(session, list->paths[i], list->fds[i], &status,
			  arg);
		if (ret)
			return ret;
	}
	return 0;
}

/* What cannot fit as a whole is refused before anything is done. */
static int prepare_files(struct seal_session *session,
			 const struct file_list *list)
{
	struct space *space = space_new();
	int ret;

	if (!space)
		return -ENOMEM;
	ret = each_to_prepare(session, list, add_need, space);
	if (!ret)
		ret = space_check(space);
	space_free(space);
	return ret ? ret : each_to_prepare(session, list, prepare_file, NULL);
}

static bool is_lasting(struct seal_session *session, int fd)
{
	struct seal_status status;

	return !seal_status(session, fd, &status) &&
	       (status.flags & SEAL_STATUS_STICKY);
}

/* Seal and record, all or nothing; lasting seals from before stay. */
static int seal_and_record(struct seal_session *session,
			   const struct file_list *list,
			   const struct requirements *require)
{
	bool *before = calloc(list->nr, sizeof(*before));
	unsigned int i;
	int ret;

	if (!before)
		return -ENOMEM;
	for (i = 0; i < list->nr; i++)
		before[i] = is_lasting(session, list->fds[i]);
	ret = step_seal(session, list, SEAL_SEAL_STICKY, require);
	if (!ret) {
		ret = persist_store(session, list, require);
		for (i = 0; ret && i < list->nr; i++)
			if (!before[i])
				seal_unseal(session, list->fds[i],
					    SEAL_UNSEAL_STICKY);
	}
	free(before);
	return ret;
}

/* A file without a name can later be unsealed by its claim only. */
static void warn_nameless(const struct file_list *list)
{
	struct stat st;
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		if (!fstat(list->fds[i], &st) && !st.st_nlink)
			complain(list->paths[i],
				 "sealed, but it has no name any more; \"sealctl unseal --claim %llu\" lifts the seal",
				 (unsigned long long)claim_of(&st));
}

static int seal(char **paths, int nr, const struct requirements *require,
		const struct how *how)
{
	struct seal_session *session;
	int status = STATUS_FAILED;
	struct file_list list;

	session = open_session();
	if (!session)
		return STATUS_FAILED;
	/* A descriptor for writing could be in the way of other programs. */
	if (open_files(&list, paths, nr, O_RDONLY))
		goto out_session;
	if (how->dry_run) {
		status = dry_run(session, &list, require, how->prepare);
		goto out_files;
	}
	if (how->prepare && prepare_files(session, &list))
		goto out_files;
	if (how->persist ? !seal_and_record(session, &list, require) :
			   !step_seal(session, &list, SEAL_SEAL_STICKY, require))
		status = STATUS_OK;
	if (status == STATUS_OK) {
		warn_nameless(&list);
		warn_log_only(session, &list);
	}
out_files:
	close_files(&list);
out_session:
	seal_close(session);
	return status;
}

int cmd_seal(const struct verb *verb, int argc, char **argv)
{
	struct requirements require = { 0 };
	struct how how = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			how.prepare = true;
			require.mask |= SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
					SEAL_REQ_UNSHARED;
			break;
		case 'r':
			if (parse_require_option(optarg, &require))
				return STATUS_USAGE;
			break;
		case 'n':
			how.dry_run = true;
			break;
		case 'P':
			how.persist = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind == argc || (how.dry_run && how.persist))
		return verb_usage(verb);
	return seal(argv + optind, argc - optind, &require, &how);
}
