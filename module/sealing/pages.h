/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page cache of a file whose map is frozen.
 *
 * A page that is in the cache already, or to which somebody has a reference,
 * can become dirty without passing a gate. So no page may be cached of blocks
 * that are not in place.
 */
#ifndef SEAL_PAGES_H
#define SEAL_PAGES_H

#include <linux/types.h>

struct file;
struct inode;
struct seal_entry;
struct seal_ranges;

/*
 * Lock the map of @inode: take i_rwsem and the invalidate lock exclusively, and
 * wait for direct I/O. When this has returned 0, no operation that changes the
 * map is under way, and no page is read into the cache. -EINTR: killed, and
 * nothing is locked; this does not happen if @always.
 */
int seal_pages_lock(struct inode *inode, bool always);
void seal_pages_unlock(struct inode *inode);

/*
 * Write back dirty pages, lock the map, and take all pages of @ranges out of
 * the cache, even if somebody has a reference to them. Returns 0 with the map
 * locked; -EBUSY: some pages are locked or dirty all the time; -EINTR; or an
 * error of write-back. After an error the map is locked only if @always.
 */
int seal_pages_lock_detached(struct inode *inode, struct file *file,
			     const struct seal_ranges *ranges, bool always);

/*
 * Drop all cached pages that are not inside @keep; if @keep is NULL, none. With
 * @small, also restrict the cache to its smallest folios, until
 * seal_pages_release(). Tries for a while. Returns 0; -EBUSY with @reason, of
 * SEAL_REASON_LEN bytes: some pages are in use; -EINTR; or an error of
 * write-back. The map is not locked before and after.
 */
int seal_pages_settle(struct seal_entry *entry, struct file *file,
		      const struct seal_ranges *keep, bool small, char *reason);

/* Allow large folios again. */
void seal_pages_release(struct seal_entry *entry);

#endif /* SEAL_PAGES_H */
