/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output for programs.
 */
#ifndef SEALCTL_PRINT_JSON_H
#define SEALCTL_PRINT_JSON_H

#include <stdint.h>

#include <json-c/json.h>

void json_add(struct json_object *object, const char *key,
	      struct json_object *value);
void json_add_text(struct json_object *object, const char *key,
		   const char *text);
/* Add a name; if not all of it is UTF-8, add the member KEY_hex, too. */
void json_add_name(struct json_object *object, const char *key,
		   const char *name);
void json_add_number(struct json_object *object, const char *key,
		     uint64_t number);
void json_add_bool(struct json_object *object, const char *key, int value);
void json_add_device(struct json_object *object, const char *key,
		     unsigned int major_number, unsigned int minor_number);

/* Print @object on standard output, and free it. */
void json_print(struct json_object *object);

/* The same on one line, without a newline. */
void json_print_line(struct json_object *object);

#endif /* SEALCTL_PRINT_JSON_H */
