// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output for programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "print/json.h"

/* Without memory for a few words of output, the program can only end. */
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

/* Bytes that are not UTF-8 become U+FFFD. */
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

/*
 * If a name is not UTF-8, the text has replacement characters, and another
 * member has all bytes as hexadecimal digits.
 */
void json_add_name(struct json_object *object, const char *key, const char *name)
{
	const unsigned char *c;
	char *hex, *out;
	char hex_key[32];
	size_t length = 1;

	if (!name) {
		json_object_object_add(object, key, NULL);
		return;
	}
	json_add_text(object, key, name);
	for (c = (const unsigned char *)name; *c && length; c += length)
		length = utf8_sequence(c);
	if (length)
		return;
	hex = need(malloc(2 * strlen(name) + 1));
	out = hex;
	for (c = (const unsigned char *)name; *c; c++)
		out += sprintf(out, "%02x", *c);
	snprintf(hex_key, sizeof(hex_key), "%.20s_hex", key);
	json_add(object, hex_key, json_object_new_string(hex));
	free(hex);
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

/*
 * JSON need not escape what is above ASCII, but JSON is looked at on terminals,
 * too. All such characters are in strings, where an escape means the same.
 */
static void print_safe(const char *text)
{
	const unsigned char *c = (const unsigned char *)text, *plain = c;
	unsigned int code;
	size_t length;

	while (*c) {
		length = *c < 0x7f ? 1 : utf8_sequence(c);
		/* the longest of them are in the basic plane */
		if (*c < 0x7f || !length || length > 3 ||
		    !acts_on_terminal(c, length)) {
			c += length ? length : 1;
			continue;
		}
		code = length == 1 ? *c :
		       length == 2 ? (c[0] & 0x1fU) << 6 | (c[1] & 0x3f) :
				     (c[0] & 0xfU) << 12 |
				     (c[1] & 0x3fU) << 6 | (c[2] & 0x3f);
		fwrite(plain, 1, (size_t)(c - plain), stdout);
		printf("\\u%04x", code);
		c += length;
		plain = c;
	}
	fwrite(plain, 1, (size_t)(c - plain), stdout);
}

void json_print(struct json_object *object)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;

	print_safe(need((void *)json_object_to_json_string_ext(object, flags)));
	putchar('\n');
	json_object_put(object);
}

void json_print_line(struct json_object *object)
{
	const int flags = JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;

	print_safe(need((void *)json_object_to_json_string_ext(object, flags)));
	json_object_put(object);
}
