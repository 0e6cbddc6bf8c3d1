/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reflinked copies of files that are in use.
 */
#ifndef SEALCTL_SNAPSHOT_H
#define SEALCTL_SNAPSHOT_H

#include "base/sealctl.h"

/*
 * A copy of @path as it is at this moment, open for reading. It has no name, so
 * nothing is left of it when it is closed, or after a crash. @beside: where it
 * is to get its name later, or NULL: where @path is. Return: a descriptor, or
 * -1 after having told why not.
 */
int snapshot_take(const char *path, const char *beside);

#endif /* SEALCTL_SNAPSHOT_H */
