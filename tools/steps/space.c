// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether what is to be allocated fits into the filesystem.
 */
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/errors.h"
#include "steps/space.h"

bool space_suffices(int fd, const struct seal_status *status, uint64_t *need,
		    uint64_t *space)
{
	struct statvfs fs;

	*need = status->hole + status->shared;
	if (fstatvfs(fd, &fs) < 0)
		return true;
	/* Part of it may be kept for root. */
	*space = (uint64_t)(geteuid() ? fs.f_bavail : fs.f_bfree) * fs.f_frsize;
	return *space >= *need;
}

int space_check(const char *path, int fd, const struct seal_status *status)
{
	char want[24], have[24];
	uint64_t need, space;

	if (space_suffices(fd, status, &need, &space))
		return 0;
	complain(path,
		 "needs %s for its holes and shared blocks, and its filesystem has %s; make room first, nothing was done to it",
		 format_size(need, want, sizeof(want)),
		 format_size(space, have, sizeof(have)));
	return -ENOSPC;
}
