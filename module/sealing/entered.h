/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that entered a filesystem before its gates were attached. */
#ifndef SEAL_ENTERED_H
#define SEAL_ENTERED_H

struct path;

/*
 * Wait until every call that has write access to the filesystem of @path has
 * ended. Others wait meanwhile. -EINTR if killed.
 */
int seal_drain_entered(const struct path *path);

int seal_entered_init(void);
void seal_entered_exit(void);

#endif /* SEAL_ENTERED_H */
