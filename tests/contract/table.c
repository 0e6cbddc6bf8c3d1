// SPDX-License-Identifier: GPL-2.0-only
/* The table of all cases, and which of them a target and a gate concern. */
#include "contract.h"

#include <stdlib.h>
#include <string.h>

static const struct contract_case **table;
static size_t count;

static const struct {
	const char *name;
	unsigned int bit;
} targets[] = {
	{ "xfs", T_XFS },
	{ "xfs-noreflink", T_XFS_NOREFLINK },
	{ "xfs-dax", T_XFS_DAX },
	{ "xfs-1k", T_XFS_1K },
	{ "xfs-atomic", T_XFS_ATOMIC },
	{ "ext4", T_EXT4 },
	{ "ext4-ind", T_EXT4_IND },
	{ "ext4-dax", T_EXT4_DAX },
	{ "ext4-1k", T_EXT4_1K },
	{ "ext4-nodelalloc", T_EXT4_NODELALLOC },
};

#define VFS_GUARD(_gate) \
	{ .xfs = _gate, .xfs_dax = _gate, .ext4 = _gate, .ext4_dax = _gate }

const struct guard guard_write = VFS_GUARD("generic_write_checks");
const struct guard guard_setattr = VFS_GUARD("notify_change");

const struct guard guard_mmap = {
	.xfs = "iomap_page_mkwrite",
	.xfs_dax = "dax_iomap_fault",
	.ext4 = "ext4_da_get_block_prep",
	.ext4_dax = "dax_iomap_fault",
	.ext4_nodelalloc = "ext4_get_block",
};

const struct guard guard_fallocate = {
	.xfs = "xfs_file_fallocate", .xfs_dax = "xfs_file_fallocate",
	.ext4 = "ext4_fallocate", .ext4_dax = "ext4_fallocate",
};

const struct guard guard_remap = {
	.xfs = "generic_remap_file_range_prep",
	.xfs_dax = "dax_remap_file_range_prep",
};

void add_cases(const struct contract_case *cases, size_t n)
{
	table = realloc(table, (count + n) * sizeof(*table));
	if (!table)
		abort();
	for (size_t i = 0; i < n; i++)
		table[count++] = &cases[i];
}

size_t case_count(void)
{
	return count;
}

const struct contract_case *case_at(size_t i)
{
	return table[i];
}

unsigned int target_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i].name, name))
			return targets[i].bit;
	return 0;
}

const char *target_name(unsigned int bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (targets[i].bit == bit)
			return targets[i].name;
	return NULL;
}

/* What a filesystem must be able to do for a layout to exist. */
static unsigned int layout_targets(const char *layout)
{
	unsigned int mask = ~0U;

	if (!layout)
		return mask;
	if (strchr(layout, 'S'))
		mask &= T_REFLINK;
	if (strchr(layout, 'U'))
		mask &= T_UNWRITTEN;
	/* DAX files are allocated as direct writers do it, nothing ahead. */
	if (strchr(layout, 'P'))
		mask &= T_ANY_XFS & ~T_DAX;
	if (!strncmp(layout, "e:", 2))
		mask &= T_ANY_XFS;
	return mask;
}

bool case_applies(const struct contract_case *tc, unsigned int target)
{
	return tc->targets & layout_targets(tc->layout) &
	       layout_targets(tc->peer) & target;
}

const char *case_gate(const struct contract_case *tc, unsigned int target)
{
	const struct guard *g = tc->guard;

	if (!g)
		return NULL;
	if (target & (T_ANY_XFS | T_XFS_ATOMIC))
		return target & T_DAX ? g->xfs_dax : g->xfs;
	if (target & T_EXT4_NODELALLOC && g->ext4_nodelalloc)
		return g->ext4_nodelalloc;
	return target & T_DAX ? g->ext4_dax : g->ext4;
}

bool case_has_gate(const struct contract_case *tc, unsigned int target,
		   const char *gate)
{
	const char *p = case_gate(tc, target);
	size_t len = strlen(gate);

	while (p) {
		if (!strncmp(p, gate, len) && (!p[len] || p[len] == '|'))
			return true;
		p = strchr(p, '|');
		p = p ? p + 1 : NULL;
	}
	return false;
}
