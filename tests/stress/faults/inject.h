/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures on request: the n-th allocation (or copy from or to user memory) a
 * task makes from now on fails, every later one succeeds again.
 */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>

/* Set up what the kernel injects; an error says what it lacks. */
const char *inject_setup(void);

/* From now on the calling thread's n-th chance to fail does. */
void inject_arm(unsigned int nth);

/* No more failures. Was one injected since inject_arm()? */
bool inject_disarm(void);

#endif /* INJECT_H */
