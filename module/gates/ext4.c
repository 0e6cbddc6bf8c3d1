// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gates of ext4, with extents and with indirect blocks.
 *
 * The letters [p], [g] and [t] say how a function was shown to see every call;
 * xfs.c explains them.
 */
#include <linux/buffer_head.h>
#include <linux/fs.h>

#include "base/compat.h"
#include "base/owners.h"
#include "gates/decide.h"
#include "gates/fallocate.h"
#include "gates/inside.h"
#include "gates/recall.h"
#include "gates/sets.h"
#include "probes/gate.h"
#include "table/entry.h"

/*
 * ext4_da_get_block_prep(), ext4_get_block(), ext4_get_block_unwritten()
 * (inode, block, bh, create) [p]: a write fault calls one of them for every
 * block of the folio that has no mapped buffer, before the folio becomes dirty,
 * with the invalidate lock held shared. Writes call them, too; those were
 * decided by generic_write_checks().
 */
static void enter_get_block(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = seal_arg(call, 0, struct inode *);
	u64 start = seal_arg(call, 1, u64) << inode->i_blkbits;
	int create = seal_arg(call, 3, int);

	if (likely(!seal_flagged(inode)) || !create)
		return;
	if (seal_gate_refuses(gate, inode, start, start + i_blocksize(inode)))
		seal_redirect(call, seal_return_busy);
}

/*
 * ext4_fileattr_set(idmap, dentry, fa) [p]: called with i_rwsem held. A change
 * of FS_EXTENT_FL rewrites the map; with FS_JOURNAL_DATA_FL new data goes to
 * the journal first.
 */
static void enter_fileattr_set(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = d_inode(seal_arg(call, 1, struct dentry *));
	struct seal_fileattr *fa = seal_arg(call, 2, struct seal_fileattr *);
	struct seal_entry *entry;
	bool changes = false;

	if (likely(!seal_flagged(inode)))
		return;
	rcu_read_lock();
	entry = seal_lookup(inode);
	if (entry)
		changes = (READ_ONCE(entry->fs_flags) ^ fa->flags) &
			  (FS_EXTENT_FL | FS_JOURNAL_DATA_FL);
	rcu_read_unlock();
	if (changes && seal_gate_refuses_any(gate, inode))
		seal_redirect(call, seal_return_busy);
}

/* ext4_ext_migrate(inode) [g]: EXT4_IOC_MIGRATE, with i_rwsem held. */
static void enter_migrate(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = seal_arg(call, 0, struct inode *);

	if (unlikely(seal_flagged(inode)) && seal_gate_refuses_any(gate, inode))
		seal_redirect(call, seal_return_busy);
}

/*
 * ext4_begin_enable_verity(file) [p]: fs-verity is going to write its tree
 * behind EOF. Called with i_rwsem held.
 */
static void enter_verity(struct seal_gate *gate, struct ftrace_regs *call)
{
	struct inode *inode = file_inode(seal_arg(call, 0, struct file *));

	if (unlikely(seal_flagged(inode)) && seal_gate_refuses_any(gate, inode))
		seal_redirect(call, seal_return_busy);
}

/* --- entered without a lock: wrappers --- */

static struct seal_gate ext4_gates[];

enum ext4_wrapped {
	WRAP_FALLOCATE,
	WRAP_MOVE_EXTENTS,
	WRAP_IOCTL,
};

static bool refuses(enum ext4_wrapped gate, struct inode *inode)
{
	return seal_flagged(inode) &&
	       seal_gate_refuses_any(&ext4_gates[gate], inode);
}

/* ext4_fallocate() [p]: all modes and all callers. */
SEAL_FALLOCATE(ext4, &ext4_gates[WRAP_FALLOCATE])

/* ext4_move_extents(orig, donor, ...) [g]: EXT4_IOC_MOVE_EXT, e4defrag. */
SEAL_ORIGINAL(seal_ext4_move_extents, int, struct file *orig,
	      struct file *donor, u64 oblk, u64 dblk, u64 len, u64 *moved);

static noinline int wrap_move_extents(struct file *orig, struct file *donor,
				      u64 oblk, u64 dblk, u64 len, u64 *moved)
{
	struct seal_inside own[2], *inside[2];
	int recall = seal_recall_enter();
	int ret = seal_recall(file_inode(orig), file_inode(donor), orig,
			      "ext4_move_extents");

	if (ret)
		goto out;
	inside[0] = seal_inside_enter(file_inode(orig), &own[0]);
	inside[1] = seal_inside_enter(file_inode(donor), &own[1]);
	if (refuses(WRAP_MOVE_EXTENTS, file_inode(orig)) ||
	    refuses(WRAP_MOVE_EXTENTS, file_inode(donor)))
		ret = -ETXTBSY;
	else
		ret = static_call(seal_ext4_move_extents)(orig, donor, oblk,
							  dblk, len, moved);
	seal_inside_leave(inside[1], &own[1]);
	seal_inside_leave(inside[0], &own[0]);
out:
	seal_recall_leave(recall);
	seal_unwrap();
	return ret;
}

static void enter_move_extents(struct seal_gate *gate, struct ftrace_regs *call)
{
	seal_wrap(call, wrap_move_extents);
}

/*
 * ext4_ioctl() [p]: EXT4_IOC_SWAP_BOOT exchanges the map with that of the boot
 * loader inode, deep inside this large function. A 32-bit caller cannot get
 * there: ext4_compat_ioctl() does not know the command.
 */
#define EXT4_IOC_SWAP_BOOT	_IO('f', 17)

SEAL_ORIGINAL(seal_ext4_ioctl, long, struct file *file, unsigned int cmd,
	      unsigned long arg);

static noinline long wrap_ioctl(struct file *file, unsigned int cmd,
				unsigned long arg)
{
	struct inode *inode = file_inode(file);
	struct seal_inside own, *inside = seal_inside_enter(inode, &own);
	long ret = -ETXTBSY;

	if (!refuses(WRAP_IOCTL, inode))
		ret = static_call(seal_ext4_ioctl)(file, cmd, arg);
	seal_inside_leave(inside, &own);
	seal_unwrap();
	return ret;
}

static void enter_ioctl(struct seal_gate *gate, struct ftrace_regs *call)
{
	if (likely(seal_arg(call, 1, unsigned int) != EXT4_IOC_SWAP_BOOT))
		return;
	seal_wrap(call, wrap_ioctl);
}

/*
 * These functions have no gate: ext4_setattr() and ext4_truncate() (called
 * behind notify_change()), ext4_break_layouts() (inlined into one of its
 * callers since 6.18; called behind ext4_fallocate()), ext4_write_begin(),
 * ext4_da_write_begin() and ext4_iomap_begin() (called behind
 * generic_write_checks(); a second gate on a path can hide the loss of the
 * first), ext4_map_blocks() (called by every read, and behind the get_block
 * functions), write-back and conversion at the end of I/O (a refusal there
 * loses data).
 */
static struct seal_gate ext4_gates[] = {
	[WRAP_FALLOCATE] =
		SEAL_GATE_WRAPPED_HOT("ext4_fallocate", fallocate,
				      seal_ext4_fallocate),
	[WRAP_MOVE_EXTENTS] =
		SEAL_GATE_WRAPPED("ext4_move_extents", enter_move_extents,
				  seal_ext4_move_extents),
	[WRAP_IOCTL] =
		SEAL_GATE_WRAPPED("ext4_ioctl", enter_ioctl, seal_ext4_ioctl),
	SEAL_GATE("ext4_da_get_block_prep", enter_get_block),
	SEAL_GATE("ext4_get_block", enter_get_block),
	SEAL_GATE("ext4_get_block_unwritten", enter_get_block),
	SEAL_GATE("ext4_fileattr_set", enter_fileattr_set),
	SEAL_GATE("ext4_ext_migrate", enter_migrate),
	SEAL_GATE("ext4_begin_enable_verity", enter_verity),
};

struct seal_gate_set seal_ext4_gates = {
	.name		= "ext4",
	.module		= SEAL_EXT4_MODULE,
	.gates		= ext4_gates,
	.nr_gates	= ARRAY_SIZE(ext4_gates),
};
