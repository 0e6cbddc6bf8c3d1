// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealing the files of a command line as one step.
 */
#include "base/errors.h"
#include "steps/seal_step.h"

int step_seal(struct seal_session *session, const struct file_list *list,
	      uint32_t flags, const struct requirements *require)
{
	struct seal_files report = { 0 };
	const char *path;
	int ret;

	ret = seal_files(session, list->fds, list->nr, flags, require->mask,
			 require->max_extents, &report);
	if (!ret)
		return 0;
	if (report.bad_index < list->nr)
		path = list->paths[report.bad_index];
	else
		path = list->nr == 1 ? list->paths[0] : "the files";
	fflush(stdout);
	fprintf(stderr, "sealctl: %s: ", path);
	explain_seal(stderr, -ret, &report, path);
	if (list->nr > 1)
		fputs(" (none of the files was sealed)", stderr);
	fputc('\n', stderr);
	return ret;
}

int parse_require_option(const char *text, struct requirements *require)
{
	int ret = parse_require(text, require);

	if (ret)
		complain(text,
			 "not a list of requirements; give some of allocated,written,unshared,extents=N");
	return ret;
}
