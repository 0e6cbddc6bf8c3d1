/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the module may not be loaded, as far as that can be seen.
 */
#ifndef SEALCTL_MODULE_FILE_H
#define SEALCTL_MODULE_FILE_H

#include <stdbool.h>

/* Is there a module for this kernel, from DKMS or from "make install"? */
bool module_installed(const char *release);

/* Does the running kernel refuse modules that lack a trusted signature? */
bool module_signed_only(void);

#endif /* SEALCTL_MODULE_FILE_H */
