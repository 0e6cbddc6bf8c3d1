// SPDX-License-Identifier: GPL-2.0-only
/*
 * The type of the filesystem that a file is on, as the kernel calls it; and
 * where a filesystem is mounted.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/sealctl.h"

/* Whoever may mount by FUSE chooses the part of the type behind "fuse.". */
static void only_plain(char *name)
{
	for (; *name; name++)
		if (*name <= ' ' || *name > '~')
			*name = '?';
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD...] - TYPE SOURCE ..." */
static bool match(const char *line, dev_t device, char *name, size_t size)
{
	unsigned int major_number, minor_number;
	const char *type;

	if (sscanf(line, "%*u %*u %u:%u", &major_number, &minor_number) != 2)
		return false;
	if (makedev(major_number, minor_number) != device)
		return false;
	type = strstr(line, " - ");
	if (!type)
		return false;
	type += 3;
	snprintf(name, size, "%.*s", (int)strcspn(type, " "), type);
	if (size)
		only_plain(name);
	return true;
}

bool filesystem_name(int fd, char *name, size_t size)
{
	char *line = NULL;
	bool found = false;
	size_t room = 0;
	struct stat st;
	FILE *file;

	if (fstat(fd, &st) < 0)
		return false;
	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return false;
	while (!found && getline(&line, &room, file) > 0)
		found = match(line, st.st_dev, name, size);
	free(line);
	fclose(file);
	return found;
}

/* Open a directory of the filesystem, from which to open a file by handle. */
int open_filesystem(unsigned int major_number, unsigned int minor_number)
{
	unsigned int other_major, other_minor;
	char *line = NULL, *point;
	size_t room = 0;
	FILE *file;
	int fd = -1;

	file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return -1;
	while (fd < 0 && getline(&line, &room, file) > 0) {
		if (sscanf(line, "%*u %*u %u:%u %*s %ms", &other_major,
			   &other_minor, &point) != 3)
			continue;
		if (other_major == major_number && other_minor == minor_number)
			fd = open(point, O_RDONLY | O_CLOEXEC);
		free(point);
	}
	free(line);
	fclose(file);
	return fd;
}
