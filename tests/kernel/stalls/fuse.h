/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem with one file, which is never read to the end. */
#ifndef STALLS_FUSE_H
#define STALLS_FUSE_H

/*
 * A page of that file, mapped: whoever touches it sleeps. The server is a child of
 * the caller, in its process group. NULL: there is no FUSE here.
 */
void *fuse_page(void);

#endif /* STALLS_FUSE_H */
