// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of sealed inodes, and their states.
 *
 * An entry that is being sealed or dismantled belongs to the task that does it.
 * Other tasks wait for seal_state_changed.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "base/compat.h"
#include "base/mode.h"
#include "probes/fs.h"
#include "table/entry.h"

/*
 * Gates look up inodes by their address. The generic functions of rhashtable,
 * for keys of any length, take four times as many instructions.
 */
static u32 hash_inode(const void *key, u32 length, u32 seed)
{
	return hash_64((unsigned long)*(struct inode *const *)key ^ seed, 32);
}

static int cmp_inode(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct seal_entry *entry = object;

	return entry->inode != *(struct inode *const *)arg->key;
}

static const struct rhashtable_params entry_params = {
	.head_offset		= offsetof(struct seal_entry, node),
	.key_offset		= offsetof(struct seal_entry, inode),
	.key_len		= sizeof(struct inode *),
	.hashfn			= hash_inode,
	.obj_cmpfn		= cmp_inode,
	.automatic_shrinking	= true,
};

static_assert(SEAL_FOLIO_BITS <= U32_MAX, "folio_bits of an entry");

static struct kmem_cache *entry_cache;
static struct rhashtable entries;
/* The number of entries of each filesystem that has one, by its device. */
static DEFINE_XARRAY(entries_on);
DEFINE_SPINLOCK(seal_table_lock);	/* see entry.h */
DECLARE_WAIT_QUEUE_HEAD(seal_state_changed);
static u64 generation;			/* last one given; seal_table_lock */
static atomic64_t last_id;		/* of an entry */

u64 seal_new_generation(void)
{
	lockdep_assert_held(&seal_table_lock);
	return ++generation;
}

struct seal_entry *seal_lookup(struct inode *inode)
{
	return rhashtable_lookup(&entries, &inode, entry_params);
}

struct seal_entry *seal_entry_find(struct inode *inode)
{
	struct seal_entry *entry;

	lockdep_assert_held(&seal_table_lock);
	rcu_read_lock();
	entry = seal_lookup(inode);
	rcu_read_unlock();
	return entry;
}

bool seal_any_on(struct super_block *sb)
{
	return xa_load(&entries_on, sb->s_dev);
}

bool seal_is_sealed(struct inode *inode)
{
	bool sealed;

	if (!seal_flagged(inode))
		return false;
	rcu_read_lock();
	sealed = seal_lookup(inode);
	rcu_read_unlock();
	return sealed;
}

bool seal_changing(struct inode *inode)
{
	struct seal_entry *entry;
	bool own;

	rcu_read_lock();
	entry = seal_lookup(inode);
	own = entry && seal_entry_changing(entry);
	rcu_read_unlock();
	return own;
}

bool seal_entry_settled(const struct seal_entry *entry)
{
	return READ_ONCE(entry->state) == SEAL_ENTRY_SEALED &&
	       !READ_ONCE(entry->growing);
}

bool seal_entry_in_transit(struct inode *inode)
{
	struct seal_entry *entry;
	bool transit;

	rcu_read_lock();
	entry = seal_lookup(inode);
	transit = entry && !seal_entry_settled(entry);
	rcu_read_unlock();
	return transit;
}

static void entry_free_rcu(struct rcu_head *rcu)
{
	struct seal_entry *entry = container_of(rcu, struct seal_entry, rcu);
	struct seal_table *table = rcu_dereference_protected(entry->table, 1);

	seal_ranges_free(&table->ranges);
	kfree(table);
	kfree(rcu_dereference_protected(entry->change, 1));
	kmem_cache_free(entry_cache, entry);
}

struct seal_entry *seal_entry_alloc(struct file *file, struct seal_fs *fs,
				    u32 fs_flags)
{
	struct seal_entry *entry = kmem_cache_zalloc(entry_cache, GFP_KERNEL);
	struct seal_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);

	if (!entry || !table) {
		kfree(table);
		if (entry)
			kmem_cache_free(entry_cache, entry);
		return NULL;
	}
	RCU_INIT_POINTER(entry->table, table);
	entry->id = atomic64_inc_return(&last_id);
	entry->inode = file_inode(file);
	entry->path = file->f_path;
	path_get(&entry->path);
	entry->fs = fs;
	entry->fs_flags = fs_flags;
	entry->state = SEAL_ENTRY_SEALING;
	entry->claims = 1;
	INIT_LIST_HEAD(&entry->holders);
	return entry;
}

void seal_entry_free(struct seal_entry *entry)
{
	path_put(&entry->path);
	call_rcu(&entry->rcu, entry_free_rcu);
}

/*
 * There is one entry more or less of this filesystem. Returns 0 or -ENOMEM, the
 * latter only for the first entry.
 */
static int count_on(const struct super_block *sb, int change)
{
	void *old = xa_load(&entries_on, sb->s_dev);
	unsigned long nr = (old ? xa_to_value(old) : 0) + change;

	return xa_err(xa_store(&entries_on, sb->s_dev,
			       nr ? xa_mk_value(nr) : NULL, GFP_ATOMIC));
}

int seal_entry_insert(struct seal_entry *entry)
{
	int ret;

	lockdep_assert_held(&seal_table_lock);
	ret = count_on(entry->inode->i_sb, 1);
	if (ret)
		return ret;
	ret = rhashtable_insert_fast(&entries, &entry->node, entry_params);
	if (ret)
		count_on(entry->inode->i_sb, -1);
	return ret;
}

void seal_entry_remove(struct seal_entry *entry)
{
	lockdep_assert_held(&seal_table_lock);
	rhashtable_remove_fast(&entries, &entry->node, entry_params);
	count_on(entry->inode->i_sb, -1);
}

struct seal_fs *seal_entry_fs(const struct seal_entry *entry)
{
	return entry->fs;
}

u32 seal_entry_flags(struct seal_entry *entry)
{
	u32 flags = 0;

	if (entry->state == SEAL_ENTRY_SEALED)
		flags |= SEAL_STATUS_SEALED;
	if (seal_changes(entry))
		flags |= SEAL_STATUS_BROKEN;
	if (seal_fs_missed(seal_entry_fs(entry)))
		flags |= SEAL_STATUS_MISSED;
	if (seal_is_log_only())
		flags |= SEAL_STATUS_LOG_ONLY;
	return flags;
}

char *seal_entry_path_page(const struct seal_entry *entry,
			   const struct path *root, char *page, bool *deleted)
{
	static const char suffix[] = " (deleted)";
	size_t length;
	char *path;

	if (!path_is_under(&entry->path, root))
		return NULL;
	path = d_path(&entry->path, page, PAGE_SIZE);
	if (IS_ERR(path))
		return NULL;
	length = strlen(path);
	*deleted = d_unlinked(entry->path.dentry) &&
		   length > strlen(suffix) &&
		   !strcmp(path + length - strlen(suffix), suffix);
	if (*deleted)
		path[length - strlen(suffix)] = '\0';
	return path;
}

/* The root directory of init, which is the one of the current task meanwhile. */
struct init_root {
	struct fs_struct	*old;
	struct path		path;
};

static void init_root_get(struct init_root *root)
{
	root->old = seal_init_fs_begin();
	get_fs_root(current->fs, &root->path);
}

static void init_root_put(struct init_root *root)
{
	path_put(&root->path);
	seal_init_fs_end(root->old);
}

char *seal_entry_path_init(const struct seal_entry *entry, char *page,
			   bool *deleted)
{
	struct init_root root;
	char *path;

	init_root_get(&root);
	path = seal_entry_path_page(entry, &root.path, page, deleted);
	init_root_put(&root);
	return path;
}

char *seal_entry_path(struct inode *inode, u64 id, bool *deleted)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	char *path = NULL, *copy;
	struct seal_entry *entry;
	struct init_root root;

	if (!page)
		return NULL;
	init_root_get(&root);
	spin_lock(&seal_table_lock);
	entry = seal_entry_find(inode);
	if (entry && entry->id == id)
		path = seal_entry_path_page(entry, &root.path, page, deleted);
	spin_unlock(&seal_table_lock);
	init_root_put(&root);
	copy = path ? kstrdup(path, GFP_KERNEL) : NULL;
	free_page((unsigned long)page);
	return copy;
}

struct seal_change *seal_change_alloc(gfp_t gfp)
{
	struct seal_change *change = kzalloc(sizeof(*change), gfp);

	if (!change)
		return NULL;
	mutex_init(&change->lock);
	spin_lock_init(&change->grantees_lock);
	INIT_LIST_HEAD(&change->grantees);
	return change;
}

void seal_entry_get_changer(struct seal_entry *entry,
			    struct seal_change **fresh)
{
	lockdep_assert_held(&seal_table_lock);
	if (!seal_entry_change(entry)) {
		rcu_assign_pointer(entry->change, *fresh);
		*fresh = NULL;
	}
	entry->claims++;
	seal_entry_change(entry)->changers++;
}

static void table_free_rcu(struct rcu_head *rcu)
{
	struct seal_table *table = container_of(rcu, struct seal_table, rcu);

	seal_ranges_free(&table->ranges);
	kfree(table);
}

void seal_table_publish(struct seal_entry *entry, struct seal_table *table)
{
	struct seal_table *old = rcu_dereference_protected(entry->table, 1);

	rcu_assign_pointer(entry->table, table);
	call_rcu(&old->rcu, table_free_rcu);
}

void seal_table_free(struct seal_table *table)
{
	seal_ranges_free(&table->ranges);
	kfree(table);
}

void seal_entry_publish(struct seal_entry *entry, struct seal_table *table,
			const struct seal_map_sum *sum)
{
	spin_lock(&seal_table_lock);
	seal_table_publish(entry, table);
	entry->sum = *sum;
	entry->generation = seal_new_generation();
	spin_unlock(&seal_table_lock);
}

int seal_entries_init(void)
{
	int ret;

	entry_cache = KMEM_CACHE(seal_entry, SLAB_ACCOUNT);
	if (!entry_cache)
		return -ENOMEM;
	ret = rhashtable_init(&entries, &entry_params);
	if (ret)
		kmem_cache_destroy(entry_cache);
	return ret;
}

void seal_entries_exit(void)
{
	/* wait until RCU has freed the last entries and tables */
	rcu_barrier();
	rhashtable_destroy(&entries);
	xa_destroy(&entries_on);
	kmem_cache_destroy(entry_cache);
}
