// SPDX-License-Identifier: GPL-2.0-only
/* Names are bytes, JSON is UTF-8: whatever the name, the output can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "parsers.h"
#include "print/json.h"

/* What is printed is the same, and no terminal acts on it. */
static void printed_is_safe(struct json_object *object)
{
	struct json_object *before = NULL, *back;
	size_t room = 0, i, length;
	FILE *real = stdout;
	char *out = NULL;

	must(!json_object_deep_copy(object, &before, NULL));
	stdout = open_memstream(&out, &room);
	must(stdout);
	json_print_line(object);
	fclose(stdout);
	stdout = real;
	for (i = 0; out[i]; i += length) {
		length = utf8_sequence((unsigned char *)out + i);
		must(length);
		must(!acts_on_terminal((unsigned char *)out + i, length));
	}
	back = json_tokener_parse(out);
	must(back && json_object_equal(before, back));
	json_object_put(back);
	json_object_put(before);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *object = json_object_new_object(), *back, *value;
	char *text = text_of(data, size);
	struct json_tokener *tokener = json_tokener_new();
	const char *out;

	must(object && tokener);
	json_add_text(object, "path", text);
	out = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
	back = json_tokener_parse_ex(tokener, out, (int)strlen(out) + 1);
	must(back);
	must(json_object_object_get_ex(back, "path", &value));
	/* what is text already stays what it is */
	if (!strstr(json_object_get_string(value), "\xef\xbf\xbd"))
		must(!strcmp(json_object_get_string(value), text));
	json_object_put(back);
	printed_is_safe(object);
	json_tokener_free(tokener);
	free(text);
	return 0;
}
