/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the program that has a file open for writing.
 */
#ifndef LIBSEAL_WRITER_H
#define LIBSEAL_WRITER_H

#include <stddef.h>

/*
 * Store in @text, of @size bytes, who has the file open for writing, for
 * people: "open for writing by process 12 (name)", as far as that can be found
 * out.
 */
void writer_describe(int fd, char *text, size_t size);

#endif /* LIBSEAL_WRITER_H */
