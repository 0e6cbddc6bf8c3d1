// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reflinked copies of files that are in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "steps/snapshot.h"
#include "steps/unnamed.h"

static void complain_clone(const char *path, int error)
{
	switch (error) {
	case EOPNOTSUPP:
	case ENOTTY:
	case EINVAL:
		complain(path,
			 "its filesystem cannot share blocks between files (XFS with reflink can); copy it while nobody writes to it, or take a snapshot of the volume below");
		break;
	case EXDEV:
		complain(path,
			 "the copy has to be on the filesystem of the file, with which it shares its blocks");
		break;
	case ETXTBSY:
		complain(path,
			 "it is sealed, and blocks that are in place must not become shared; \"sealctl unseal\" ends that");
		break;
	default:
		complain(path, "copying it: %s", strerror(error));
		break;
	}
}

/* Open the copy again for reading, so that it is not open for writing. */
static int reopen(const char *path, int fd)
{
	char name[40];
	int new;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	new = open(name, O_RDONLY | O_CLOEXEC);
	if (new < 0)
		complain(path, "opening its copy: %s", strerror(errno));
	return new;
}

static int clone_of(const char *path, int from, const char *beside)
{
	char *whole = NULL;
	struct stat st;
	int fd, new = -1;

	if (fstat(from, &st) < 0) {
		complain(path, "%s", strerror(errno));
		return -1;
	}
	/* The directory of the file, not that of a symbolic link to it. */
	if (!beside)
		whole = realpath(path, NULL);
	fd = unnamed_open(beside ? beside : whole ? whole : path,
			  st.st_mode & 0777, "making a copy in it");
	free(whole);
	if (fd < 0)
		return -1;
	if (ioctl(fd, FICLONE, from) < 0)
		complain_clone(path, errno);
	else
		new = reopen(path, fd);
	close(fd);
	return new;
}

int snapshot_take(const char *path, const char *beside)
{
	int from = open_file(path, O_RDONLY);
	int fd;

	if (from < 0)
		return -1;
	fd = clone_of(path, from, beside);
	close(from);
	return fd;
}
