// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealing the files of a command line as one step.
 */
#include "base/errors.h"
#include "base/escape.h"
#include "steps/seal_step.h"

static bool is_sealed(struct seal_session *session, int fd)
{
	struct seal_status status;

	return session && !seal_status(session, fd, &status) &&
	       (status.flags & SEAL_STATUS_SEALED);
}

/* @session: NULL if nothing is required of the files */
static void complain_seal(struct seal_session *session,
			  const struct file_list *list, int error,
			  const struct seal_files *report)
{
	bool sealed = false;
	const char *path;

	if (report->bad_index < list->nr) {
		path = list->paths[report->bad_index];
		sealed = is_sealed(session, list->fds[report->bad_index]);
	} else {
		path = list->nr == 1 ? list->paths[0] : "the files";
	}
	fflush(stdout);
	fprintf(stderr, "sealctl: %s: ", shown(path));
	explain_seal(stderr, error, report, path, sealed);
	if (list->nr > 1)
		fputs(" (none of the files was sealed)", stderr);
	fputc('\n', stderr);
}

void warn_log_only(struct seal_session *session, const struct file_list *list)
{
	struct seal_status status;

	if (!list->nr || seal_status(session, list->fds[0], &status) ||
	    !(status.flags & SEAL_STATUS_LOG_ONLY))
		return;
	complain(list->nr == 1 ? list->paths[0] : "the files",
		 "sealed in log-only mode: the module was loaded with seal.log_only=1, so changes are NOT refused, only counted and logged");
}

int step_seal(struct seal_session *session, const struct file_list *list,
	      uint32_t flags, const struct requirements *require)
{
	struct seal_files report = { 0 };
	int ret;

	ret = seal_files(session, list->fds, list->nr, flags, require->mask,
			 require->max_extents, &report);
	if (ret)
		complain_seal(session, list, -ret, &report);
	return ret;
}

int step_read(const struct file_list *list, struct seal_read **reading)
{
	struct seal_files report = { 0 };
	int ret;

	ret = seal_read_open(list->fds, list->nr, reading, &report);
	if (ret)
		complain_seal(NULL, list, -ret, &report);
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
