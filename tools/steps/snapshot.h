/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reflinked copies of files that are in use.
 */
#ifndef SEALCTL_SNAPSHOT_H
#define SEALCTL_SNAPSHOT_H

#include "base/sealctl.h"

/*
 * Make a copy of @path as it is at this moment. It is open for reading and has
 * no name, so nothing is left of it when it is closed, or after a crash.
 * @beside: the name that it is to get later, or NULL: any name in the directory
 * of @path. Return: a descriptor, or -1 after a complaint.
 */
int snapshot_take(const char *path, const char *beside);

#endif /* SEALCTL_SNAPSHOT_H */
