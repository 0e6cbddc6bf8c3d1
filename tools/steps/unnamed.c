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

static int open_directory(const char *name)
{
	char *copy = strdup(name);
	int fd;

	if (!copy)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	return fd;
}

static int name_it(int fd, const char *name)
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
	return 0;
}

/* The name is on disk when this returns 0; there is none if it fails. */
int unnamed_keep(int fd, const char *name)
{
	/* Before there is a name: one may write to a directory but not read it. */
	int directory = open_directory(name);
	int ret;

	if (directory < 0) {
		complain(name, "opening its directory: %s", strerror(errno));
		return -1;
	}
	ret = name_it(fd, name);
	if (!ret && fsync(directory) < 0) {
		complain(name, "writing its directory: %s", strerror(errno));
		unlink(name);
		ret = -1;
	}
	close(directory);
	return ret;
}
