// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of stored maps: which file it is, and where its blocks are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/errors.h"
#include "base/plain_map.h"
#include "manifest/manifest.h"
#include "print/json.h"

#define UUID_TEXT 37

static void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	unsigned int i, n = 0;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[n++] = '-';
		snprintf(text + n, 3, "%02x", uuid[i]);
		n += 2;
	}
}

static const char *state_name(const struct plain_extent *extent)
{
	return seal_range_state_name(extent->unwritten ? SEAL_RANGE_UNWRITTEN :
							 SEAL_RANGE_WRITTEN);
}

static struct json_object *extent_to_json(const struct plain_extent *extent)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "offset", extent->logical);
	json_add_number(object, "physical", extent->physical);
	json_add_number(object, "length", extent->length);
	json_add_text(object, "state", state_name(extent));
	return object;
}

static bool complain_map(const char *path, int error)
{
	if (error == EOPNOTSUPP || error == ENOTTY)
		complain(path,
			 "its blocks have no plain addresses, or its filesystem does not tell them");
	else
		complain(path, "reading its map: %s", strerror(error));
	return false;
}

static bool get_identity(const char *path, int fd,
			 struct seal_identity *identity)
{
	int ret = seal_identity(fd, identity);

	if (ret)
		complain(path,
			 "its filesystem does not tell its UUID or the inode's generation: %s",
			 strerror(-ret));
	return !ret;
}

struct json_object *manifest_entry(const char *path, int fd, uint64_t *digest)
{
	struct json_object *entry, *array;
	struct seal_identity identity;
	struct plain_extent extent;
	struct plain_map map;
	char text[UUID_TEXT];
	int ret;

	if (!get_identity(path, fd, &identity))
		return NULL;
	entry = json_object_new_object();
	array = json_object_new_array();
	json_add_name(entry, "path", path);
	uuid_text(identity.uuid, text);
	json_add_text(entry, "filesystem", text);
	json_add_number(entry, "inode", identity.inode);
	json_add_number(entry, "generation", identity.generation);
	json_add_number(entry, "size", identity.size);
	json_add_number(entry, "block_size", identity.block_size);
	json_add_device(entry, "device", identity.dev_major,
			identity.dev_minor);
	json_add(entry, "extents", array);
	ret = plain_map_open(&map, fd);
	while (!ret && (ret = plain_map_next(&map, &extent)) > 0) {
		json_object_array_add(array, extent_to_json(&extent));
		ret = 0;
	}
	if (!ret)
		ret = seal_map_digest(map.map, digest);
	plain_map_close(&map);
	if (ret) {
		complain_map(path, -ret);
		json_object_put(entry);
		return NULL;
	}
	snprintf(text, sizeof(text), "%016" PRIx64, *digest);
	json_add_text(entry, "digest", text);
	return entry;
}

static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool get_number(struct json_object *object, const char *key,
		       uint64_t *number)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return false;
	*number = json_object_get_uint64(value);
	return true;
}

bool manifest_digest(struct json_object *entry, uint64_t *digest)
{
	const char *text = get_text(entry, "digest");
	char *end;

	if (!text || strlen(text) != 16)
		return false;
	*digest = strtoull(text, &end, 16);
	return !*end;
}

static bool lacks_members(const char *path)
{
	complain(path, "its entry in the manifest is incomplete");
	return false;
}

/* Is it the file of the entry? Complains about the first difference. */
static bool check_identity(const char *path, struct json_object *entry,
			   const struct seal_identity *identity)
{
	uint64_t inode, generation, size;
	const char *filesystem;
	char text[UUID_TEXT];

	filesystem = get_text(entry, "filesystem");
	if (!filesystem || !get_number(entry, "inode", &inode) ||
	    !get_number(entry, "generation", &generation) ||
	    !get_number(entry, "size", &size))
		return lacks_members(path);
	uuid_text(identity->uuid, text);
	if (strcmp(filesystem, text) != 0)
		complain(path, "on another filesystem: its UUID is %s, %s was recorded",
			 text, filesystem);
	else if (inode != identity->inode)
		complain(path,
			 "another file (a copy?): inode %" PRIu64 ", %" PRIu64 " was recorded",
			 identity->inode, inode);
	else if (generation != identity->generation)
		complain(path,
			 "another file: generation %" PRIu32 ", %" PRIu64 " was recorded",
			 identity->generation, generation);
	else if (size != identity->size)
		complain(path, "its size is %" PRIu64 ", %" PRIu64 " was recorded",
			 identity->size, size);
	else
		return true;
	return false;
}

static void describe(const struct plain_extent *extent, const char *state,
		     char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64 " bytes at offset %" PRIu64 ", %s, address %" PRIu64,
		 extent->length, extent->logical, state, extent->physical);
}

static bool check_extent(const char *path, struct json_object *stored,
			 const struct plain_extent *extent)
{
	struct plain_extent want = { 0 };
	const char *state = get_text(stored, "state");
	char now[128], recorded[128];

	if (!state || !get_number(stored, "offset", &want.logical) ||
	    !get_number(stored, "physical", &want.physical) ||
	    !get_number(stored, "length", &want.length))
		return lacks_members(path);
	if (want.logical == extent->logical &&
	    want.physical == extent->physical &&
	    want.length == extent->length &&
	    !strcmp(state, state_name(extent)))
		return true;
	describe(extent, state_name(extent), now, sizeof(now));
	describe(&want, state, recorded, sizeof(recorded));
	complain(path, "its map has changed: %s; recorded was %s", now,
		 recorded);
	return false;
}

static bool check_extents(const char *path, struct plain_map *map,
			  struct json_object *array)
{
	size_t i, nr = json_object_array_length(array);
	struct plain_extent extent;
	int ret = 0;

	for (i = 0; i < nr; i++) {
		ret = plain_map_next(map, &extent);
		if (ret <= 0)
			break;
		if (!check_extent(path, json_object_array_get_idx(array, i),
				  &extent))
			return false;
	}
	if (ret >= 0 && i == nr)
		ret = plain_map_next(map, &extent);
	else if (!ret)
		ret = 1;
	if (ret < 0)
		return complain_map(path, -ret);
	if (ret)
		complain(path, "its map has changed: %s extents than the %zu that were recorded",
			 i == nr ? "more" : "fewer", nr);
	return !ret;
}

bool manifest_check(const char *path, int fd, struct json_object *entry)
{
	struct seal_identity identity;
	struct json_object *array;
	uint64_t digest, stored;
	struct plain_map map;
	bool good;
	int ret;

	if (!json_object_object_get_ex(entry, "extents", &array) ||
	    !json_object_is_type(array, json_type_array) ||
	    !manifest_digest(entry, &stored))
		return lacks_members(path);
	if (!get_identity(path, fd, &identity) ||
	    !check_identity(path, entry, &identity))
		return false;
	ret = plain_map_open(&map, fd);
	if (ret)
		return complain_map(path, -ret);
	good = check_extents(path, &map, array);
	if (good) {
		ret = seal_map_digest(map.map, &digest);
		if (ret || digest != stored) {
			complain(path,
				 "the manifest's digest does not fit its extents; it was altered");
			good = false;
		}
	}
	plain_map_close(&map);
	return good;
}
