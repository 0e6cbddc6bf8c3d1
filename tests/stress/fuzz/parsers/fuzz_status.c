// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sealctl status prints of any answer of the module, on any file: JSON that can
 * be read again and says the same. The input is the answer, then the names.
 */
#include "parsers.h"

/* the functions that make the JSON are static */
#include "cmd/status.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *object, *back, *value;
	struct file_status status = { 0 };
	struct json_tokener *tokener;
	const char *out;
	size_t taken;
	char *path;

	taken = size < sizeof(status.seal) ? size : sizeof(status.seal);
	memcpy(&status.seal, data, taken);
	data += taken;
	size -= taken;
	/* which the module promises */
	status.seal.first_broken[SEAL_FUNCTION_LEN - 1] = '\0';
	taken = size < sizeof(status.device) - 1 ? size : sizeof(status.device) - 1;
	/* short ones in most cases, or no name would be left */
	if (taken > 8 && data[0] & 1)
		taken = 8;
	memcpy(status.device, data, taken);
	path = text_of(data + taken, size - taken);

	object = to_json(path, &status);
	out = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	tokener = json_tokener_new();
	must(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	back = json_tokener_parse_ex(tokener, out, (int)strlen(out) + 1);
	must(back);
	must(json_object_object_get_ex(back, "path", &value));
	/* not all of a name is text: then its bytes are there as well */
	if (strcmp(json_object_get_string(value), path)) {
		must(json_object_object_get_ex(back, "path_hex", &value));
		must(json_object_get_string_len(value) == 2 * (int)strlen(path));
	}
	must(json_object_object_get_ex(back, "sealed", &value));
	must(json_object_get_boolean(value) ==
	     !!(status.seal.flags & SEAL_STATUS_SEALED));
	must(json_object_object_get_ex(back, "refused", &value));
	must(json_object_get_uint64(value) == status.seal.refused);
	must(json_object_object_get_ex(back, "broken", &value));
	must(json_object_get_uint64(value) == status.seal.broken);
	json_object_put(back);
	json_object_put(object);
	json_tokener_free(tokener);
	free(path);
	return 0;
}

/* What the rest of status.c calls is not reached. */
int open_file(const char *path, int access)
{
	(void)path, (void)access;
	abort();
}

struct seal_session *open_session(void)
{
	abort();
}

void seal_close(struct seal_session *session)
{
	(void)session;
	abort();
}

int seal_status_sized(struct seal_session *session, int fd,
		      struct seal_status *status, size_t size)
{
	(void)session, (void)fd, (void)status, (void)size;
	abort();
}

bool is_protected(const struct seal_status *status)
{
	(void)status;
	abort();
}

int export_id_of(int fd, struct export_id *id)
{
	(void)fd, (void)id;
	abort();
}

bool export_find(const struct export_id *id, char *name, size_t size)
{
	(void)id, (void)name, (void)size;
	abort();
}

int verb_help(const struct verb *verb)
{
	(void)verb;
	abort();
}

int verb_usage(const struct verb *verb)
{
	(void)verb;
	abort();
}

void complain_range(const char *path, const char *doing, int error)
{
	(void)path, (void)doing, (void)error;
	abort();
}
