// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes wrong when two files are compared.
 */
#include <errno.h>
#include <string.h>

#include "base/errors.h"
#include "base/escape.h"
#include "steps/compare.h"

bool have_module(void)
{
	struct seal_session *session = open_session();

	seal_close(session);
	return session;
}

void compare_refused(const char *old_path, const char *new_path, int error,
		     const struct seal_files *report)
{
	const char *path = report->bad_index == 1 ? old_path : new_path;

	fflush(stdout);
	fprintf(stderr, "sealctl: %s: ", shown(path));
	explain_seal(stderr, -error, report, path, false);
	fputs(old_path ? " (neither file was sealed)\n" : "\n", stderr);
}

void compare_failed(const char *new_path, int error, const char *what)
{
	if (error == -ESTALE)
		complain(new_path,
			 "the seals were not kept: gates were switched off or missed calls; %s is not to be used",
			 what);
	else if (error == -EBUSY)
		complain(new_path,
			 "a program opened it or the other file for writing, which goes first; %s is not to be used; compare snapshots",
			 what);
	else
		complain(new_path, "comparing: %s", strerror(-error));
}
