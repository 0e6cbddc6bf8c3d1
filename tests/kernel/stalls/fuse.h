/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem with one file, whose server answers neither reads nor fsync. */
#ifndef STALLS_FUSE_H
#define STALLS_FUSE_H

/*
 * That file, open. The server is a child of the caller, in its process group. -1:
 * there is no FUSE here.
 */
int fuse_file(int flags);

/* A page of it, mapped: whoever touches it sleeps. NULL as above. */
void *fuse_page(void);

#endif /* STALLS_FUSE_H */
