// SPDX-License-Identifier: GPL-2.0-only
/* What an operation came to, and whether that can be. */
#include "torture.h"

#include <errno.h>
#include <string.h>

void watch_begin(struct watch *x, struct file *f)
{
	x->f = f;
	x->lenient = false;
	x->changes = f->busy_changes;
	x->idle = !f->busy;
	x->epoch = f->epoch;
}

bool watch_sealed(const struct watch *x)
{
	return x->epoch & 1 && x->f->epoch == x->epoch;
}

bool watch_unsealed(const struct watch *x)
{
	return x->idle && x->f->busy_changes == x->changes;
}

static const char *error_name(long ret)
{
	return ret < 0 ? strerror(-ret) : "success";
}

void judge_change(struct worker *w, struct watch *x, unsigned int nr, long ret)
{
	bool may_refuse = false;

	count(w, ret);
	for (unsigned int i = 0; i < nr; i++) {
		bool binds = watch_sealed(&x[i]) &&
			     (!x[i].lenient || x[i].f->any_in_place);

		/* what was looked at must still have been the same */
		if (ret >= 0 && binds && watch_sealed(&x[i]))
			violation(w, "%s is sealed, the change went through",
				  x[i].f->name);
		may_refuse |= !watch_unsealed(&x[i]);
	}
	if (ret == -ETXTBSY && !may_refuse)
		violation(w, "%s: refused, though nobody seals it", x->f->name);
}

static bool range_in_place(const struct file *f, enum write_way way,
			   uint64_t off, uint64_t len)
{
	uint64_t end = f->sealed_size;

	/* what is stored behind the end in its page goes nowhere */
	if (way == BY_STORE)
		end = (end + BLOCK - 1) / BLOCK * BLOCK;
	if (off + len > end)
		return false;
	for (uint64_t b = off / BLOCK; b * BLOCK < off + len; b++)
		if (!f->in_place[b])
			return false;
	return true;
}

void judge_zero(struct worker *w, struct watch *x, long ret)
{
	if (ret == -ETXTBSY)
		violation(w, "%s: busy, where there is another way", x->f->name);
	if (ret == -EOPNOTSUPP && !x->f->direct_blocks)
		ret = -ETXTBSY;
	judge_change(w, x, 1, ret);
}

void judge_allocate(struct worker *w, struct watch *x, uint64_t off,
		    uint64_t len, long ret)
{
	bool inside = watch_sealed(x) &&
		      range_in_place(x->f, BY_CALL, off, len);

	if (!inside || !watch_sealed(x)) {
		judge_change(w, x, 1, ret);
		return;
	}
	count(w, ret);
	if (ret == -ETXTBSY)
		violation(w, "%s is sealed, nothing to allocate, and refused",
			  x->f->name);
}

void judge_write(struct worker *w, struct watch *x, enum write_way way,
		 uint64_t off, uint64_t len, long ret)
{
	struct file *f = x->f;
	bool inside, all;

	count(w, ret);
	if (ret == -ETXTBSY && watch_unsealed(x)) {
		violation(w, "%s: refused, though nobody seals it", f->name);
		return;
	}
	if (!watch_sealed(x))
		return;
	inside = range_in_place(f, way, off, len);
	all = f->all_in_place;
	if (!watch_sealed(x))
		return;
	if (!inside && ret >= 0) {
		violation(w, "%s is sealed, a write that is not in place went through",
			  f->name);
		return;
	}
	if (!inside)
		return;
	if (ret == (long)len) {
		nr_sealed_writes++;
		return;
	}
	/*
	 * A store counts for its folio, which can be larger than a page when
	 * the cache could not be emptied at SEAL.
	 */
	if (way == BY_STORE && !all && ret == -ETXTBSY)
		return;
	/* it waits for write-back, and is told what another write lost */
	if (way == BY_SYNC && ret == -EIO)
		return;
	violation(w, "%s is sealed, a write in place came to %ld (%s)", f->name,
		  ret, error_name(ret));
}
