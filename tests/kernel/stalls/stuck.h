/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that hold write access to a filesystem, and locks of a file of their own,
 * for as long as they live. Any user can be that.
 */
#ifndef STALLS_STUCK_H
#define STALLS_STUCK_H

#include <sys/types.h>

struct stuck_kind {
	const char *name;
	/* In a child: get stuck with the file @path of the target; does not return. */
	void (*get_stuck)(const char *path);
	/* NULL, or why it cannot be done here. */
	const char *(*lack)(void);
};

extern const struct stuck_kind stuck_kinds[];
extern const int nr_stuck_kinds;

/* The first one whose name begins so. */
const struct stuck_kind *stuck_find(const char *name);

/* Returns when the process is where it is stuck. */
pid_t stuck_start(const struct stuck_kind *kind, const char *path);
void stuck_end(pid_t pid);

#endif /* STALLS_STUCK_H */
