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
/* A name of others; with the member KEY_hex if not all of it is UTF-8. */
void json_add_name(struct json_object *object, const char *key,
		   const char *name);
void json_add_number(struct json_object *object, const char *key,
		     uint64_t number);
void json_add_bool(struct json_object *object, const char *key, int value);
void json_add_device(struct json_object *object, const char *key,
		     unsigned int major_number, unsigned int minor_number);

/* Prints @object on the standard output and frees it. */
void json_print(struct json_object *object);

/* The same on one line, without its end. */
void json_print_line(struct json_object *object);

#endif /* SEALCTL_PRINT_JSON_H */
