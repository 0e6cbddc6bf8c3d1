// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output for programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print/json.h"

/* Without memory for a few words of output nothing sensible is left to do. */
static void *need(void *pointer)
{
	if (!pointer) {
		fputs("sealctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return pointer;
}

void json_add(struct json_object *object, const char *key,
	      struct json_object *value)
{
	json_object_object_add(object, key, need(value));
}

/*
 * Bytes of the valid UTF-8 sequence @text begins with, 0 if it is none. Names
 * of files are bytes, JSON is UTF-8.
 */
static size_t utf8_sequence(const unsigned char *text)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned long code;
	size_t length, i;

	if (*text < 0x80)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	length = *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	code = *text & (0x7fU >> length);
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

/* A byte that is not UTF-8 becomes U+FFFD, as everywhere else. */
void json_add_text(struct json_object *object, const char *key,
		   const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *clean = need(malloc(strlen(text) * (sizeof(replacement) - 1) + 1));
	char *out = clean;
	size_t length;

	while (*text) {
		length = utf8_sequence((const unsigned char *)text);
		if (length) {
			memcpy(out, text, length);
			out += length;
			text += length;
		} else {
			memcpy(out, replacement, sizeof(replacement) - 1);
			out += sizeof(replacement) - 1;
			text++;
		}
	}
	*out = '\0';
	json_add(object, key, json_object_new_string(clean));
	free(clean);
}

void json_add_number(struct json_object *object, const char *key,
		     uint64_t number)
{
	json_add(object, key, json_object_new_uint64(number));
}

void json_add_bool(struct json_object *object, const char *key, int value)
{
	json_add(object, key, json_object_new_boolean(value));
}

void json_add_device(struct json_object *object, const char *key,
		     unsigned int major_number, unsigned int minor_number)
{
	char text[32];

	snprintf(text, sizeof(text), "%u:%u", major_number, minor_number);
	json_add_text(object, key, text);
}

void json_print(struct json_object *object)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;

	puts(need((void *)json_object_to_json_string_ext(object, flags)));
	json_object_put(object);
}

void json_print_line(struct json_object *object)
{
	const int flags = JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;

	fputs(need((void *)json_object_to_json_string_ext(object, flags)),
	      stdout);
	json_object_put(object);
}
