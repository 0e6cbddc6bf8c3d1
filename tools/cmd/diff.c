// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl diff: print the blocks in which two files differ.
 */
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "print/diff.h"
#include "steps/compare.h"

enum { OPT_JSON = 256, OPT_BMAP, OPT_ALLOCATED, OPT_ZEROS };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "bmap", no_argument, NULL, OPT_BMAP },
	{ "allocated", no_argument, NULL, OPT_ALLOCATED },
	{ "zeros", no_argument, NULL, OPT_ZEROS },
	{ "starting-offset", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct request {
	struct diff_files files;
	int (*print)(const struct diff_files *files);
	bool allocated;
	bool json;
	bool bmap;
};

static int run(struct request *request, int old_fd)
{
	struct diff_files *files = &request->files;
	struct seal_files report;
	bool different = false;
	int ret;

	ret = seal_diff_open(old_fd, files->new_fd, &files->diff, &report);
	if (ret) {
		compare_refused(files->old_path, files->new_path, ret, &report);
		return STATUS_FAILED;
	}
	files->different = &different;
	ret = seal_diff_seek(files->diff, files->starting_offset);
	if (!ret)
		ret = request->print(files);
	seal_diff_close(files->diff);
	if (ret) {
		compare_failed(files->new_path, ret, "what was printed");
		return STATUS_FAILED;
	}
	/* One file alone cannot be different. */
	return different && files->old_path ? STATUS_DIFFERENT : STATUS_OK;
}

static int open_and_run(struct request *request)
{
	struct diff_files *files = &request->files;
	int status = STATUS_FAILED;
	int old_fd = -1;

	if (!have_module())
		return STATUS_FAILED;
	if (files->old_path) {
		old_fd = open_file(files->old_path, O_RDONLY);
		if (old_fd < 0)
			return STATUS_FAILED;
	}
	files->new_fd = open_file(files->new_path, O_RDONLY);
	if (files->new_fd >= 0) {
		status = run(request, old_fd);
		close(files->new_fd);
	}
	if (old_fd >= 0)
		close(old_fd);
	return status;
}

/* What does not go together is not guessed at. */
static bool makes_sense(const struct request *request, int nr_files)
{
	const struct diff_files *files = &request->files;
	bool single = request->allocated || request->bmap;

	if (request->bmap && (request->json || request->allocated))
		return false;
	if (nr_files != 2 && !(nr_files == 1 && single))
		return false;
	if (nr_files == 2 && (request->allocated || files->zeros))
		return false;
	if (files->zeros && !request->bmap)
		return false;
	return !files->starting_offset || request->json;
}

int cmd_diff(const struct verb *verb, int argc, char **argv)
{
	struct request request = { .print = print_diff_text };
	struct diff_files *files = &request.files;
	int option;

	while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
		switch (option) {
		case OPT_JSON:
			request.print = print_diff_json;
			request.json = true;
			break;
		case OPT_BMAP:
			request.print = print_diff_bmap;
			request.bmap = true;
			break;
		case OPT_ALLOCATED:
			request.allocated = true;
			break;
		case OPT_ZEROS:
			files->zeros = true;
			break;
		case 's':
			if (!parse_size(optarg, &files->starting_offset))
				break;
			complain(optarg, "not an offset; give a number of bytes");
			return STATUS_USAGE;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (!makes_sense(&request, argc - optind))
		return verb_usage(verb);
	files->new_path = argv[argc - 1];
	if (argc - optind == 2)
		files->old_path = argv[optind];
	return open_and_run(&request);
}
