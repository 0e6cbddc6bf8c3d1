// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl send: write the differences of two files, to be received elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libseal-delta.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "steps/delta.h"
#include "steps/snapshot.h"
#include "steps/step.h"
#include "steps/unnamed.h"

static const struct option options[] = {
	{ "base", required_argument, NULL, 'b' },
	{ "snapshot", optional_argument, NULL, 's' },
	{ "resume", required_argument, NULL, 'r' },
	{ "compress", optional_argument, NULL, 'z' },
	{ "check", required_argument, NULL, 'c' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static bool parse_check(const char *text, uint32_t *flags)
{
	if (!strcmp(text, "ranges"))
		*flags |= SEAL_DELTA_CHECK_RANGES;
	else if (!strcmp(text, "all"))
		*flags |= SEAL_DELTA_CHECK_ALL;
	else
		return false;
	return true;
}

static bool parse_level(const char *text, int *level)
{
	char *end;
	long value;

	if (!text)
		return true;
	value = strtol(text, &end, 10);
	if (end == text || *end || value < 1 || value > 19)
		return false;
	*level = (int)value;
	return true;
}

struct request {
	const char *base;	/* NULL: send all of the file */
	const char *path;
	const char *keep;	/* name for the snapshot, or NULL */
	bool snapshot;
	bool quiet;
	struct seal_delta delta;
};

static int transfer(struct request *request, int old_fd, int new_fd)
{
	struct seal_delta *delta = &request->delta;
	struct step step;
	int status, ret;

	step_begin(&step, request->path);
	delta->progress = step_progress;
	delta->progress_arg = &step;
	ret = seal_delta_send(delta, old_fd, new_fd, STDOUT_FILENO);
	step_end(&step);
	status = delta_result(delta, request->path, ret, request->quiet);
	if (ret && request->snapshot && delta->stream)
		complain(request->path,
			 "its snapshot is gone, so that this cannot be resumed; if that may be needed, make a snapshot with a name (\"sealctl snapshot %s COPY\") and send COPY",
			 request->path);
	return status;
}

static int open_new(const struct request *request)
{
	struct stat st;

	/* Complain now, not after everything was sent. */
	if (request->keep && !lstat(request->keep, &st)) {
		complain(request->keep, "it exists already; give another name, or remove it first");
		return -1;
	}
	if (request->snapshot)
		return snapshot_take(request->path, request->keep);
	return open_file(request->path, O_RDONLY);
}

static int send(struct request *request)
{
	int status = STATUS_FAILED;
	struct seal_session *session;
	int old_fd = -1;
	int new_fd;

	/* A receiver that has gone must not end this without a word. */
	signal(SIGPIPE, SIG_IGN);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	seal_close(session);
	if (request->base) {
		old_fd = open_file(request->base, O_RDONLY);
		if (old_fd < 0)
			return STATUS_FAILED;
	}
	new_fd = open_new(request);
	if (new_fd >= 0) {
		status = transfer(request, old_fd, new_fd);
		if (status == STATUS_OK && request->keep &&
		    unnamed_keep(new_fd, request->keep))
			status = STATUS_FAILED;
		close(new_fd);
	}
	if (old_fd >= 0)
		close(old_fd);
	return status;
}

int cmd_send(const struct verb *verb, int argc, char **argv)
{
	struct request request = { 0 };
	struct seal_delta *delta = &request.delta;
	int option;

	while ((option = getopt_long(argc, argv, "b:s::r:z::c:qh", options,
				     NULL)) != -1) {
		switch (option) {
		case 'b':
			request.base = optarg;
			break;
		case 's':
			request.snapshot = true;
			request.keep = optarg;
			break;
		case 'r':
			delta->resume = optarg;
			break;
		case 'z':
			delta->flags |= SEAL_DELTA_COMPRESS;
			if (parse_level(optarg, &delta->level))
				break;
			complain(optarg, "not a compression level; give 1 to 19");
			return STATUS_USAGE;
		case 'c':
			if (parse_check(optarg, &delta->flags))
				break;
			complain(optarg, "not a check; give \"ranges\" or \"all\"");
			return STATUS_USAGE;
		case 'q':
			request.quiet = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 1 != argc)
		return verb_usage(verb);
	if ((delta->flags & SEAL_DELTA_CHECK_RANGES) && !request.base) {
		complain("--check=ranges", "without --base nothing is replaced");
		return STATUS_USAGE;
	}
	if (request.snapshot && delta->resume) {
		complain("--resume",
			 "a new snapshot has other contents than the one that was sent; give that, or its name");
		return STATUS_USAGE;
	}
	if (isatty(STDOUT_FILENO)) {
		complain("output", "a delta is nothing for a terminal; redirect it");
		return STATUS_USAGE;
	}
	request.path = argv[optind];
	return send(&request);
}
