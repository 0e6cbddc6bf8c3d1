/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sizes of the folios in the page cache of a sealed file. If the file has both
 * blocks that are in place and others, no folio may span both, because a store to
 * one page makes the whole folio dirty.
 */
#ifndef SEAL_FOLIOS_H
#define SEAL_FOLIOS_H

#include <linux/types.h>

struct inode;
struct seal_entry;

/* May the page cache of @inode have folios larger than the smallest? */
bool seal_folios_allowed(const struct inode *inode);

/*
 * Restrict the cache to its smallest folios. The caller holds the invalidate lock
 * exclusively. A task that adds a larger folio may have tested before, and may
 * come to that lock later, so the caller has to look at the cache again.
 */
void seal_folios_restrict(struct seal_entry *entry);

/* Undo the restriction. The entry must still be in the table. */
void seal_folios_release(struct seal_entry *entry);

#endif /* SEAL_FOLIOS_H */
