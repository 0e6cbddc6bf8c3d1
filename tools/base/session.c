// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens a session with the module, or complains why there is none.
 */
#include <grp.h>
#include <sys/stat.h>

#include "base/errors.h"
#include "base/sealctl.h"

#define NODE "/dev/" SEAL_DEVICE_NAME

bool is_protected(const struct seal_status *status)
{
	return (status->flags & SEAL_STATUS_SEALED) &&
	       !(status->flags & (SEAL_STATUS_DISARMED | SEAL_STATUS_MISSED |
				  SEAL_STATUS_BROKEN | SEAL_STATUS_LOG_ONLY));
}

struct seal_session *open_session(void)
{
	struct seal_session *session;
	const struct group *group = NULL;
	struct stat st;
	int ret = seal_open(&session);

	if (!ret)
		return session;
	if (!stat(NODE, &st))
		group = getgrgid(st.st_gid);
	fputs("sealctl: " NODE ": ", stderr);
	explain_session(stderr, -ret, seal_module_abi(),
			group ? group->gr_name : NULL);
	fputc('\n', stderr);
	return NULL;
}
