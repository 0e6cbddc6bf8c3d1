// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl diff: print the blocks in which two files differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "print/diff.h"

enum { OPT_JSON = 256, OPT_BMAP };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "bmap", no_argument, NULL, OPT_BMAP },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* Is the module there? If not, complain. */
static bool have_module(void)
{
	struct seal_session *session = open_session();

	seal_close(session);
	return session;
}

static int complain_open(const struct diff_files *files, int ret,
			 const struct seal_files *report)
{
	const char *path = report->bad_index == 1 ? files->old_path :
						    files->new_path;

	fflush(stdout);
	fprintf(stderr, "sealctl: %s: ", shown(path));
	explain_seal(stderr, -ret, report, path);
	fputs(" (neither file was sealed)\n", stderr);
	return STATUS_FAILED;
}

static int run(struct diff_files *files, int old_fd,
	       int (*print)(const struct diff_files *files))
{
	struct seal_files report;
	bool different = false;
	int ret;

	if (!have_module())
		return STATUS_FAILED;
	ret = seal_diff_open(old_fd, files->new_fd, &files->diff, &report);
	if (ret)
		return complain_open(files, ret, &report);
	files->different = &different;
	ret = print(files);
	seal_diff_close(files->diff);
	if (ret == -ESTALE)
		complain(files->new_path,
			 "the seals were not kept: gates were switched off or missed calls; what was printed is not to be used");
	else if (ret == -EBUSY)
		complain(files->new_path,
			 "a program opened it or the other file for writing, which goes first; what was printed is not to be used; compare snapshots");
	else if (ret)
		complain(files->new_path, "comparing: %s", strerror(-ret));
	if (ret)
		return STATUS_FAILED;
	return different ? STATUS_DIFFERENT : STATUS_OK;
}

int cmd_diff(const struct verb *verb, int argc, char **argv)
{
	int (*print)(const struct diff_files *files) = print_diff_text;
	struct diff_files files = { 0 };
	int status = STATUS_FAILED;
	int option, old_fd;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_JSON:
			print = print_diff_json;
			break;
		case OPT_BMAP:
			print = print_diff_bmap;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 2 != argc)
		return verb_usage(verb);
	files.old_path = argv[optind];
	files.new_path = argv[optind + 1];
	old_fd = open_file(files.old_path, O_RDONLY);
	if (old_fd < 0)
		return STATUS_FAILED;
	files.new_fd = open_file(files.new_path, O_RDONLY);
	if (files.new_fd >= 0) {
		status = run(&files, old_fd, print);
		close(files.new_fd);
	}
	close(old_fd);
	return status;
}
