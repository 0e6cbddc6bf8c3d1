// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identifies the file that a device is made of.
 *
 * "SEAL-MAJOR:MINOR-TYPE-HANDLE-s": the device of the filesystem, the file
 * handle in hexadecimal. The last letter is "k" if the file had a lasting seal
 * before, which sealctl unexport is to keep.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/errors.h"
#include "export/export.h"

/* Longer handles do not fit into a UUID; XFS and ext4 need 8 or 12 bytes. */
#define HANDLE_MAX 32

struct handle {
	struct file_handle head;
	unsigned char bytes[HANDLE_MAX];
};

int export_id_of(int fd, struct export_id *id)
{
	struct handle handle = { .head.handle_bytes = HANDLE_MAX };
	struct stat st;
	unsigned int i;
	int mount, n;

	if (fstat(fd, &st) < 0 ||
	    name_to_handle_at(fd, "", &handle.head, &mount, AT_EMPTY_PATH) < 0)
		return -errno;
	n = snprintf(id->text, sizeof(id->text), "SEAL-%u:%u-%d-",
		     major(st.st_dev), minor(st.st_dev),
		     handle.head.handle_type);
	for (i = 0; i < handle.head.handle_bytes; i++)
		n += snprintf(id->text + n, sizeof(id->text) - (size_t)n,
			      "%02x", handle.bytes[i]);
	return 0;
}

void export_uuid(const struct export_id *id, bool kept,
		 char uuid[EXPORT_ID_LEN])
{
	snprintf(uuid, EXPORT_ID_LEN, "%.*s-%c", EXPORT_ID_LEN - 3, id->text,
		 kept ? 'k' : 's');
}

bool export_parse(const char *uuid, struct export_id *id, bool *kept)
{
	size_t length = strlen(uuid);

	if (strncmp(uuid, "SEAL-", 5) != 0 || length < 12 ||
	    length >= sizeof(id->text) || uuid[length - 2] != '-')
		return false;
	snprintf(id->text, sizeof(id->text), "%.*s", (int)length - 2, uuid);
	*kept = uuid[length - 1] == 'k';
	return true;
}

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good = false;

	if (!file)
		return false;
	if (fgets(line, (int)size, file)) {
		line[strcspn(line, "\n")] = '\0';
		good = true;
	}
	fclose(file);
	return good;
}

/* Get the number of the inode, with which a handle of XFS or ext4 begins. */
static bool handle_inode(const struct export_id *id, unsigned int *major_number,
			 unsigned int *minor_number, uint64_t *inode)
{
	unsigned int byte, i, length;
	int type, start;

	if (sscanf(id->text, "SEAL-%u:%u-%d-%n", major_number, minor_number,
		   &type, &start) != 3)
		return false;
	/* the type of an XFS handle tells whether the number has 64 bits */
	length = type & 0x80 ? 8 : 4;
	*inode = 0;
	for (i = 0; i < length; i++) {
		if (sscanf(id->text + start + 2 * i, "%2x", &byte) != 1)
			return false;
		*inode |= (uint64_t)byte << 8 * i;
	}
	return true;
}

static bool has_handle(const struct export_id *id, const void *arg)
{
	return !strcmp(id->text, ((const struct export_id *)arg)->text);
}

static bool has_inode(const struct export_id *id, const void *arg)
{
	const struct stat *st = arg;
	unsigned int major_number, minor_number;
	uint64_t inode;

	return handle_inode(id, &major_number, &minor_number, &inode) &&
	       inode == st->st_ino && major_number == major(st->st_dev) &&
	       minor_number == minor(st->st_dev);
}

/* Looks in /sys, since not every user may ask device-mapper. */
static bool find(bool (*matches)(const struct export_id *id, const void *arg),
		 const void *arg, char *name, size_t size)
{
	char path[300], uuid[EXPORT_ID_LEN];
	DIR *dir = opendir("/sys/block");
	struct export_id other;
	struct dirent *entry;
	bool found = false;
	bool kept;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "dm-", 3) != 0)
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/dm/uuid",
			 entry->d_name);
		if (!read_line(path, uuid, sizeof(uuid)) ||
		    !export_parse(uuid, &other, &kept) ||
		    !matches(&other, arg))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/dm/name",
			 entry->d_name);
		found = read_line(path, name, size);
	}
	closedir(dir);
	return found;
}

bool export_find(const struct export_id *id, char *name, size_t size)
{
	return find(has_handle, id, name, size);
}

bool export_find_inode(const struct stat *st, char *name, size_t size)
{
	return find(has_inode, st, name, size);
}

int export_open_file(const char *name, const struct export_id *id)
{
	struct handle handle = { 0 };
	unsigned int major_number, minor_number, byte;
	int mount, start, fd;
	const char *hex;

	if (sscanf(id->text, "SEAL-%u:%u-%d-%n", &major_number, &minor_number,
		   &handle.head.handle_type, &start) != 3) {
		complain(name, "its UUID is not understood");
		return -1;
	}
	for (hex = id->text + start; sscanf(hex, "%2x", &byte) == 1 &&
	     handle.head.handle_bytes < HANDLE_MAX; hex += 2)
		handle.bytes[handle.head.handle_bytes++] = (unsigned char)byte;
	mount = open_filesystem(major_number, minor_number);
	if (mount < 0) {
		complain(name, "the filesystem of its file, device %u:%u, is not mounted here",
			 major_number, minor_number);
		return -1;
	}
	fd = open_by_handle_at(mount, &handle.head, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		complain(name, "cannot open its file: %s", strerror(errno));
	close(mount);
	return fd;
}
