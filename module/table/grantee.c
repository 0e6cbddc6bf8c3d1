// SPDX-License-Identifier: GPL-2.0-only
/*
 * To whom blocks of a sealed file are granted; under change->lock. Only its owner
 * changes the list, and the ranges, so it reads them without the spinlock.
 */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "map/map.h"
#include "table/entry.h"
#include "table/grantee.h"

/*
 * A page must not hold both committed and uncommitted blocks. So the unit is
 * the larger one of page and block.
 */
u64 seal_grant_unit(struct inode *inode)
{
	return max_t(u64, i_blocksize(inode), PAGE_SIZE);
}

bool seal_grant_whole_units(struct inode *inode, u64 offset, u64 length)
{
	u64 unit = seal_grant_unit(inode);

	return length && offset <= S64_MAX && length <= S64_MAX - offset &&
	       !(offset & (unit - 1)) && !(length & (unit - 1));
}

struct seal_grantee *seal_grantee_find(struct seal_entry *entry,
				       struct seal_session *session)
{
	struct seal_grantee *grantee;

	list_for_each_entry(grantee, &seal_entry_change(entry)->grantees, list)
		if (!READ_ONCE(grantee->gone) &&
		    READ_ONCE(grantee->session) == session)
			return grantee;
	return NULL;
}

static struct seal_grantee *grantee_get(struct seal_entry *entry,
					struct seal_session *session)
{
	struct seal_grantee *grantee = seal_grantee_find(entry, session);
	struct seal_change *change = seal_entry_change(entry);

	if (grantee)
		return grantee;
	grantee = kzalloc(sizeof(*grantee), GFP_KERNEL_ACCOUNT);
	if (grantee) {
		grantee->session = session;
		spin_lock(&change->grantees_lock);
		list_add(&grantee->list, &change->grantees);
		spin_unlock(&change->grantees_lock);
	}
	return grantee;
}

static void grantee_free(struct seal_change *change,
			 struct seal_grantee *grantee)
{
	spin_lock(&change->grantees_lock);
	list_del(&grantee->list);
	spin_unlock(&change->grantees_lock);
	seal_ranges_free(&grantee->ranges);
	kfree(grantee);
}

void seal_grants_settle(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;
	u64 bytes = 0;

	/* under the lock: what is marked after this is settled next time */
	spin_lock(&change->grantees_lock);
	change->left = false;
	spin_unlock(&change->grantees_lock);
	list_for_each_entry_safe(grantee, next, &change->grantees, list) {
		if (READ_ONCE(grantee->gone) ||
		    seal_ranges_empty(&grantee->ranges))
			grantee_free(change, grantee);
		else
			bytes += seal_ranges_bytes(&grantee->ranges);
	}
	WRITE_ONCE(change->granted, bytes);
	WRITE_ONCE(change->unshared, bytes != 0);
}

typedef int (*ranges_op)(struct seal_ranges *out, const struct seal_ranges *a,
			 const struct seal_ranges *b);

/* Prepare @out = @ranges op [start, end). */
static int ranges_with(struct seal_ranges *out, ranges_op op,
		       const struct seal_ranges *ranges, u64 start, u64 end)
{
	struct seal_ranges one = { };
	int ret;

	ret = seal_ranges_add(&one, start, end) ?: op(out, ranges, &one);
	seal_ranges_free(&one);
	if (ret)
		seal_ranges_free(out);
	return ret;
}

static void ranges_replace(struct seal_ranges *old, struct seal_ranges *new)
{
	seal_ranges_free(old);
	*old = *new;
	memset(new, 0, sizeof(*new));
}

/* Give @more to @grantee, unless it was marked; false: it was. */
static bool grantee_swap(struct seal_change *change, struct seal_grantee *grantee,
			 struct seal_session *session, struct seal_ranges *more)
{
	bool same;

	spin_lock(&change->grantees_lock);
	same = !grantee->gone && grantee->session == session;
	if (same)
		swap(grantee->ranges, *more);
	spin_unlock(&change->grantees_lock);
	return same;
}

/*
 * Each session that ends leaves a grantee of its own to the lasting claim.
 * Merge these into one, and return it; NULL if there is none, or
 * ERR_PTR(-ENOMEM).
 */
static struct seal_grantee *grantee_sticky(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next, *sticky;

	sticky = seal_grantee_find(entry, NULL);
	if (!sticky)
		return NULL;
	list_for_each_entry_safe(grantee, next, &change->grantees, list) {
		struct seal_ranges both = { };

		if (READ_ONCE(grantee->gone) || READ_ONCE(grantee->session) ||
		    grantee == sticky)
			continue;
		if (seal_ranges_union(&both, &sticky->ranges,
				      &grantee->ranges)) {
			seal_ranges_free(&both);
			return ERR_PTR(-ENOMEM);
		}
		/* else it ended, and the other one will be merged next time */
		if (grantee_swap(change, sticky, NULL, &both))
			grantee_free(change, grantee);
		seal_ranges_free(&both);
	}
	return sticky;
}

int seal_grantee_add(struct seal_entry *entry, struct seal_session *session,
		     u32 flags, u64 start, u64 end)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *sticky;
	struct seal_ranges mine = { }, left = { };
	int ret;

	sticky = grantee_sticky(entry);
	if (IS_ERR(sticky))
		return PTR_ERR(sticky);
	grantee = grantee_get(entry, session);
	if (!grantee)
		return -ENOMEM;
	ret = ranges_with(&mine, seal_ranges_union, &grantee->ranges, start,
			  end);
	if (ret)
		return ret;
	if (sticky) {
		ret = ranges_with(&left, seal_ranges_subtract, &sticky->ranges,
				  start, end);
		if (ret)
			goto out;
	}
	if (!grantee_swap(change, grantee, session, &mine)) {
		ret = -EACCES;
		goto out;
	}
	if (sticky)
		ranges_replace(&sticky->ranges, &left);
	if (flags & SEAL_GRANT_EXTEND)
		grantee->grow_to = max(grantee->grow_to, end);
out:
	seal_ranges_free(&mine);
	seal_ranges_free(&left);
	return ret;
}

int seal_grantee_remove(struct seal_entry *entry, struct seal_session *session,
			u64 start, u64 end)
{
	struct seal_grantee *grantee;
	struct seal_ranges left = { };
	int ret;

	grantee = session ? seal_grantee_find(entry, session) :
			    grantee_sticky(entry);
	if (IS_ERR_OR_NULL(grantee))
		return PTR_ERR_OR_ZERO(grantee);
	ret = ranges_with(&left, seal_ranges_subtract, &grantee->ranges, start,
			  end);
	if (!ret)
		ranges_replace(&grantee->ranges, &left);
	return ret;
}

void seal_grants_unlock(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);

	do {
		if (READ_ONCE(change->left))
			seal_grants_settle(entry);
		mutex_unlock(&change->lock);
		/*
		 * Pairs with the barrier in grants_left(): that task gets the
		 * lock, or its mark is seen here or by the next owner.
		 */
		smp_mb();
	} while (READ_ONCE(change->left) && mutex_trylock(&change->lock));
}

/* Grantees were marked: settle that now, or leave it to the owner of the lock. */
static void grants_left(struct seal_entry *entry)
{
	/* pairs with the barrier in seal_grants_unlock() */
	smp_mb();
	if (mutex_trylock(&seal_entry_change(entry)->lock))
		seal_grants_unlock(entry);
}

/*
 * Clients may still be writing to the granted blocks, so the lasting claim, if
 * there is one, keeps them.
 */
void seal_grants_leave_locked(struct seal_entry *entry,
			      struct seal_session *session)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee;

	spin_lock(&change->grantees_lock);
	list_for_each_entry(grantee, &change->grantees, list) {
		if (grantee->gone || grantee->session != session)
			continue;
		if (READ_ONCE(entry->sticky))
			WRITE_ONCE(grantee->session, NULL);
		else
			WRITE_ONCE(grantee->gone, true);
		WRITE_ONCE(change->left, true);
	}
	spin_unlock(&change->grantees_lock);
}

/*
 * entry->change was set before anything was granted, and while the claim was
 * there: without it, nothing was granted.
 */
void seal_grants_leave(struct seal_entry *entry, struct seal_session *session)
{
	if (!seal_entry_change(entry))
		return;
	seal_grants_leave_locked(entry, session);
	grants_left(entry);
}

void seal_grants_leave_sticky(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee;

	if (!change)
		return;
	spin_lock(&change->grantees_lock);
	list_for_each_entry(grantee, &change->grantees, list) {
		if (grantee->session || READ_ONCE(entry->sticky))
			continue;
		WRITE_ONCE(grantee->gone, true);
		WRITE_ONCE(change->left, true);
	}
	spin_unlock(&change->grantees_lock);
	grants_left(entry);
}

void seal_grants_drop(struct seal_entry *entry, struct seal_session *session)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;

	list_for_each_entry_safe(grantee, next, &change->grantees, list)
		if (READ_ONCE(grantee->session) == session)
			grantee_free(change, grantee);
	seal_grants_settle(entry);
}

void seal_grants_free(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;

	if (!change)
		return;
	list_for_each_entry_safe(grantee, next, &change->grantees, list)
		grantee_free(change, grantee);
}
