// SPDX-License-Identifier: GPL-2.0-only
/*
 * The layout of <seal.h>, checked by the compiler. The Makefile compiles this
 * file for 64 and for 32 bits, with every padding byte being an error, so
 * that both kinds of caller speak the same language.
 */
#include <seal.h>

#define SIZE(type, bytes)						\
	_Static_assert(sizeof(struct type) == (bytes), "size of " #type)
#define AT(type, member, offset)					\
	_Static_assert(__builtin_offsetof(struct type, member) == (offset), \
		       #type "." #member)
#define COMMAND(name, value)						\
	_Static_assert((name) == (value), #name)

SIZE(seal_fs_info, 168);
AT(seal_fs_info, name, 0);
AT(seal_fs_info, state, 16);
AT(seal_fs_info, gates, 20);
AT(seal_fs_info, attached, 24);
AT(seal_fs_info, sealed, 28);
AT(seal_fs_info, reserved, 32);
AT(seal_fs_info, reason, 40);

SIZE(seal_info, 64);
AT(seal_info, size, 0);
AT(seal_info, abi, 4);
AT(seal_info, features, 8);
AT(seal_info, flags, 16);
AT(seal_info, nr_fs, 20);
AT(seal_info, fs, 24);
AT(seal_info, version, 32);

SIZE(seal_range_op, 40);
AT(seal_range_op, size, 0);
AT(seal_range_op, fd, 4);
AT(seal_range_op, flags, 8);
AT(seal_range_op, reserved, 12);
AT(seal_range_op, offset, 16);
AT(seal_range_op, length, 24);
AT(seal_range_op, done, 32);

SIZE(seal_files, 192);
AT(seal_files, size, 0);
AT(seal_files, flags, 4);
AT(seal_files, nr_fds, 8);
AT(seal_files, require, 12);
AT(seal_files, fds, 16);
AT(seal_files, max_extents, 24);
AT(seal_files, bad_index, 32);
AT(seal_files, bad_state, 36);
AT(seal_files, bad_require, 40);
AT(seal_files, recall_ms, 44);
AT(seal_files, bad_offset, 48);
AT(seal_files, bad_length, 56);
AT(seal_files, reason, 64);

SIZE(seal_revoke, 16);
AT(seal_revoke, size, 0);
AT(seal_revoke, fd, 4);
AT(seal_revoke, flags, 8);
AT(seal_revoke, holders, 12);

SIZE(seal_unseal, 24);
AT(seal_unseal, size, 0);
AT(seal_unseal, fd, 4);
AT(seal_unseal, flags, 8);
AT(seal_unseal, reserved, 12);
AT(seal_unseal, claim, 16);

SIZE(seal_status, 216);
AT(seal_status, size, 0);
AT(seal_status, fd, 4);
AT(seal_status, flags, 8);
AT(seal_status, holders, 12);
AT(seal_status, met, 16);
AT(seal_status, reserved, 20);
AT(seal_status, file_size, 24);
AT(seal_status, extents, 32);
AT(seal_status, written, 40);
AT(seal_status, unwritten, 48);
AT(seal_status, shared, 56);
AT(seal_status, delalloc, 64);
AT(seal_status, hole, 72);
AT(seal_status, in_place, 80);
AT(seal_status, digest, 88);
AT(seal_status, refused, 96);
AT(seal_status, missed, 104);
AT(seal_status, dev_major, 112);
AT(seal_status, dev_minor, 116);
AT(seal_status, broken, 120);
AT(seal_status, generation, 128);
AT(seal_status, granted, 136);
AT(seal_status, first_broken, 144);
AT(seal_status, ask, 208);
AT(seal_status, reserved2, 212);

SIZE(seal_grant_extent, 40);
AT(seal_grant_extent, logical, 0);
AT(seal_grant_extent, length, 8);
AT(seal_grant_extent, physical, 16);
AT(seal_grant_extent, dev_major, 24);
AT(seal_grant_extent, dev_minor, 28);
AT(seal_grant_extent, state, 32);
AT(seal_grant_extent, reserved, 36);

SIZE(seal_grant, 200);
AT(seal_grant, size, 0);
AT(seal_grant, fd, 4);
AT(seal_grant, flags, 8);
AT(seal_grant, nr_extents, 12);
AT(seal_grant, extents, 16);
AT(seal_grant, offset, 24);
AT(seal_grant, length, 32);
AT(seal_grant, done, 40);
AT(seal_grant, bad_offset, 48);
AT(seal_grant, bad_length, 56);
AT(seal_grant, bad_state, 64);
AT(seal_grant, reserved, 68);
AT(seal_grant, reason, 72);

SIZE(seal_commit_range, 16);
AT(seal_commit_range, offset, 0);
AT(seal_commit_range, length, 8);

SIZE(seal_commit, 184);
AT(seal_commit, size, 0);
AT(seal_commit, fd, 4);
AT(seal_commit, flags, 8);
AT(seal_commit, nr_ranges, 12);
AT(seal_commit, ranges, 16);
AT(seal_commit, new_size, 24);
AT(seal_commit, converted, 32);
AT(seal_commit, generation, 40);
AT(seal_commit, bad_index, 48);
AT(seal_commit, reserved, 52);
AT(seal_commit, reason, 56);

SIZE(seal_release, 32);
AT(seal_release, size, 0);
AT(seal_release, fd, 4);
AT(seal_release, flags, 8);
AT(seal_release, reserved, 12);
AT(seal_release, offset, 16);
AT(seal_release, length, 24);

SIZE(seal_place, 32);
AT(seal_place, logical, 0);
AT(seal_place, length, 8);
AT(seal_place, physical, 16);
AT(seal_place, state, 24);
AT(seal_place, reserved, 28);

SIZE(seal_places, 160);
AT(seal_places, size, 0);
AT(seal_places, fd, 4);
AT(seal_places, flags, 8);
AT(seal_places, nr_extents, 12);
AT(seal_places, extents, 16);
AT(seal_places, offset, 24);
AT(seal_places, reason, 32);

/* Published numbers never change, on whatever compiler. */
COMMAND(SEAL_IOC_INFO, 0xc040d600);
COMMAND(SEAL_IOC_PREALLOC, 0xc028d601);
COMMAND(SEAL_IOC_UNSHARE, 0xc028d602);
COMMAND(SEAL_IOC_SEAL, 0xc0c0d603);
COMMAND(SEAL_IOC_UNSEAL, 0xc018d604);
COMMAND(SEAL_IOC_STATUS, 0xc0d8d605);
COMMAND(SEAL_IOC_REVOKE, 0xc010d606);
COMMAND(SEAL_IOC_GRANT, 0xc0c8d608);
COMMAND(SEAL_IOC_COMMIT, 0xc0b8d609);
COMMAND(SEAL_IOC_RELEASE, 0xc020d60a);
COMMAND(SEAL_IOC_PLACES, 0xc0a0d60b);
