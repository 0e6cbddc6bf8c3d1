// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the records of a delta, and the result of a transfer.
 */
#include <inttypes.h>
#include <stdio.h>

#include "print/delta.h"
#include "print/json.h"

struct dump {
	const struct seal_delta *delta;
	struct seal_delta_header header;
	bool json;
	bool begun;
	const char *separator;
};

static void id_text(const uint8_t id[SEAL_DELTA_ID_LEN], char text[33])
{
	unsigned int i;

	for (i = 0; i < SEAL_DELTA_ID_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static void add_id(struct json_object *object, const char *key,
		   const uint8_t id[SEAL_DELTA_ID_LEN])
{
	char text[33];

	id_text(id, text);
	json_add_text(object, key, text);
}

static void print_header_json(const struct dump *dump)
{
	const struct seal_delta_header *header = &dump->header;
	struct json_object *object = json_object_new_object();

	json_add_number(object, "version", header->version);
	json_add_bool(object, "has_base", header->flags & 1);
	json_add_bool(object, "hashed", !!(header->flags & 2));
	json_add_number(object, "old_size", header->old_size);
	json_add_number(object, "new_size", header->new_size);
	json_add_number(object, "data", header->data);
	json_add_number(object, "start", header->start);
	add_id(object, "base", dump->delta->base_id);
	add_id(object, "new", dump->delta->new_id);
	fputs("{ \"header\": ", stdout);
	json_print_line(object);
	fputs(",\n  \"records\": [", stdout);
}

static void print_header_text(const struct dump *dump)
{
	const struct seal_delta_header *header = &dump->header;
	char text[33];

	printf("version %" PRIu32 ", %" PRIu64 " bytes of changed data\n",
	       header->version, header->data);
	if (header->flags & 1) {
		id_text(dump->delta->base_id, text);
		printf("base %s, %" PRIu64 " bytes\n", text, header->old_size);
	}
	id_text(dump->delta->new_id, text);
	printf("new  %s, %" PRIu64 " bytes%s\n", text, header->new_size,
	       header->flags & 2 ? ", hashed as a whole" : "");
	if (header->start)
		printf("goes on at offset %" PRIu64 "\n", header->start);
	printf("%18s %18s %10s  %s\n", "offset", "length", "stored", "what");
}

static void begin(struct dump *dump)
{
	if (dump->begun)
		return;
	dump->begun = true;
	if (dump->json)
		print_header_json(dump);
	else
		print_header_text(dump);
}

static int print_record(const struct seal_delta_record *record, void *arg)
{
	const char *kind = seal_diff_kind_name(record->kind);
	struct dump *dump = arg;
	struct json_object *object;

	begin(dump);
	if (!dump->json) {
		printf("%18" PRIu64 " %18" PRIu64 " %10" PRIu64 "  %s%s\n",
		       record->offset, record->length, record->stored, kind,
		       record->flags & 1 ? ", compressed" : "");
		return 0;
	}
	object = json_object_new_object();
	json_add_text(object, "kind", kind);
	json_add_number(object, "offset", record->offset);
	json_add_number(object, "length", record->length);
	json_add_number(object, "stored", record->stored);
	json_add_bool(object, "compressed", record->flags & 1);
	printf("%s    ", dump->separator);
	json_print_line(object);
	dump->separator = ",\n";
	return 0;
}

int print_delta(struct seal_delta *delta, int fd, bool json)
{
	struct dump dump = { .delta = delta, .json = json, .separator = "\n" };
	int ret;

	ret = seal_delta_dump(delta, fd, &dump.header, print_record, &dump);
	if (ret)
		return ret;
	begin(&dump);
	if (json)
		printf("\n  ],\n  \"zero\": %" PRIu64 "\n}\n", delta->zero);
	else
		printf("complete: data %" PRIu64 ", zeros %" PRIu64 "\n",
		       delta->data, delta->zero);
	return 0;
}

void print_delta_result(const struct seal_delta *delta, const char *path)
{
	struct json_object *object = json_object_new_object();

	json_add_name(object, "path", path);
	add_id(object, "base", delta->base_id);
	add_id(object, "new", delta->new_id);
	json_add_number(object, "read", delta->read);
	json_add_number(object, "delta", delta->stream);
	json_add_number(object, "data", delta->data);
	json_add_number(object, "zero", delta->zero);
	json_add_number(object, "skipped", delta->skipped);
	json_add_number(object, "resumed", delta->resumed);
	json_print(object);
}
