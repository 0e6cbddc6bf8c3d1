/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who writes to a file.
 */
#ifndef LIBSEAL_WRITER_H
#define LIBSEAL_WRITER_H

#include <stddef.h>

/* "open for writing by process 12 (name)", as exactly as it can be found out. */
void writer_describe(int fd, char *text, size_t size);

#endif /* LIBSEAL_WRITER_H */
