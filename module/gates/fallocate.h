/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate on ->fallocate() of a filesystem: every mode and every caller.
 *
 * The function is entered without a lock, so it is wrapped. There are two
 * wrappers, because most files are not sealed, and their calls need not ask
 * holders first.
 */
#ifndef SEAL_FALLOCATE_H
#define SEAL_FALLOCATE_H

#include <linux/errno.h>
#include <linux/fs.h>

#include "gates/decide.h"
#include "gates/inside.h"
#include "gates/recall.h"
#include "probes/gate.h"
#include "table/entry.h"

typedef long (*seal_fallocate_fn)(struct file *file, int mode, loff_t offset,
				  loff_t len);

/*
 * The flag of the inode was seen, and holders may have to be asked first; or the
 * other wrapper found no place. The module itself comes by as well, for a holder
 * that allocates: see grant.c.
 */
static __always_inline long
seal_fallocate_sealed(struct seal_gate *gate, seal_fallocate_fn original,
		      struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	struct seal_inside own, *inside;
	long ret = 0;
	int recall;

	if (seal_fallocate_done(inode, mode, offset, len))
		goto out;
	recall = seal_recall_enter();
	if (!seal_changing(inode))
		ret = seal_recall(inode, NULL, file, gate->symbol);
	if (ret)
		goto out_recall;
	inside = seal_inside_enter(inode, &own);
	if (!seal_flagged(inode) || seal_changing(inode) ||
	    !seal_gate_refuses_any(gate, inode))
		ret = original(file, mode, offset, len);
	else
		ret = seal_fallocate_error(mode);
	seal_inside_leave(inside, &own);
out_recall:
	seal_recall_leave(recall);
out:
	seal_unwrap();
	return ret;
}

static __always_inline long
seal_fallocate_plain(seal_fallocate_fn sealed, seal_fallocate_fn original,
		     struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	struct seal_inside *place = seal_inside_try(inode);
	long ret;

	if (unlikely(!place))
		return sealed(file, mode, offset, len);
	/* sealing has begun meanwhile */
	if (unlikely(seal_flagged(inode))) {
		seal_inside_done(place);
		return sealed(file, mode, offset, len);
	}
	ret = original(file, mode, offset, len);
	seal_inside_done(place);
	seal_unwrap();
	return ret;
}

/*
 * Define the handler fallocate() with its ftrace function, the wrappers that it
 * sends calls to, and seal_@fs_fallocate for the original. @gate is the address of
 * the gate. All is inlined: the original is called by its static call.
 */
#define SEAL_FALLOCATE(fs, gate)					\
SEAL_ORIGINAL(seal_##fs##_fallocate, long, struct file *file, int mode,	\
	      loff_t offset, loff_t len);				\
static __always_inline long						\
original_fallocate(struct file *file, int mode, loff_t offset, loff_t len) \
{									\
	return static_call(seal_##fs##_fallocate)(file, mode, offset, len); \
}									\
static noinline long wrap_fallocate_sealed(struct file *file, int mode,	\
					   loff_t offset, loff_t len)	\
{									\
	return seal_fallocate_sealed(gate, original_fallocate, file,	\
				     mode, offset, len);		\
}									\
static noinline long wrap_fallocate(struct file *file, int mode,	\
				    loff_t offset, loff_t len)		\
{									\
	return seal_fallocate_plain(wrap_fallocate_sealed,		\
				    original_fallocate, file, mode,	\
				    offset, len);			\
}									\
static __always_inline void fallocate(struct seal_gate *unused,		\
				      struct ftrace_regs *call)		\
{									\
	struct file *file = seal_arg(call, 0, struct file *);		\
									\
	seal_wrap(call, unlikely(seal_flagged(file_inode(file))) ?	\
			wrap_fallocate_sealed : wrap_fallocate);	\
}									\
SEAL_HOOK(fallocate)

#endif /* SEAL_FALLOCATE_H */
