// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the module about itself and about filesystems.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/errors.h"
#include "steps/fs_info.h"

int get_info(struct seal_session *session, struct seal_info *info,
	     struct seal_fs_info **fs)
{
	struct seal_fs_info *more;
	unsigned int room = 16;
	int ret;

	*fs = NULL;
	for (;;) {
		more = realloc(*fs, room * sizeof(*more));
		if (!more) {
			ret = -ENOMEM;
			break;
		}
		*fs = more;
		ret = seal_info(session, info, *fs, room);
		if (ret)
			break;
		if (info->nr_fs <= room)
			return 0;
		room = info->nr_fs;
	}
	complain("/dev/" SEAL_DEVICE_NAME, "%s", strerror(-ret));
	free(*fs);
	*fs = NULL;
	return ret;
}

const struct seal_fs_info *find_fs_info(const struct seal_info *info,
					const struct seal_fs_info *fs, int fd)
{
	char name[SEAL_NAME_LEN];
	unsigned int i;

	if (!filesystem_name(fd, name, sizeof(name)))
		return NULL;
	for (i = 0; i < info->nr_fs; i++)
		if (!strcmp((const char *)fs[i].name, name))
			return &fs[i];
	return NULL;
}
