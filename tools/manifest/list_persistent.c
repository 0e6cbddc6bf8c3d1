// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files that are to be sealed at boot.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/escape.h"
#include "manifest/list_persistent.h"
#include "manifest/persist.h"
#include "print/json.h"

struct context {
	struct seal_session *session;	/* NULL without the module */
	struct json_object *array;	/* NULL for text */
	bool paths;
	bool null;
};

static const char *state_of(struct seal_session *session, const char *path)
{
	struct seal_status status;
	const char *state;
	mode_t mode;
	int fd;

	fd = open_regular(path, O_RDONLY, &mode);
	if (fd < 0)
		return "missing";
	if (!session || seal_status(session, fd, &status))
		state = "unknown";
	else if (!(status.flags & SEAL_STATUS_SEALED))
		state = "not sealed";
	else
		state = is_protected(&status) ? "sealed" : "not protected";
	close(fd);
	return state;
}

static int list(const struct persist_record *record, void *pointer)
{
	const struct context *context = pointer;
	struct json_object *object;
	const char *state;

	if (context->paths) {
		print_path(record->path, context->null);
		return 0;
	}
	state = state_of(context->session, record->path);
	if (!context->array) {
		printf("%s: %s\n", shown(record->path), state);
		return 0;
	}
	object = json_object_new_object();
	json_add_name(object, "path", record->path);
	json_add_text(object, "state", state);
	json_add_text(object, "record", record->name);
	json_object_array_add(context->array, object);
	return 0;
}

int list_persistent(bool paths, bool null, bool json)
{
	struct context context = { .paths = paths, .null = null };
	struct json_object *top;
	int failures;

	if (!paths && seal_open(&context.session))
		context.session = NULL;
	if (json)
		context.array = json_object_new_array();
	failures = persist_each(list, &context);
	/* A list of none would not be true if none could be read. */
	if (json && failures && !json_object_array_length(context.array)) {
		json_object_put(context.array);
	} else if (json) {
		top = json_object_new_object();
		json_add(top, "files", context.array);
		json_print(top);
	}
	seal_close(context.session);
	return failures ? STATUS_FAILED : STATUS_OK;
}
