// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that have no name before they are complete: nothing is left of them if
 * something fails, or after a crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "steps/unnamed.h"

int unnamed_open(const char *path, mode_t mode, const char *doing)
{
	char *copy = strdup(path);
	const char *dir;
	int fd;

	if (!copy) {
		complain(path, "%s", strerror(ENOMEM));
		return -1;
	}
	dir = dirname(copy);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	if (fd < 0 && errno == EOPNOTSUPP)
		complain(dir,
			 "%s: its filesystem has no files without a name (O_TMPFILE), so that something could be left; give a path on another one",
			 doing);
	else if (fd < 0)
		complain(dir, "%s: %s", doing, strerror(errno));
	free(copy);
	return fd;
}

/* The name is on disk when this returns 0. */
static int sync_directory(const char *name)
{
	char *copy = strdup(name);
	int fd, ret;

	if (!copy)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

int unnamed_keep(int fd, const char *name)
{
	char unnamed[40];

	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	if (fsync(fd) < 0) {
		complain(name, "writing it: %s", strerror(errno));
		return -1;
	}
	if (linkat(AT_FDCWD, unnamed, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0) {
		if (errno == EEXIST)
			complain(name, "it exists already; give another name, or remove it first");
		else
			complain(name, "naming it: %s", strerror(errno));
		return -1;
	}
	if (sync_directory(name) < 0) {
		complain(name, "writing its directory: %s", strerror(errno));
		return -1;
	}
	return 0;
}
