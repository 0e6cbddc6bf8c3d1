// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Questions to the module: about a file, about itself.
 */
#include <errno.h>
#include <string.h>

#include "core/private.h"

/* A module that does not know @ask says E2BIG: then ask for everything. */
int seal_ask_status(struct seal_session *session, int fd,
		    struct seal_status *status)
{
	int ret;

	*status = (struct seal_status){
		.size = sizeof(*status), .fd = fd, .ask = SEAL_ASK_SEAL,
	};
	ret = seal_ioctl(session->fd, SEAL_IOC_STATUS, status);
	return ret == -E2BIG ? seal_status(session, fd, status) : ret;
}

SEAL_EXPORT int seal_status_sized(struct seal_session *session, int fd,
				  struct seal_status *status, size_t size)
{
	struct seal_status whole = { .size = sizeof(whole), .fd = fd };
	int ret = seal_ioctl(session->fd, SEAL_IOC_STATUS, &whole);

	seal_give(status, size, &whole, sizeof(whole));
	return ret;
}

static int get_info(struct seal_session *session, struct seal_info *info,
		    struct seal_fs_info *fs, unsigned int nr_fs)
{
	unsigned int i;
	int ret;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->nr_fs = nr_fs;
	info->fs = nr_fs ? (uintptr_t)fs : 0;
	ret = seal_ioctl(session->fd, SEAL_IOC_INFO, info);
	info->fs = 0;
	if (ret)
		return ret;
	/* Callers print these, so make sure that each ends with a NUL. */
	info->version[sizeof(info->version) - 1] = '\0';
	for (i = 0; i < nr_fs && i < info->nr_fs; i++) {
		fs[i].name[sizeof(fs[i].name) - 1] = '\0';
		fs[i].reason[sizeof(fs[i].reason) - 1] = '\0';
	}
	return 0;
}

SEAL_EXPORT int seal_info_sized(struct seal_session *session,
				struct seal_info *info,
				struct seal_fs_info *fs, unsigned int nr_fs,
				size_t size)
{
	struct seal_info whole;
	int ret = get_info(session, &whole, fs, nr_fs);

	seal_give(info, size, &whole, sizeof(whole));
	return ret;
}
