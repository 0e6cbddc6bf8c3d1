// SPDX-License-Identifier: GPL-2.0-only
/* The filesystems whose files can be sealed, and what is shown of their gates. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "gates/filesystems.h"
#include "gates/sets.h"
#include "map/xfs_inode.h"
#include "probes/gate.h"
#include "uapi/seal.h"

struct seal_fs seal_filesystems[] = {
	{ .name = "xfs",  .module = "xfs",
	  .common = &seal_vfs_gates, .set = &seal_xfs_gates,
	  .tripwires = &seal_xfs_tripwires,
	  .fallocate = "xfs_file_fallocate [xfs]", .prove = seal_xfs_measure },
	{ .name = "ext4", .module = "ext4",
	  .common = &seal_vfs_gates, .set = &seal_ext4_gates,
	  .tripwires = &seal_ext4_tripwires,
	  .fallocate = "ext4_fallocate [ext4]" },
	/* served by the ext4 module, with and without extents */
	{ .name = "ext3", .module = "ext4",
	  .common = &seal_vfs_gates, .set = &seal_ext4_gates,
	  .tripwires = &seal_ext4_tripwires,
	  .fallocate = "ext4_fallocate [ext4]" },
	{ .name = "ext2", .module = "ext4",
	  .common = &seal_vfs_gates, .set = &seal_ext4_gates,
	  .tripwires = &seal_ext4_tripwires,
	  .fallocate = "ext4_fallocate [ext4]" },
};

const unsigned int seal_nr_filesystems = ARRAY_SIZE(seal_filesystems);

struct seal_fs *seal_fs_of(struct inode *inode, char *reason)
{
	struct file_system_type *type = inode->i_sb->s_type;
	unsigned int i;

	for (i = 0; i < seal_nr_filesystems; i++) {
		struct seal_fs *fs = &seal_filesystems[i];

		if (strcmp(type->name, fs->name))
			continue;
		/* another module can serve the same name, as ext2 did */
		if (!type->owner || strcmp(module_name(type->owner), fs->module)) {
			snprintf(reason, SEAL_REASON_LEN,
				 "%s is not served by the module %s here",
				 fs->name, fs->module);
			return NULL;
		}
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
};

static struct seal_gate_set *const all_tripwires[] = {
	&seal_xfs_tripwires, &seal_ext4_tripwires,
};

static void sets_show(struct seq_file *m, struct seal_gate_set *const *sets,
		      unsigned int nr)
{
	unsigned int i, j;

	mutex_lock(&seal_gates_lock);
	for (i = 0; i < nr; i++) {
		struct seal_gate_set *set = sets[i];

		if (!set->users)
			continue;
		for (j = 0; j < set->nr_gates; j++)
			if (!set->gates[j].absent && !set->gates[j].counts &&
			    !set->gates[j].waits)
				seq_printf(m, "%s %s %lld %lu %s\n", set->name,
					   set->gates[j].symbol,
					   atomic64_read(&set->gates[j].hits),
					   set->gates[j].kp.nmissed,
					   set->gates[j].hooked ? "ftrace" :
								  "kprobe");
	}
	mutex_unlock(&seal_gates_lock);
}

static int gates_show(struct seq_file *m, void *v)
{
	sets_show(m, all_sets, ARRAY_SIZE(all_sets));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gates);

static int tripwires_show(struct seq_file *m, void *v)
{
	sets_show(m, all_tripwires, ARRAY_SIZE(all_tripwires));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tripwires);

static struct dentry *debug_dir;

#ifdef CONFIG_SEAL_DEBUG
static char skip_name[64];

static int skip_set(const char *val, const struct kernel_param *kp)
{
	unsigned int i, j;
	bool found = false;
	char name[64];

	strscpy(name, val, sizeof(name));
	strim(name);
	mutex_lock(&seal_gates_lock);
	for (i = 0; i < ARRAY_SIZE(all_sets); i++) {
		for (j = 0; j < all_sets[i]->nr_gates; j++) {
			struct seal_gate *gate = &all_sets[i]->gates[j];
			bool skip = !strcmp(gate->symbol, name);

			WRITE_ONCE(gate->skip, skip);
			found |= skip;
		}
	}
	strscpy(skip_name, found ? name : "", sizeof(skip_name));
	mutex_unlock(&seal_gates_lock);
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
MODULE_PARM_DESC(skip_gate, "debug build: name of a gate that lets everything pass");
#endif

int seal_filesystems_init(void)
{
	debug_dir = debugfs_create_dir("seal", NULL);
	debugfs_create_file("gates", 0400, debug_dir, NULL, &gates_fops);
	debugfs_create_file("tripwires", 0400, debug_dir, NULL,
			    &tripwires_fops);
	return 0;
}

void seal_filesystems_exit(void)
{
	debugfs_remove_recursive(debug_dir);
}
