// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finds the program that has a file open or mapped for writing, for a message
 * to people. The kernel has already said that there is one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/private.h"
#include "core/writer.h"

/* Is this the name of a process, or of a descriptor, in /proc? */
static bool is_number(const char *name)
{
	return *name && name[strspn(name, "0123456789")] == '\0';
}

static bool same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return !stat(path, &other) && other.st_ino == st->st_ino &&
	       other.st_dev == st->st_dev;
}

/* The first line of a file in /proc or /sys, "" if there is none. */
static void first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (!file)
		return;
	if (!fgets(line, (int)size, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

/* A process chooses its name: replace what is not a plain character. */
static void only_plain(char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			*text = '?';
}

/*
 * Is this descriptor open for writing to the file? fdinfo has the number of the
 * inode, so that files of other programs need not be looked up.
 */
static bool descriptor_writes(const char *pid, const char *fd,
			      const struct stat *st)
{
	char path[300], line[128];
	unsigned int flags = 0;
	uint64_t inode = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "flags:", 6))
			flags = (unsigned int)strtoul(line + 6, NULL, 8);
		else if (!strncmp(line, "ino:", 4))
			inode = strtoull(line + 4, NULL, 10);
	}
	fclose(file);
	if (inode != st->st_ino || (flags & O_ACCMODE) == O_RDONLY ||
	    (flags & O_PATH))
		return false;
	snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, fd);
	return same_file(path, st);
}

static bool has_open(const char *pid, const struct stat *st)
{
	struct dirent *entry;
	bool found = false;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = is_number(entry->d_name) &&
			descriptor_writes(pid, entry->d_name, st);
	closedir(dir);
	return found;
}

/* Has it a shared mapping for writing? It may have closed its descriptor. */
static bool has_mapped(const char *pid, const struct stat *st)
{
	unsigned int major_number, minor_number;
	char path[64], line[512], mode[5];
	bool found = false;
	uint64_t inode;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*x-%*x %4s %*x %x:%x %" SCNu64, mode,
			       &major_number, &minor_number, &inode) == 4 &&
			mode[3] == 's' && mode[1] == 'w' &&
			inode == st->st_ino &&
			major_number == major(st->st_dev) &&
			minor_number == minor(st->st_dev);
	fclose(file);
	return found;
}

static bool find_process(const struct stat *st, char *text, size_t size)
{
	DIR *dir = opendir("/proc");
	char path[64], name[32];
	struct dirent *entry;
	bool found = false;
	const char *how;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (!is_number(entry->d_name))
			continue;
		if (has_open(entry->d_name, st))
			how = "open";
		else if (has_mapped(entry->d_name, st))
			how = "mapped";
		else
			continue;
		found = true;
		snprintf(path, sizeof(path), "/proc/%.20s/comm", entry->d_name);
		first_line(path, name, sizeof(name));
		only_plain(name);
		snprintf(text, size, "%s for writing by process %.20s (%s)", how,
			 entry->d_name, name);
	}
	closedir(dir);
	return found;
}

static bool find_loop(const struct stat *st, char *text, size_t size)
{
	DIR *dir = opendir("/sys/block");
	char path[300], backing[4096];
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%.32s/loop/backing_file",
			 entry->d_name);
		first_line(path, backing, sizeof(backing));
		found = *backing && same_file(backing, st);
		if (found)
			snprintf(text, size, "open for writing by /dev/%.32s",
				 entry->d_name);
	}
	closedir(dir);
	return found;
}

static bool find_swap(const struct stat *st, char *text, size_t size)
{
	FILE *file = fopen("/proc/swaps", "re");
	char line[4096];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t")] = '\0';
		found = same_file(line, st);
	}
	fclose(file);
	if (found)
		snprintf(text, size, "swapped to");
	return found;
}

void writer_describe(int fd, char *text, size_t size)
{
	struct stat st;

	if (!fstat(fd, &st) &&
	    (find_process(&st, text, size) || find_loop(&st, text, size) ||
	     find_swap(&st, text, size)))
		return;
	snprintf(text, size,
		 "open for writing by the kernel or by a process that cannot be seen from here");
}
