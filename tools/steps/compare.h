/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What goes wrong when two files are compared.
 */
#ifndef SEALCTL_COMPARE_H
#define SEALCTL_COMPARE_H

#include "base/sealctl.h"

/* Is there a module to talk to? If not, it has been told why. */
bool have_module(void);

/* They could not be sealed. @old_path may be NULL. */
void compare_refused(const char *old_path, const char *new_path, int error,
		     const struct seal_files *report);

/* The comparison came to nothing; @what it made until then is no use. */
void compare_failed(const char *new_path, int error, const char *what);

#endif /* SEALCTL_COMPARE_H */
