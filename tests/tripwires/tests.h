/* SPDX-License-Identifier: GPL-2.0-only */
/* The test cases of tests/tripwires, one file each. */
#ifndef TRIPWIRES_TESTS_H
#define TRIPWIRES_TESTS_H

#include <check.h>

TCase *trip_broken(void);
TCase *trip_benign(void);
/* Unmounts: nothing may be sealed. */
TCase *trip_cold(void);

#endif /* TRIPWIRES_TESTS_H */
