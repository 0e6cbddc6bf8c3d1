/* SPDX-License-Identifier: GPL-2.0-only */
/* The test cases of tests/traps, one file each. */
#ifndef TRAPS_TESTS_H
#define TRAPS_TESTS_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

TCase *trap_cow(void);
TCase *trap_atomic(void);
TCase *trap_folio(void);
TCase *trap_before(void);
TCase *trap_large(void);
TCase *trap_own(void);
TCase *trap_writers(void);
TCase *trap_crash(void);

/* Store one byte through a mapping: 0, or EFAULT if SIGBUS came. */
int trap_store(int fd, off_t offset, char byte);

/* Overwrite a file in place by every means; what is refused changes nothing. */
void trap_overwrite(const char *name, int fd, size_t size, bool must_refuse);

#endif /* TRAPS_TESTS_H */
