/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files that are to be sealed at boot, as "sealctl list --persistent"
 * prints them.
 */
#ifndef SEALCTL_LIST_PERSISTENT_H
#define SEALCTL_LIST_PERSISTENT_H

#include <stdbool.h>

/*
 * @paths: print nothing but paths. Return: STATUS_OK, or STATUS_FAILED after a
 * complaint.
 */
int list_persistent(bool paths, bool null, bool json);

#endif /* SEALCTL_LIST_PERSISTENT_H */
