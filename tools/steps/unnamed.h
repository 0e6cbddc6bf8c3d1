/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that have no name before they are complete.
 */
#ifndef SEALCTL_UNNAMED_H
#define SEALCTL_UNNAMED_H

#include <sys/types.h>

#include "base/sealctl.h"

/*
 * One in the directory of @path, which need not be there. Return: a descriptor for
 * reading and writing, or -1 after having told that @doing did not work, and why.
 */
int unnamed_open(const char *path, mode_t mode, const char *doing);

/*
 * Write it to disk and give it a name that is not there yet. Return: 0, or -1 after
 * having told why not.
 */
int unnamed_keep(int fd, const char *name);

#endif /* SEALCTL_UNNAMED_H */
