/* SPDX-License-Identifier: GPL-2.0-only */
/* The test cases of tests/lifecycle, one file each. */
#ifndef LIFECYCLE_TESTS_H
#define LIFECYCLE_TESTS_H

#include <check.h>

TCase *life_claims(void);
TCase *life_mounts(void);
TCase *life_gates(void);
TCase *life_races(void);
TCase *life_cycles(void);
TCase *life_reload(void);
TCase *life_module(void);
TCase *life_big(void);

#endif /* LIFECYCLE_TESTS_H */
