/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of /dev/seal-park. */
#ifndef PARK_H
#define PARK_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PARK_SPOTS	3

struct park {
	__u32	spot;		/* below PARK_SPOTS */
	__s32	tid;		/* the thread to be parked; 0: a kernel thread */
	__u32	nth;		/* at its nth call of the function, from 1 */
	__u32	timeout_ms;	/* PARK_WAIT */
	char	symbol[64];	/* "function" or "module:function" */
};

/* Park the thread at the entry of the function; ENOENT: there is none. */
#define PARK_SET	_IOW(0xd8, 0, struct park)
/* Wait until it is there; ETIME: it did not come. */
#define PARK_WAIT	_IOW(0xd8, 1, struct park)
/* Let it go on, and the next calls pass. */
#define PARK_RELEASE	_IOW(0xd8, 2, struct park)
/* A kernel thread that runs without a pause until the device is closed. */
#define PARK_SPIN	_IO(0xd8, 3)
/*
 * Send SIGKILL to all kernel threads whose names begin with @symbol, as only the kernel
 * can; returns their number.
 */
#define PARK_KILL	_IOW(0xd8, 4, struct park)

#endif /* PARK_H */
