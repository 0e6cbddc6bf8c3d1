# SPDX-License-Identifier: GPL-2.0-only
"""XFS: what changes a map, and what may come there without a gate."""
import re

from rules import Allow, Rules


class Xfs(Rules):
    name = 'xfs'

    mutators = frozenset((
        # every change of extents in memory; tripwires are on these
        'xfs_iext_insert', 'xfs_iext_insert_raw', 'xfs_iext_remove',
        'xfs_iext_update_extent', 'xfs_swap_extent_forks',
        # what queues a change, for a transaction that follows
        'xfs_bmap_map_extent', 'xfs_bmap_unmap_extent', 'xfs_exchange_mappings',
        'xfs_exchmaps_add', 'xfs_exchmaps_finish_one',
        # what puts another fork in place, or throws one away
        'xfs_idestroy_fork', 'xfs_bmap_local_to_extents_empty', 'xfs_init_local_fork',
        'xrep_bmap', 'xrep_bmap_data',
    ))

    checks = {
        'xfs_exchrange_prep': ('xfs_exchrange_prep',),
        'xfs_reflink_remap_prep': ('generic_remap_file_range_prep',
                                   'dax_remap_file_range_prep'),
    }

    partial = {
        # only repairs; a check changes nothing
        'xfs_scrub_metadata': [('xfs_scrub_metadata|meta_scrub_ops|@?xrep_.*',
                                'xrep_.*')],
        # only where a client asks to write
        'xfs_fs_map_blocks': [('xfs_fs_map_blocks', 'xfs_iomap_write_direct')],
    }

    operations = re.compile(r'iomap_ops$|(?<!dio)_write_ops$')

    conditional = frozenset((
        'xfs_file_write_iter', 'xfs_filemap_fault', 'xfs_filemap_huge_fault',
        'xfs_filemap_page_mkwrite', 'xfs_filemap_pfn_mkwrite', '__xfs_filemap_fault',
        '__xfs_write_fault', 'xfs_write_fault', 'xfs_file_remap_range',
    ))

    allow = (
        Allow('xfs_iformat_(extents|local|data_fork|attr_fork)|xfs_iread_(extents|bmbt_block)',
              'reads a map from disk, once, before the inode is given out'),
        Allow('xfs_inode_(mark_reclaimable|free_callback|free)|xfs_inactive|'
              'xfs_iget.*|xfs_reclaim_inode|xfs_inodegc_.*',
              'an inode that nobody has open'),
        Allow('xfs_attr_(set|finish_item|recover_work|inactive|rmtval_.*|set_iter|'
              'intent_recover|fork_remove|iremove|add_fork|shortform.*|leaf.*|node.*)|'
              'xfs_bmap_add_attrfork.*|xfs_attr3_leaf_inactive|xfs_xattri_finish_update|'
              'xfs_ifork_zap_attr',
              'extended attributes: a fork of their own'),
        Allow('xfs_da_(grow|shrink)_inode(_int)?|xfs_dir2?_.*',
              'directories and attributes'),
        Allow('xfs_symlink.*|xfs_inactive_symlink.*', 'symbolic links'),
        Allow('xfs_dquot_disk_alloc|xfs_qm_scall_trunc_qfile',
              'inodes of the quota, which are not sealed'),
        Allow('xfs_rtfile_(initialize|alloc)_blocks|xfs_growfs_rt(_alloc)?|'
              'xfs_rt(rmap|refcount)bt_.*|xfs_rtginode_.*',
              'inodes of the realtime device, which are not sealed'),
        Allow('xfs_zone.*', 'zoned inodes are not sealed'),
        Allow('xfs_reflink_cancel_cow_(blocks|range)|xfs_bmap_del_extent_cow|'
              'xfs_reflink_convert_cow(_locked|_extent)?|xfs_ifork_init_cow',
              'the copy-on-write fork only'),
        Allow('xfs_map_blocks|xfs_writeback_range|xfs_prepare_ioend|xfs_discard_folio|'
              'xfs_end_io|xfs_end_ioend(_write)?|xfs_dio_write_end_io|xfs_convert_blocks|'
              'xfs_ioend_.*',
              'write-back and end of I/O, of what passed a gate or was flushed'),
        Allow('xfs_buffered_write_delalloc_punch',
              'takes back what the same write has reserved'),
        Allow('xfs_(vn_)?setattr_size', 'only notify_change() comes here',
              ('notify_change',)),
        Allow('xfs_bmap_update_finish_item|xfs_exchmaps_finish_item',
              'does what was queued; queueing it is a change already'),
        Allow('xfs_bmbt_commit_staged_btree',
              'for online repair, which puts a rebuilt map in place'),
        Allow('xfs_bmap_recover_work|xfs_exchmaps_recover_work|xfs_bui_.*recover.*|'
              'xlog_recover_.*|xfs_recover_inode_owner_change',
              'recovery of the log, before the mount is there'),
    )
