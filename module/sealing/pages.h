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

struct file;
struct inode;
struct seal_entry;
struct seal_ranges;

/*
 * Lock the map of @inode: nothing that changes it is under way, and nothing is
 * read into the page cache, once this has returned 0. -EINTR: killed; never if
 * @always.
 */
int seal_pages_lock(struct inode *inode, bool always);
void seal_pages_unlock(struct inode *inode);

/*
 * Write back what is dirty, lock as above, and take all pages of @ranges out of
 * the cache, whoever refers to them. 0: locked. -EBUSY, some are locked or
 * dirty all the time, -EINTR, or an error of write-back: not locked, but if
 * @always.
 */
int seal_pages_lock_detached(struct inode *inode, struct file *file,
			     const struct seal_ranges *ranges, bool always);

/*
 * Drop all that is cached of what is not in @keep (not NULL), and of which
 * nobody has hold. With @small, keep the cache to its smallest folios from now
 * on (folios.h). Tried for a while; -EBUSY with @reason, -EOPNOTSUPP with it where
 * the kernel does not keep to them, -EINTR, or an error of write-back.
 */
int seal_pages_settle(struct seal_entry *entry, struct file *file,
		      const struct seal_ranges *keep, bool small, char *reason);

#endif /* SEAL_PAGES_H */
