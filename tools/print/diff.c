// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the differences of two maps range by range, as a table or lines of JSON.
 */
#include <inttypes.h>

#include "base/escape.h"
#include "print/diff.h"
#include "print/json.h"

#define KINDS (SEAL_DIFF_GONE + 1)

/* Raised if a member gets another meaning or goes. */
#define JSON_VERSION 1

int diff_files_next(const struct diff_files *files,
		    struct seal_diff_range *range)
{
	int ret;

	do
		ret = seal_diff_next(files->diff, range);
	while (ret > 0 && !files->old_path && !files->zeros &&
	       range->kind != SEAL_DIFF_DATA);
	return ret;
}

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

static void print_totals(const struct diff_files *files, const uint64_t *bytes)
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
	puts(any ? "" : files->old_path ? "no difference" : "no data");
}

int print_diff_text(const struct diff_files *files)
{
	struct seal_diff_range range;
	uint64_t bytes[KINDS] = { 0 };
	int ret;

	if (files->old_path)
		printf("%s compared with %s\n", shown(files->new_path),
		       shown(files->old_path));
	else
		printf("%s, where it has data\n", shown(files->new_path));
	printf("%18s %18s %18s %18s  %-6s  %s\n", "offset", "length",
	       "old address", "new address", "kind", "why");
	while ((ret = diff_files_next(files, &range)) > 0) {
		bytes[range.kind] += range.length;
		*files->different = true;
		printf("%18" PRIu64 " %18" PRIu64, range.offset, range.length);
		print_address(range.old_physical);
		print_address(range.new_physical);
		printf("  %-6s  ", seal_diff_kind_name(range.kind));
		if (files->old_path)
			printf("%s, was %s, ",
			       seal_diff_reason_name(range.reason),
			       state_name(&range, range.old_state));
		printf("is %s\n", state_name(&range, range.new_state));
	}
	if (!ret)
		print_totals(files, bytes);
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

static void print_line(struct json_object *object)
{
	json_print_line(object);
	putchar('\n');
}

/* Offset and size have the names that Kubernetes gave them. */
static void print_range(const struct seal_diff_range *range)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "type", "range");
	json_add_number(object, "byte_offset", range->offset);
	json_add_number(object, "size_bytes", range->length);
	json_add_text(object, "kind", seal_diff_kind_name(range->kind));
	json_add_text(object, "reason", seal_diff_reason_name(range->reason));
	add_address(object, "old_physical", range->old_physical);
	add_address(object, "new_physical", range->new_physical);
	json_add_text(object, "old_state", state_name(range, range->old_state));
	json_add_text(object, "new_state", state_name(range, range->new_state));
	print_line(object);
}

static void add_file(struct json_object *object, const char *key,
		     const char *path, uint64_t size)
{
	struct json_object *file = NULL;

	if (path) {
		file = json_object_new_object();
		json_add_name(file, "path", path);
		json_add_number(file, "size", size);
	}
	json_object_object_add(object, key, file);
}

static void print_begin(const struct diff_files *files)
{
	struct json_object *object = json_object_new_object();
	uint64_t old_size, new_size;

	seal_diff_sizes(files->diff, &old_size, &new_size);
	json_add_text(object, "type", "begin");
	json_add_number(object, "version", JSON_VERSION);
	json_add_text(object, "block_metadata_type", "VARIABLE_LENGTH");
	json_add_number(object, "volume_capacity_bytes", new_size);
	json_add_number(object, "starting_offset", files->starting_offset);
	add_file(object, "old", files->old_path, old_size);
	add_file(object, "new", files->new_path, new_size);
	print_line(object);
}

static void print_end(const uint64_t *bytes, uint64_t ranges)
{
	struct json_object *totals = json_object_new_object();
	struct json_object *object = json_object_new_object();
	uint32_t kind;

	for (kind = SEAL_DIFF_DATA; kind < KINDS; kind++)
		json_add_number(totals, seal_diff_kind_name(kind), bytes[kind]);
	json_add_text(object, "type", "end");
	json_add_number(object, "ranges", ranges);
	json_add(object, "bytes", totals);
	print_line(object);
}

int print_diff_json(const struct diff_files *files)
{
	uint64_t bytes[KINDS] = { 0 };
	struct seal_diff_range range;
	uint64_t ranges = 0;
	int ret;

	print_begin(files);
	while ((ret = diff_files_next(files, &range)) > 0) {
		bytes[range.kind] += range.length;
		*files->different = true;
		ranges++;
		print_range(&range);
	}
	/* After an error there is no end line: it is not taken for complete. */
	if (!ret)
		print_end(bytes, ranges);
	return ret;
}
