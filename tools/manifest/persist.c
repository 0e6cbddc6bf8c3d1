// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are to be sealed again at boot.
 *
 * A record is named after facts of its file that a reboot does not change: the
 * UUID of the filesystem and the inode. Sealing a file again replaces its
 * record.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "manifest/persist.h"
#include "print/json.h"

#define SUFFIX		".json"
#define NAME_LEN	96

static int complain_store(const char *name)
{
	if (errno == EACCES || errno == EPERM) {
		complain(PERSIST_DIR, "%s%s%s; be root", name,
			 *name ? ": " : "", strerror(errno));
		return -1;
	}
	complain(PERSIST_DIR, "%s%s%s; make it writable and run the same command again",
		 name, *name ? ": " : "", strerror(errno));
	return -1;
}

static void name_of(const struct seal_identity *identity, char name[NAME_LEN])
{
	unsigned int i, n = 0;

	for (i = 0; i < sizeof(identity->uuid); i++)
		n += (unsigned int)snprintf(name + n, NAME_LEN - n, "%02x",
					    identity->uuid[i]);
	snprintf(name + n, NAME_LEN - n, "-%" PRIu64 SUFFIX, identity->inode);
}

static bool get_name(int fd, char name[NAME_LEN])
{
	struct seal_identity identity;

	if (seal_identity(fd, &identity))
		return false;
	name_of(&identity, name);
	return true;
}

bool persist_has(int fd)
{
	char name[NAME_LEN], path[sizeof(PERSIST_DIR) + NAME_LEN];

	if (!get_name(fd, name))
		return false;
	snprintf(path, sizeof(path), PERSIST_DIR "/%s", name);
	return !access(path, F_OK);
}

bool persist_is(const struct persist_record *record, int fd)
{
	char name[NAME_LEN];

	return get_name(fd, name) && !strcmp(name, record->name);
}

/* Compares the inode and the UUID in the name of the record. */
bool persist_is_claimed(const struct persist_record *record,
			const struct seal_claim *claim)
{
	struct seal_identity identity;
	struct json_object *value;
	char name[NAME_LEN];
	int fd, ret;

	if (!json_object_object_get_ex(record->entry, "inode", &value) ||
	    json_object_get_uint64(value) != claim->inode ||
	    !json_object_object_get_ex(record->entry, "size", &value) ||
	    json_object_get_uint64(value) != claim->file_size)
		return false;
	fd = open_filesystem(claim->dev_major, claim->dev_minor);
	if (fd < 0)
		return false;
	ret = seal_identity(fd, &identity);
	close(fd);
	if (ret)
		return false;
	identity.inode = claim->inode;
	name_of(&identity, name);
	return !strcmp(name, record->name);
}

static void require_to_json(struct json_object *entry,
			    const struct requirements *require)
{
	static const uint32_t bits[] = {
		SEAL_REQ_ALLOCATED, SEAL_REQ_WRITTEN, SEAL_REQ_UNSHARED,
	};
	char text[128] = "";
	unsigned int i;
	size_t n = 0;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (require->mask & bits[i])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
					      n ? "," : "", require_name(bits[i]));
	if (require->mask & SEAL_REQ_EXTENTS)
		snprintf(text + n, sizeof(text) - n, "%sextents=%" PRIu64,
			 n ? "," : "", require->max_extents);
	json_add_text(entry, "require", text);
}

static bool require_from_json(struct json_object *entry,
			      struct requirements *require)
{
	struct json_object *value;
	const char *text;

	*require = (struct requirements){ 0 };
	if (!json_object_object_get_ex(entry, "require", &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	return !*text || !parse_require(text, require);
}

/* Write a record, all of it or nothing. It is on disk when this returns 0. */
static int write_record(int dir, const char *name, struct json_object *entry)
{
	struct json_object *files = json_object_new_array();
	struct json_object *top;
	char fresh[NAME_LEN + 8];
	int fd, ret = -1;

	/* The array gets a reference of its own. */
	json_object_array_add(files, json_object_get(entry));
	top = manifest_new(files);
	snprintf(fresh, sizeof(fresh), ".%s.new", name);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		if (!json_object_to_fd(fd, top, JSON_C_TO_STRING_PRETTY) &&
		    !fsync(fd) && !renameat(dir, fresh, dir, name) && !fsync(dir))
			ret = 0;
		close(fd);
	}
	if (ret) {
		complain_store(name);
		unlinkat(dir, fresh, 0);
	}
	json_object_put(top);
	return ret;
}

static int open_dir(void)
{
	int dir;

	if (mkdir(PERSIST_DIR, 0700) < 0 && errno != EEXIST)
		return complain_store("");
	dir = open(PERSIST_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? complain_store("") : dir;
}

int persist_store(struct seal_session *session, const struct file_list *list,
		  const struct requirements *require)
{
	struct json_object **entries = calloc(list->nr, sizeof(*entries));
	char name[NAME_LEN];
	int dir, ret = -1;
	unsigned int i;

	dir = entries ? open_dir() : complain_store("");
	if (dir < 0) {
		free(entries);
		return -1;
	}
	/* First do everything that can fail because of one file. */
	for (i = 0; i < list->nr; i++) {
		entries[i] = manifest_of_sealed(session, list->paths[i],
						list->fds[i]);
		if (!entries[i])
			goto out;
		require_to_json(entries[i], require);
	}
	for (i = 0; i < list->nr; i++) {
		if (!get_name(list->fds[i], name) ||
		    write_record(dir, name, entries[i])) {
			while (i--)
				if (get_name(list->fds[i], name))
					unlinkat(dir, name, 0);
			goto out;
		}
	}
	ret = 0;
out:
	for (i = 0; i < list->nr; i++)
		json_object_put(entries[i]);
	free(entries);
	close(dir);
	return ret;
}

static int with_record(const char *name,
		       int (*act)(const struct persist_record *, void *),
		       void *context)
{
	struct persist_record record = { .name = name };
	char path[sizeof(PERSIST_DIR) + 256];
	struct json_object *top, *files;
	int ret = 1;

	snprintf(path, sizeof(path), PERSIST_DIR "/%s", name);
	top = manifest_load(path, &files);
	if (!top)
		return 1;
	record.entry = json_object_array_get_idx(files, 0);
	record.path = manifest_path(record.entry);
	if (json_object_array_length(files) != 1 || !record.path ||
	    !require_from_json(record.entry, &record.require))
		complain(path, "not a record of \"sealctl seal --persist\"; remove it");
	else
		ret = act(&record, context);
	json_object_put(top);
	return ret;
}

int persist_each(int (*act)(const struct persist_record *record, void *context),
		 void *context)
{
	struct dirent *dirent;
	int failures = 0;
	size_t length;
	DIR *dir;

	dir = opendir(PERSIST_DIR);
	if (!dir) {
		if (errno == ENOENT)
			return 0;
		complain(PERSIST_DIR, "reading what is recorded: %s%s",
			 strerror(errno), errno == EACCES ? "; be root" : "");
		return 1;
	}
	while ((dirent = readdir(dir))) {
		length = strlen(dirent->d_name);
		if (dirent->d_name[0] == '.' || length <= strlen(SUFFIX) ||
		    strcmp(dirent->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		failures += with_record(dirent->d_name, act, context);
	}
	closedir(dir);
	return failures;
}

int persist_remove(const struct persist_record *record)
{
	char path[sizeof(PERSIST_DIR) + 256];

	snprintf(path, sizeof(path), PERSIST_DIR "/%s", record->name);
	if (!unlink(path))
		return 0;
	complain(path, "removing the record: %s%s", strerror(errno),
		 errno == EACCES || errno == EPERM ? "; be root" : "");
	return -1;
}
