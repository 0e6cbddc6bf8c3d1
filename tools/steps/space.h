/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether what is to be allocated fits into the filesystems. The needs of all
 * files are added up first, so that what does not fit as a whole is refused
 * before the first file is changed.
 */
#ifndef SEALCTL_SPACE_H
#define SEALCTL_SPACE_H

#include "base/sealctl.h"

struct space;

/* What will be done to a file, and takes space. */
enum {
	SPACE_HOLES	= 1,	/* blocks are allocated for its holes */
	SPACE_SHARED	= 2,	/* its shared blocks are copied */
};

/* Return: NULL after a complaint. */
struct space *space_new(void);
void space_free(struct space *space);

/*
 * Add what a file needs. If it was added before, also by another name, it needs
 * nothing more. @path is kept.
 * Return: 0, or -errno after a complaint.
 */
int space_add(struct space *space, const char *path, int fd,
	      const struct seal_status *status, unsigned int what);

/*
 * Is there enough on each filesystem? If not, it is printed to @out, unless that
 * is NULL, in a line for each filesystem that begins with @prefix.
 */
bool space_suffices(struct space *space, FILE *out, const char *prefix);

/* The same. Return: 0, or -ENOSPC after a complaint. */
int space_check(struct space *space);

/*
 * The same for files by their names, up to a NULL, of which none is open yet.
 * Return: 0, or -errno after a complaint.
 */
int space_check_paths(struct seal_session *session, char **paths,
		      unsigned int what);

#endif /* SEALCTL_SPACE_H */
