/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of files, processes and the like are bytes that others chose. Without
 * escaping, they could look like lines of ours, or control the terminal. All
 * output for people goes through these functions. JSON, which has an escape of its
 * own, is printed by print/json.c; lists with -0 have the bytes as they are.
 */
#ifndef SEALCTL_ESCAPE_H
#define SEALCTL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Control characters, bytes that are not UTF-8, characters that change the
 * direction of the text, and the backslash are written as a backslash and three
 * octal digits for each byte. NULL is written as "?".
 */
void print_text(FILE *out, const char *text);

/* The same for one word of a line: blanks are escaped, too. */
void print_word(FILE *out, const char *text);

/* The same as a string, which is valid until the eighth call after this one. */
const char *shown(const char *text);

/* Print a line with the path; with @null, the bare path and a NUL. */
void print_path(const char *path, bool null);

/* Length of the valid UTF-8 sequence at the beginning of @text; 0: none. */
size_t utf8_sequence(const unsigned char *text);

/* Is this sequence a control character, or one that changes the direction? */
bool acts_on_terminal(const unsigned char *text, size_t length);

#endif /* SEALCTL_ESCAPE_H */
