// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files that are to be sealed at boot.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
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

/* The lasting seal of a file that is not where it was recorded. */
struct elsewhere {
	const struct persist_record *record;
	uint64_t claim;		/* 0: there is none */
	char *path;		/* NULL: not known */
	bool deleted;
};

static void find_elsewhere(struct elsewhere *elsewhere)
{
	const struct seal_claim *claim;
	struct seal_list *list;

	if (seal_list_open(&list))
		return;
	while (!elsewhere->claim && seal_list_next(list, &claim) > 0) {
		if (!(claim->flags & SEAL_STATUS_STICKY) ||
		    !persist_is_claimed(elsewhere->record, claim))
			continue;
		elsewhere->claim = claim->claim;
		elsewhere->path = claim->path ? strdup(claim->path) : NULL;
		elsewhere->deleted = claim->deleted;
	}
	seal_list_close(list);
}

static void print_elsewhere(const struct elsewhere *elsewhere)
{
	if (elsewhere->deleted)
		fputs("; the recorded file is still sealed, but was removed",
		      stdout);
	else
		printf("; the recorded file is still sealed, as %s",
		       elsewhere->path ? shown(elsewhere->path) : "?");
	printf(", by claim %" PRIu64, elsewhere->claim);
}

static const char *state_of(struct seal_session *session,
			    const struct persist_record *record)
{
	const char *path = record->path;
	struct seal_status status;
	const char *state;
	mode_t mode;
	int fd;

	fd = open_regular(path, O_RDONLY, &mode);
	if (fd < 0)
		return "missing";
	if (!persist_is(record, fd))
		state = "replaced";
	else if (!session || seal_status(session, fd, &status))
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
	struct elsewhere elsewhere = { .record = record };
	struct json_object *object;
	const char *state;

	if (context->paths) {
		print_path(record->path, context->null);
		return 0;
	}
	state = state_of(context->session, record);
	if (!strcmp(state, "missing") || !strcmp(state, "replaced"))
		find_elsewhere(&elsewhere);
	if (!context->array) {
		printf("%s: %s", shown(record->path), state);
		if (elsewhere.claim)
			print_elsewhere(&elsewhere);
		putchar('\n');
		free(elsewhere.path);
		return 0;
	}
	object = json_object_new_object();
	json_add_name(object, "path", record->path);
	json_add_text(object, "state", state);
	json_add_text(object, "record", record->name);
	if (elsewhere.claim) {
		json_add_number(object, "claim", elsewhere.claim);
		json_add_name(object, "sealed_path", elsewhere.path);
		json_add_bool(object, "deleted", elsewhere.deleted);
	}
	json_object_array_add(context->array, object);
	free(elsewhere.path);
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
