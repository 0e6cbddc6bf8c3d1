// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeping the page cache of a file to its smallest folios: by the bits of its
 * mapping, or, where these have to stay (compat.h), by the gate that readahead
 * has (gates/vfs.c).
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "base/compat.h"
#include "sealing/folios.h"
#include "table/entry.h"

static void set_bits(struct seal_entry *entry, unsigned long bits)
{
	if (!SEAL_READAHEAD_GATE)
		set_mask_bits(&entry->inode->i_mapping->flags, SEAL_FOLIO_BITS,
			      bits);
}

bool seal_folios_allowed(const struct inode *inode)
{
	unsigned long flags = inode->i_mapping->flags;

	return (flags & SEAL_FOLIO_BITS) != seal_small_folios(flags);
}

void seal_folios_restrict(struct seal_entry *entry)
{
	unsigned long bits = entry->inode->i_mapping->flags & SEAL_FOLIO_BITS;

	entry->folio_bits = bits;
	WRITE_ONCE(entry->small_folios, true);
	set_bits(entry, seal_small_folios(bits));
}

void seal_folios_release(struct seal_entry *entry)
{
	if (!entry->small_folios)
		return;
	set_bits(entry, entry->folio_bits);
	WRITE_ONCE(entry->small_folios, false);
}
