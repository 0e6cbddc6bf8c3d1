/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XFS ioctls the cases need. The header of xfsprogs is another package,
 * and in older releases knows not all of them.
 */
#ifndef CONTRACT_XFS_ABI_H
#define CONTRACT_XFS_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>

struct xfs_time {
	long tv_sec;
	int32_t tv_nsec;
};

struct xfs_stat {
	uint64_t ino;
	uint16_t mode, nlink;
	uint32_t uid, gid, rdev;
	int32_t blksize;
	int64_t size;
	struct xfs_time atime, mtime, ctime;
	int64_t blocks;
	uint32_t xflags;
	int32_t extsize, extents;
	uint32_t gen;
	uint16_t projid_lo, forkoff, projid_hi, sick, checked;
	uint8_t pad[2];
	uint32_t cowextsize, dmevmask;
	uint16_t dmstate, aextents;
};

struct xfs_bulk {
	uint64_t *lastip;
	int32_t icount;
	void *ubuffer;
	int32_t *ocount;
};

struct xfs_swap {
	int64_t version, fdtarget, fdtmp, offset, length;
	char pad[16];
	struct xfs_stat stat;
};

struct xfs_eofblocks {
	uint32_t version, flags, uid, gid, prid, pad32;
	uint64_t min_file_size, pad64[12];
};

struct xfs_scrub {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};

struct xfs_exchange {
	int32_t file1_fd;
	uint32_t pad;
	uint64_t file1_offset, file2_offset, length, flags;
};

struct xfs_commit {
	int32_t file1_fd;
	uint32_t pad;
	uint64_t file1_offset, file2_offset, length, flags;
	uint64_t file2_freshness[6];
};

#define XFS_FREE_EOFBLOCKS _IOR('X', 58, struct xfs_eofblocks)
#define XFS_SCRUB_METADATA _IOWR('X', 60, struct xfs_scrub)
#define XFS_BULKSTAT_SINGLE _IOWR('X', 102, struct xfs_bulk)
#define XFS_SWAPEXT _IOWR('X', 109, struct xfs_swap)
#define XFS_EXCHANGE_RANGE _IOW('X', 129, struct xfs_exchange)
#define XFS_START_COMMIT _IOR('X', 130, struct xfs_commit)
#define XFS_COMMIT_RANGE _IOW('X', 131, struct xfs_commit)

#define XFS_EOF_VERSION 1
#define XFS_EOF_SYNC (1U << 0)
#define XFS_SCRUB_BMBTD 12		/* the map of the data fork */
#define XFS_SCRUB_REPAIR (1U << 0)
#define XFS_SCRUB_FORCE_REBUILD (1U << 8)
#define XFS_SCRUB_CORRUPT (1U << 1)

#endif /* CONTRACT_XFS_ABI_H */
