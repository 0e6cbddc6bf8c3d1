/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the module may not be there: what can be seen without loading it.
 */
#ifndef SEALCTL_MODULE_FILE_H
#define SEALCTL_MODULE_FILE_H

#include <stdbool.h>

/* Is there a module for this kernel, from DKMS or from "make install"? */
bool module_installed(const char *release);

/* Does the running kernel refuse modules without a signature it trusts? */
bool module_signed_only(void);

#endif /* SEALCTL_MODULE_FILE_H */
