// SPDX-License-Identifier: GPL-2.0-only
/* To whom blocks of a sealed file are granted; under change->lock. */
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>

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
		if (grantee->session == session)
			return grantee;
	return NULL;
}

static struct seal_grantee *grantee_get(struct seal_entry *entry,
					struct seal_session *session)
{
	struct seal_grantee *grantee = seal_grantee_find(entry, session);

	if (grantee)
		return grantee;
	grantee = kzalloc(sizeof(*grantee), GFP_KERNEL_ACCOUNT);
	if (grantee) {
		grantee->session = session;
		list_add(&grantee->list, &seal_entry_change(entry)->grantees);
	}
	return grantee;
}

static void grantee_free(struct seal_grantee *grantee)
{
	list_del(&grantee->list);
	seal_ranges_free(&grantee->ranges);
	kfree(grantee);
}

void seal_grants_settle(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;
	u64 bytes = 0;

	list_for_each_entry_safe(grantee, next, &change->grantees, list) {
		if (seal_ranges_empty(&grantee->ranges))
			grantee_free(grantee);
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
	list_for_each_entry_safe(grantee, next, &change->grantees, list) {
		struct seal_ranges both = { };

		if (grantee->session || grantee == sticky)
			continue;
		if (seal_ranges_union(&both, &sticky->ranges,
				      &grantee->ranges)) {
			seal_ranges_free(&both);
			return ERR_PTR(-ENOMEM);
		}
		ranges_replace(&sticky->ranges, &both);
		grantee_free(grantee);
	}
	return sticky;
}

int seal_grantee_add(struct seal_entry *entry, struct seal_session *session,
		     u32 flags, u64 start, u64 end)
{
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
		if (ret) {
			seal_ranges_free(&mine);
			return ret;
		}
		ranges_replace(&sticky->ranges, &left);
	}
	ranges_replace(&grantee->ranges, &mine);
	if (flags & SEAL_GRANT_EXTEND)
		grantee->grow_to = max(grantee->grow_to, end);
	return 0;
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

/*
 * Clients may still be writing to the granted blocks, so the lasting claim, if
 * there is one, keeps them. entry->change was set before anything was granted,
 * and while the claim was there: without it, nothing was granted.
 */
void seal_grants_leave(struct seal_entry *entry, struct seal_session *session)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee;

	if (!change)
		return;
	mutex_lock(&change->lock);
	grantee = seal_grantee_find(entry, session);
	if (grantee && READ_ONCE(entry->sticky))
		grantee->session = NULL;
	else if (grantee)
		grantee_free(grantee);
	seal_grants_settle(entry);
	mutex_unlock(&change->lock);
}

void seal_grants_leave_sticky(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;

	if (!change)
		return;
	mutex_lock(&change->lock);
	list_for_each_entry_safe(grantee, next, &change->grantees, list)
		if (!grantee->session && !READ_ONCE(entry->sticky))
			grantee_free(grantee);
	seal_grants_settle(entry);
	mutex_unlock(&change->lock);
}

void seal_grants_drop(struct seal_entry *entry, struct seal_session *session)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;

	list_for_each_entry_safe(grantee, next, &change->grantees, list)
		if (grantee->session == session)
			grantee_free(grantee);
	seal_grants_settle(entry);
}

void seal_grants_free(struct seal_entry *entry)
{
	struct seal_change *change = seal_entry_change(entry);
	struct seal_grantee *grantee, *next;

	if (!change)
		return;
	list_for_each_entry_safe(grantee, next, &change->grantees, list)
		grantee_free(grantee);
}
