// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the differences of two maps range by range, as a table or JSON.
 */
#include <inttypes.h>

#include "base/escape.h"
#include "print/diff.h"
#include "print/json.h"

#define KINDS (SEAL_DIFF_GONE + 1)

static void print_address(uint64_t address)
{
	if (address)
		printf(" %18" PRIu64, address);
	else
		printf(" %18s", "-");
}

/* Beyond the end of a file there is no state. */
static const char *state_name(const struct seal_diff_range *range,
			      uint32_t state)
{
	if (state == SEAL_RANGE_NONE && range->reason == SEAL_DIFF_SIZE)
		return "end";
	return seal_range_state_name(state);
}

static void print_totals(const uint64_t *bytes)
{
	uint64_t any = 0;
	char text[24];
	uint32_t kind;

	for (kind = SEAL_DIFF_DATA; kind < KINDS; kind++) {
		if (!bytes[kind])
			continue;
		printf("%s%s %s", any ? ", " : "", seal_diff_kind_name(kind),
		       format_size(bytes[kind], text, sizeof(text)));
		any += bytes[kind];
	}
	puts(any ? "" : "no difference");
}

int print_diff_text(const struct diff_files *files)
{
	struct seal_diff_range range;
	uint64_t bytes[KINDS] = { 0 };
	int ret;

	printf("%s compared with %s\n", shown(files->new_path),
	       shown(files->old_path));
	printf("%18s %18s %18s %18s  %-6s  %s\n", "offset", "length",
	       "old address", "new address", "kind", "why");
	while ((ret = seal_diff_next(files->diff, &range)) > 0) {
		bytes[range.kind] += range.length;
		*files->different = true;
		printf("%18" PRIu64 " %18" PRIu64, range.offset, range.length);
		print_address(range.old_physical);
		print_address(range.new_physical);
		printf("  %-6s  %s, was %s, is %s\n",
		       seal_diff_kind_name(range.kind),
		       seal_diff_reason_name(range.reason),
		       state_name(&range, range.old_state),
		       state_name(&range, range.new_state));
	}
	if (!ret)
		print_totals(bytes);
	return ret;
}

static void add_address(struct json_object *object, const char *key,
			uint64_t address)
{
	if (address)
		json_add_number(object, key, address);
	else
		json_object_object_add(object, key, NULL);
}

static void print_range(const struct seal_diff_range *range)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "offset", range->offset);
	json_add_number(object, "length", range->length);
	json_add_text(object, "kind", seal_diff_kind_name(range->kind));
	json_add_text(object, "reason", seal_diff_reason_name(range->reason));
	add_address(object, "old_physical", range->old_physical);
	add_address(object, "new_physical", range->new_physical);
	json_add_text(object, "old_state", state_name(range, range->old_state));
	json_add_text(object, "new_state", state_name(range, range->new_state));
	fputs(json_object_to_json_string(object), stdout);
	json_object_put(object);
}

static void print_member(const char *key, struct json_object *value)
{
	printf("  \"%s\": %s,\n", key, json_object_to_json_string(value));
	json_object_put(value);
}

static void print_file(const char *key, const char *path, uint64_t size)
{
	struct json_object *object = json_object_new_object();

	json_add_name(object, "path", path);
	json_add_number(object, "size", size);
	print_member(key, object);
}

int print_diff_json(const struct diff_files *files)
{
	struct json_object *totals = json_object_new_object();
	uint64_t bytes[KINDS] = { 0 };
	struct seal_diff_range range;
	uint64_t old_size, new_size;
	const char *separator = "\n";
	uint32_t kind;
	int ret;

	seal_diff_sizes(files->diff, &old_size, &new_size);
	puts("{");
	print_file("old", files->old_path, old_size);
	print_file("new", files->new_path, new_size);
	fputs("  \"ranges\": [", stdout);
	while ((ret = seal_diff_next(files->diff, &range)) > 0) {
		bytes[range.kind] += range.length;
		*files->different = true;
		printf("%s    ", separator);
		print_range(&range);
		separator = ",\n";
	}
	for (kind = SEAL_DIFF_DATA; kind < KINDS; kind++)
		json_add_number(totals, seal_diff_kind_name(kind), bytes[kind]);
	/* After an error the JSON has no end: it is not taken for complete. */
	if (!ret)
		printf("\n  ],\n  \"bytes\": %s\n}\n",
		       json_object_to_json_string(totals));
	json_object_put(totals);
	return ret;
}
