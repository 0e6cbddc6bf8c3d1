/* SPDX-License-Identifier: GPL-2.0-only */
/* The test cases of tests/races, one file each. */
#ifndef RACES_TESTS_H
#define RACES_TESTS_H

#include <check.h>

TCase *race_windows(void);
TCase *race_repair(void);
TCase *race_attach(void);
TCase *race_flight(void);
TCase *race_look(void);
TCase *race_conflict(void);

#endif /* RACES_TESTS_H */
