/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page cache of a file whose map is frozen.
 *
 * A page that is in the cache already, or that somebody has a reference to, can
 * become dirty without asking any gate. So nothing may be cached of what is not
 * overwritten in place.
 */
#ifndef SEAL_PAGES_H
#define SEAL_PAGES_H

#include <linux/types.h>

#include "base/lock.h"

struct file;
struct inode;
struct seal_entry;
struct seal_ranges;

/* The locks of a map that is locked. */
struct seal_pages_locks {
	struct seal_lock	rwsem;
	struct seal_lock	invalidate;
};

/*
 * Lock the map of @inode: nothing that changes it is under way, and nothing is
 * read into the page cache, once this has returned 0. Errors as of seal_lock();
 * none if @limit is NULL.
 */
int seal_pages_lock(struct inode *inode, struct seal_pages_locks *locks,
		    const struct seal_limit *limit);
void seal_pages_unlock(struct seal_pages_locks *locks);

/*
 * Write back what is dirty, lock as above, and take all pages of @ranges out of
 * the cache, whoever refers to them. 0: locked. -EBUSY, some are locked or
 * dirty all the time, or as above; -EINTR, or an error of write-back: not locked,
 * but if @limit is NULL.
 */
int seal_pages_lock_detached(struct inode *inode, struct file *file,
			     const struct seal_ranges *ranges,
			     struct seal_pages_locks *locks,
			     const struct seal_limit *limit);

/*
 * Drop all that is cached of what is not in @keep (not NULL), and of which
 * nobody has hold. With @small, keep the cache to its smallest folios from now
 * on, until seal_pages_release(). Tried for a while; -EBUSY with the reason of
 * @limit, -EINTR, or an error of write-back.
 */
int seal_pages_settle(struct seal_entry *entry, struct file *file,
		      const struct seal_ranges *keep, bool small,
		      const struct seal_limit *limit);

/* Large folios are allowed again. */
void seal_pages_release(struct seal_entry *entry);

/* Wait for what callers that were killed did not wait for. */
void seal_pages_exit(void);

#endif /* SEAL_PAGES_H */
