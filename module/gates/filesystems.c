// SPDX-License-Identifier: GPL-2.0-only
/* The filesystems whose files can be sealed, and their gates in debugfs. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "base/owners.h"
#include "gates/filesystems.h"
#include "gates/last.h"
#include "gates/sets.h"
#include "gates/vfs.h"
#include "map/map.h"
#include "map/xfs_inode.h"
#include "probes/differs.h"
#include "probes/fs.h"
#include "probes/gate.h"
#include "probes/set.h"
#include "uapi/seal.h"

/*
 * The sets of each filesystem, in the order of attaching. Observers come before
 * all gates, and tripwires before the gates of the filesystem itself. A file is
 * sealed only after all sets are attached.
 */
static struct seal_gate_set *const xfs_sets[] = {
	&seal_map_gates, &seal_observers, &seal_vfs_gates, &seal_xfs_tripwires,
	&seal_xfs_gates, &seal_last_canary, &seal_xfs_last, NULL
};

#if !SEAL_IOMAP_BLOCK_DIRTY
static struct seal_gate_set *const xfs_small_block_sets[] = {
	&seal_map_gates, &seal_observers, &seal_vfs_gates,
	&seal_small_block_gates, &seal_xfs_tripwires, &seal_xfs_gates,
	&seal_last_canary, &seal_xfs_last, NULL
};
#endif

static struct seal_gate_set *const ext4_sets[] = {
	&seal_map_gates, &seal_observers, &seal_vfs_gates, &seal_ext4_tripwires,
	&seal_ext4_gates, &seal_last_canary, &seal_ext4_last, NULL
};

static struct seal_gate_set *const xfs_recalls[] = {
	&seal_vfs_recalls, &seal_xfs_recalls, NULL
};

static struct seal_gate_set *const ext4_recalls[] = {
	&seal_vfs_recalls, NULL
};

/* In this function a write or truncate waits for a pNFS client, unlocked. */
static const char *const xfs_drops[] = { "xfs_break_leased_layouts", NULL };

#define XFS(sets_of)							\
	.name = "xfs", .module = SEAL_XFS_MODULE, .set = &seal_xfs_gates,		\
	.sets = sets_of, .recalls = xfs_recalls, .drops = xfs_drops,	\
	.armed = seal_write_gate_armed, .last_armed = seal_last_armed,	\
	.fallocate = SEAL_XFS_FUNCTION(xfs_file_fallocate),			\
	.differs = SEAL_DIFFERS_XFS, .prove = seal_xfs_measure

#define EXT4(type)							\
	{ .name = type, .module = SEAL_EXT4_MODULE, .set = &seal_ext4_gates,	\
	  .sets = ext4_sets, .recalls = ext4_recalls,			\
	  .armed = seal_write_gate_armed, .last_armed = seal_last_armed,	\
	  .fallocate = SEAL_EXT4_FUNCTION(ext4_fallocate),				\
	  .differs = SEAL_DIFFERS_EXT4 }

struct seal_fs seal_filesystems[] = {
	{ XFS(xfs_sets) },
	EXT4("ext4"),
	/* the ext4 module serves these, too, with and without extents */
	EXT4("ext3"),
	EXT4("ext2"),
};

/* All of it, where the reason of INFO has no room: modinfo -F differs seal */
MODULE_INFO(differs, "xfs: " SEAL_DIFFERS_XFS);
MODULE_INFO(differs, "ext4: " SEAL_DIFFERS_EXT4);

const unsigned int seal_nr_filesystems = ARRAY_SIZE(seal_filesystems);

#if !SEAL_IOMAP_BLOCK_DIRTY
/* XFS whose blocks are smaller than a page; it is listed as the one above. */
static struct seal_fs xfs_small_blocks = {
	XFS(xfs_small_block_sets), .listed = &seal_filesystems[0]
};

static bool has_small_blocks(const struct seal_fs *fs, struct inode *inode)
{
	return fs == xfs_small_blocks.listed && i_blocksize(inode) < PAGE_SIZE;
}
#endif

/* Another module can serve the same name, as ext2.ko did. */
static bool serves(const struct file_system_type *type, const struct seal_fs *fs)
{
	if (!fs->module || !type->owner)
		return !fs->module && !type->owner;
	return !strcmp(module_name(type->owner), fs->module);
}

struct seal_fs *seal_fs_of(struct inode *inode, char *reason)
{
	struct file_system_type *type = inode->i_sb->s_type;
	unsigned int i;

	for (i = 0; i < seal_nr_filesystems; i++) {
		struct seal_fs *fs = &seal_filesystems[i];

		if (strcmp(type->name, fs->name))
			continue;
		if (!serves(type, fs)) {
			snprintf(reason, SEAL_REASON_LEN,
				 "%s is not served by the %s%s here", fs->name,
				 fs->module ? "module " : "kernel itself",
				 fs->module ?: "");
			return NULL;
		}
#if !SEAL_IOMAP_BLOCK_DIRTY
		if (has_small_blocks(fs, inode))
			return &xfs_small_blocks;
#endif
		return fs;
	}
	snprintf(reason, SEAL_REASON_LEN, "no gates for filesystem %s%s",
		 type->name, strcmp(type->name, "overlay") ? "" :
		 ": open the file on its upper layer");
	return NULL;
}

/* --- debugfs, and the switch of the debug build --- */

static struct seal_gate_set *const all_sets[] = {
	&seal_vfs_gates, &seal_xfs_gates, &seal_ext4_gates,
#if !SEAL_IOMAP_BLOCK_DIRTY
	&seal_small_block_gates,
#endif
};

static struct seal_gate_set *const all_last[] = {
	&seal_xfs_last, &seal_ext4_last,
};

static struct seal_gate_set *const all_tripwires[] = {
	&seal_xfs_tripwires, &seal_ext4_tripwires,
};

/* Print a line for each gate: set, function, its hits, kprobe or ftrace. */
static void sets_show(struct seq_file *m, struct seal_gate_set *const *sets,
		      unsigned int nr)
{
	unsigned int i, j;

	seal_sets_lock();
	for (i = 0; i < nr; i++) {
		struct seal_gate_set *set = sets[i];

		if (!atomic_read(&set->users))
			continue;
		for (j = 0; j < set->nr_gates; j++)
			if (set->gates[j].site)
				seq_printf(m, "%s %s %lld %s\n", set->name,
					   set->gates[j].symbol,
					   atomic64_read(&set->gates[j].hits),
					   set->kprobes ? "kprobe" : "ftrace");
	}
	seal_sets_unlock();
}

static int gates_show(struct seq_file *m, void *v)
{
	sets_show(m, all_sets, ARRAY_SIZE(all_sets));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gates);

static int last_show(struct seq_file *m, void *v)
{
	sets_show(m, all_last, ARRAY_SIZE(all_last));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last);

static int tripwires_show(struct seq_file *m, void *v)
{
	sets_show(m, all_tripwires, ARRAY_SIZE(all_tripwires));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tripwires);

#if SEAL_LANDINGS && defined(CONFIG_SEAL_DEBUG)
static int landings_show(struct seq_file *m, void *v)
{
	seal_landings_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(landings);
#endif

static struct dentry *debug_dir;

#ifdef CONFIG_SEAL_DEBUG
static char skip_name[64];

/* Switch off the gate called @name, or all gates if @line is called @name. */
static bool skip_sets(struct seal_gate_set *const *sets, unsigned int nr,
		      const char *name, const char *line)
{
	bool found = false;
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < sets[i]->nr_gates; j++) {
			struct seal_gate *gate = &sets[i]->gates[j];
			bool skip = !strcmp(gate->symbol, name) ||
				    !strcmp(line, name);

			WRITE_ONCE(gate->skip, skip);
			found |= skip;
		}
	}
	return found;
}

static int skip_set(const char *val, const struct kernel_param *kp)
{
	char name[64];
	bool found;

	strscpy(name, val, sizeof(name));
	strim(name);
	seal_sets_lock();
	found = skip_sets(all_sets, ARRAY_SIZE(all_sets), name, "first-line");
	strscpy(skip_name, found ? name : "", sizeof(skip_name));
	seal_sets_unlock();
	return found || !name[0] ? 0 : -ENOENT;
}

static int skip_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", skip_name);
}

static const struct kernel_param_ops skip_ops = {
	.set	= skip_set,
	.get	= skip_get,
};
module_param_cb(skip_gate, &skip_ops, NULL, 0600);
MODULE_PARM_DESC(skip_gate, "debug build: name of a gate, or first-line for all, that lets everything pass");

static char skip_last_name[64];

static int skip_last_set(const char *val, const struct kernel_param *kp)
{
	char name[64];
	bool found;

	strscpy(name, val, sizeof(name));
	strim(name);
	seal_sets_lock();
	found = skip_sets(all_last, ARRAY_SIZE(all_last), name, "last-line");
	strscpy(skip_last_name, found ? name : "", sizeof(skip_last_name));
	seal_sets_unlock();
	return found || !name[0] ? 0 : -ENOENT;
}

static int skip_last_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", skip_last_name);
}

static const struct kernel_param_ops skip_last_ops = {
	.set	= skip_last_set,
	.get	= skip_last_get,
};
module_param_cb(skip_last, &skip_last_ops, NULL, 0600);
MODULE_PARM_DESC(skip_last, "debug build: a probe of the last line, or last-line for all, that lets everything pass");
#endif

void seal_filesystems_init(void)
{
	debug_dir = debugfs_create_dir("seal", NULL);
	debugfs_create_file("gates", 0400, debug_dir, NULL, &gates_fops);
	debugfs_create_file("last", 0400, debug_dir, NULL, &last_fops);
	debugfs_create_file("tripwires", 0400, debug_dir, NULL,
			    &tripwires_fops);
#if SEAL_LANDINGS && defined(CONFIG_SEAL_DEBUG)
	debugfs_create_file("landings", 0400, debug_dir, NULL,
			    &landings_fops);
#endif
}

void seal_filesystems_exit(void)
{
	debugfs_remove_recursive(debug_dir);
}
