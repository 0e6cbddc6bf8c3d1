// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the module about itself and about filesystems.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "steps/fs_info.h"

/* Does the kernel know this type of filesystem now? */
static bool is_registered(const char *name)
{
	FILE *file = fopen("/proc/filesystems", "re");
	char line[128], type[64];
	bool found = false;

	if (!file)
		return true;
	/* "nodev TYPE" or a tab and the type */
	while (!found && fgets(line, sizeof(line), file))
		found = (sscanf(line, "nodev %63s", type) == 1 ||
			 sscanf(line, "%63s", type) == 1) && !strcmp(type, name);
	fclose(file);
	return found;
}

/*
 * A module that is not loaded has no functions. That a function of it is missing does
 * not say that the filesystem is unsupported.
 */
static void recognise_not_loaded(struct seal_fs_info *fs)
{
	char *reason = (char *)fs->reason;
	char module[32], path[64];

	if (fs->state != SEAL_FS_UNSUPPORTED ||
	    sscanf(reason, "no gate on %31[a-z0-9_]:", module) != 1 ||
	    is_registered((const char *)fs->name))
		return;
	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (!access(path, F_OK))
		return;
	fs->state = SEAL_FS_NOT_LOADED;
	snprintf(reason, sizeof(fs->reason), "module %s is not loaded", module);
}

int get_info(struct seal_session *session, struct seal_info *info,
	     struct seal_fs_info **fs)
{
	struct seal_fs_info *more;
	unsigned int i, room = 16;
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
		if (info->nr_fs <= room) {
			for (i = 0; i < info->nr_fs; i++)
				recognise_not_loaded(&(*fs)[i]);
			return 0;
		}
		room = info->nr_fs;
	}
	complain("/dev/" SEAL_DEVICE_NAME, "%s", strerror(-ret));
	free(*fs);
	*fs = NULL;
	return ret;
}
