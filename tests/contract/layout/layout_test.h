/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of /dev/seal-layout-test. */
#ifndef LAYOUT_TEST_H
#define LAYOUT_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct layout_test {
	__s32	fd;
	__u32	reserved;
	__u64	offset;
	__u64	length;
};

/* What a pNFS server does for LAYOUTGET (to write) and LAYOUTCOMMIT. */
#define LAYOUT_TEST_MAP		_IOW(0xd7, 0, struct layout_test)
#define LAYOUT_TEST_COMMIT	_IOW(0xd7, 1, struct layout_test)
/* The lease it holds while a client has a layout; and giving it back. */
#define LAYOUT_TEST_LEASE	_IOW(0xd7, 2, struct layout_test)
#define LAYOUT_TEST_RETURN	_IOW(0xd7, 3, struct layout_test)

#endif /* LAYOUT_TEST_H */
