/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sizes of the folios in the page cache of a sealed file. If it has blocks of
 * both kinds, a folio must not span them: a store to one page of it counts as one
 * to all of it.
 */
#ifndef SEAL_FOLIOS_H
#define SEAL_FOLIOS_H

#include <linux/types.h>

struct inode;
struct seal_entry;

/* May its page cache have folios other than the smallest? */
bool seal_folios_allowed(const struct inode *inode);

/*
 * Keep it to the smallest. Who adds others may have looked before, and come to
 * the invalidate lock later. With the lock held exclusively.
 */
void seal_folios_restrict(struct seal_entry *entry);

/* As it was. The entry must still be in the table. */
void seal_folios_release(struct seal_entry *entry);

#endif /* SEAL_FOLIOS_H */
