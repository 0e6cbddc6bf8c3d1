// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stored maps as files, and maps that the module has confirmed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "manifest/file.h"
#include "print/json.h"

/* Is the map that FIEMAP reported the one that the module froze? */
static bool confirmed(struct seal_session *session, const char *path, int fd,
		      uint64_t digest)
{
	struct seal_status status;
	int ret = seal_status(session, fd, &status);

	if (ret)
		complain(path, "reading its map: %s", strerror(-ret));
	else if (!is_protected(&status) || status.digest != digest)
		complain(path, "the seal was not kept; its map cannot be recorded");
	else
		return true;
	return false;
}

struct json_object *manifest_of_sealed(struct seal_session *session,
				       const char *path, int fd)
{
	char *whole = realpath(path, NULL);
	struct json_object *entry;
	uint64_t digest;

	/* An absolute path, as it may be verified from another directory. */
	entry = manifest_entry(whole ? whole : path, fd, &digest);
	free(whole);
	if (entry && !confirmed(session, path, fd, digest)) {
		json_object_put(entry);
		return NULL;
	}
	return entry;
}

struct json_object *manifest_new(struct json_object *files)
{
	struct json_object *top = json_object_new_object();

	json_add_number(top, "version", MANIFEST_VERSION);
	json_add(top, "files", files);
	return top;
}

static bool is_manifest(struct json_object *top, struct json_object **files)
{
	struct json_object *version;

	return json_object_is_type(top, json_type_object) &&
	       json_object_object_get_ex(top, "version", &version) &&
	       json_object_is_type(version, json_type_int) &&
	       json_object_get_int64(version) == MANIFEST_VERSION &&
	       json_object_object_get_ex(top, "files", files) &&
	       json_object_is_type(*files, json_type_array);
}

struct json_object *manifest_load(const char *path,
				  struct json_object **files)
{
	const char *name = path ? path : "standard input";
	struct json_object *top;
	int fd = STDIN_FILENO;

	if (path)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain(path, "%s", strerror(errno));
		return NULL;
	}
	top = json_object_from_fd(fd);
	if (path)
		close(fd);
	if (top && is_manifest(top, files))
		return top;
	complain(name, "not a manifest of version %d%s", MANIFEST_VERSION,
		 path ? "" :
		 "; give what \"sealctl record\" printed there, or with -m MANIFEST");
	json_object_put(top);
	return NULL;
}

static bool string_of(struct json_object *entry, const char *key,
		      const char **text)
{
	struct json_object *value;

	if (!json_object_object_get_ex(entry, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	*text = json_object_get_string(value);
	/* A string with a NUL inside is no file name. */
	return **text && strlen(*text) ==
	       (size_t)json_object_get_string_len(value);
}

static bool digit(char c, unsigned int *value)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	if (at)
		*value = *value << 4 | (unsigned int)(at - digits);
	return at;
}

static void drop_name(struct json_object *entry, void *name)
{
	(void)entry;
	free(name);
}

/* The bytes of a name that is not UTF-8. They belong to the entry. */
static const char *decode(struct json_object *entry, const char *hex)
{
	size_t i, length = strlen(hex);
	char *name = malloc(length / 2 + 1);
	unsigned int byte;
	bool good = name && length % 2 == 0;

	for (i = 0; good && i < length / 2; i++) {
		byte = 0;
		good = digit(hex[2 * i], &byte) && digit(hex[2 * i + 1], &byte) &&
		       byte;
		if (good)
			name[i] = (char)byte;
	}
	if (!good) {
		free(name);
		return NULL;
	}
	name[i] = '\0';
	json_object_set_userdata(entry, name, drop_name);
	return name;
}

const char *manifest_path(struct json_object *entry)
{
	const char *text;

	if (!string_of(entry, "path", &text))
		return NULL;
	if (json_object_get_userdata(entry))
		return json_object_get_userdata(entry);
	if (!json_object_object_get_ex(entry, "path_hex", NULL))
		return text;
	return string_of(entry, "path_hex", &text) ? decode(entry, text) : NULL;
}
