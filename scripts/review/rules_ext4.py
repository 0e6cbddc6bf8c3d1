# SPDX-License-Identifier: GPL-2.0-only
"""ext4: what changes a map, and what may come there without a gate."""
import re

from rules import Allow, Rules


class Ext4(Rules):
    name = 'ext4'

    mutators = frozenset((
        # the extent tree; a tripwire is on the first
        '__ext4_ext_dirty', 'ext4_ext_insert_extent', 'ext4_ext_remove_space',
        'ext4_swap_extents', 'ext4_ext_replay_update_ex',
        # what reserves, and what allocates
        'ext4_es_insert_delayed_block', 'ext4_es_insert_delayed_extent',
        'ext4_mb_new_blocks',
        # blocks of indirect maps
        'ext4_ind_map_blocks', 'ext4_ind_truncate', 'ext4_ind_remove_space',
        # what writes the root of a map in the inode
        'ext4_ext_tree_init', 'swap_inode_data', 'ext4_ext_migrate', 'ext4_ind_migrate',
    ))

    checks = {
        'ext4_generic_write_checks': ('generic_write_checks',),
        'ext4_write_checks': ('generic_write_checks',),
    }

    partial = {
        # only EXT4_IOC_SWAP_BOOT, which the 32-bit entry does not know
        'ext4_ioctl': [('(__)?ext4_ioctl|swap_inode_boot_loader',
                        'swap_inode_data|ext4_ext_tree_init')],
        # only flags that say how the map is stored, or data is written
        'ext4_fileattr_set': [('ext4_fileattr_set|ext4_ioctl_setflags',
                               'ext4_(ext|ind)_migrate|ext4_change_inode_journal_flag')],
    }

    # with flags 0 a look-up
    reading = {'ext4_map_blocks': 3}

    operations = re.compile(r'iomap_ops$|iomap_overwrite_ops$|iomap_report_ops')

    conditional = frozenset((
        'ext4_file_write_iter', 'ext4_page_mkwrite', 'ext4_dax_fault',
        'ext4_dax_huge_fault', 'ext4_da_write_begin', 'ext4_write_begin',
        'ext4_da_get_block_prep', 'ext4_get_block', 'ext4_get_block_unwritten',
    ))

    allow = (
        Allow('ext4_append|__ext4_read_dirblock|'
              'ext4_readdir|(__)?ext4_(dx_)?add_entry|__ext4_find_entry|ext4_(encrypted_)?get_link|ext4_symlink',
              'directories, attribute inodes, symbolic links'),
        Allow('ext4_quota_(read|write)', 'files of the quota, which cannot become sealed '
              'ones', ('dquot_quota_on',)),
        Allow('ext4_xattr_.*|__?ext4_expand_extra_isize.*|ext4_expand_extra_isize_ea',
              'blocks of extended attributes'),
        Allow('__ext4_new_inode', 'an inode that nobody has yet'),
        Allow('.*inline_(data|dir).*', 'inline files are not sealed'),
        Allow('ext4_(journal_)?bmap|ext4_fiemap|ext4_file_read_iter|'
              'ext4_setup_system_zone|ext4_iomap_begin_report|ext4_mpage_readpages|'
              'ext4_fc_write_inode_data|ext4_(iomap_)?swap_activate|ext4_llseek',
              'only reads'),
        Allow('ext4_setattr', 'only notify_change() comes here', ('notify_change',)),
        Allow('ext4_evict_inode', 'an inode that nobody has open'),
        Allow('ext4_fc_replay.*|ext4_(init_)?orphan_.*|ext4_process_orphan',
              'recovery, before the mount is there'),
        Allow('ext4_do_writepages|ext4_writepages|ext4_convert_unwritten.*|'
              'ext4_end_io_rsv_work|ext4_dio_write_end_io|mpage_.*',
              'write-back and end of I/O, of what passed a gate or was flushed'),
        Allow('ext4_(da_)?write_(begin|end)|ext4_journalled_write_end|'
              'ext4_da_do_write_end',
              'only called for ext4_file_write_iter(), behind its gate',
              ('generic_write_checks',)),
        Allow('ext4_end_enable_verity|ext4_write_merkle_tree_block',
              'only behind the beginning of fs-verity',
              ('fsverity_ioctl_enable', 'ext4_begin_enable_verity')),
    )
