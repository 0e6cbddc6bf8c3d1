/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of files, processes and the like are bytes that others chose. Printed as
 * they are, they could pass for lines of ours, or steer the terminal. Whatever is
 * printed goes through here, but for what programs read: JSON, lists with -0.
 */
#ifndef SEALCTL_ESCAPE_H
#define SEALCTL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Control characters, what is not UTF-8, characters that change the direction of
 * the text, and the backslash are written as a backslash and three octal digits
 * for each byte. NULL is "?".
 */
void print_text(FILE *out, const char *text);

/* The same between blanks: blanks, too. */
void print_word(FILE *out, const char *text);

/* As a string, good until the eighth call from then on. */
const char *shown(const char *text);

/* A line of its own; for programs, with @null, as it is and ended by a NUL. */
void print_path(const char *path, bool null);

/* Bytes of the valid UTF-8 sequence that @text begins with, 0: it is none. */
size_t utf8_sequence(const unsigned char *text);

#endif /* SEALCTL_ESCAPE_H */
