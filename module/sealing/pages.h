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

#include "base/lock.h"

struct file;
struct inode;
struct seal_entry;
struct seal_ranges;

/* The locks of a locked map. */
struct seal_pages_locks {
	struct seal_lock	rwsem;
	struct seal_lock	invalidate;
};

/*
 * Lock the map of @inode: take i_rwsem and the invalidate lock exclusively, and
 * wait for direct I/O. When this has returned 0, no operation that changes the
 * map is under way, and no page is read into the cache. After an error, as of
 * seal_lock(), nothing is locked; there is none if @limit is NULL.
 */
int seal_pages_lock(struct inode *inode, struct seal_pages_locks *locks,
		    const struct seal_limit *limit);
void seal_pages_unlock(struct seal_pages_locks *locks);

/*
 * Write back dirty pages, lock the map, and take all pages of @ranges out of
 * the cache, even if somebody has a reference to them. Returns 0 with the map
 * locked; -EBUSY: some pages are locked or dirty all the time; an error as of
 * seal_lock(); or an error of write-back. After an error nothing is locked.
 *
 * If @limit is NULL, this takes only the lock of the page cache, without which
 * no page is read in, and has it also after an error. No task holds that lock
 * while it waits for memory of its user.
 */
int seal_pages_lock_detached(struct inode *inode, struct file *file,
			     const struct seal_ranges *ranges,
			     struct seal_pages_locks *locks,
			     const struct seal_limit *limit);

/*
 * Drop all cached pages that are not inside @keep; if @keep is NULL, none. With
 * @small, also restrict the cache to its smallest folios (folios.h). Tries for a
 * while. Returns 0; -EBUSY with the reason of @limit: some pages are in use, or
 * see seal_lock(); -EOPNOTSUPP with a reason: the kernel does not obey the
 * restriction; -EINTR; or an error of write-back. The map is not locked before
 * and after.
 */
int seal_pages_settle(struct seal_entry *entry, struct file *file,
		      const struct seal_ranges *keep, bool small,
		      const struct seal_limit *limit);

/* Unloading: wait for grace periods for whose end the caller did not wait. */
void seal_pages_exit(void);

#endif /* SEAL_PAGES_H */
