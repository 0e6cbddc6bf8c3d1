/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test cases of tests/kernel/traps share. */
#ifndef TRAPS_TESTS_H
#define TRAPS_TESTS_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

/* Store one byte through a mapping: 0, or EFAULT if SIGBUS came. */
int trap_store(int fd, off_t offset, char byte);

/* Overwrite a file in place by every means; what is refused changes nothing. */
void trap_overwrite(const char *name, int fd, size_t size, bool must_refuse);

#endif /* TRAPS_TESTS_H */
