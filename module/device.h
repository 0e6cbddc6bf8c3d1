/* SPDX-License-Identifier: GPL-2.0-only */
/* The device /dev/seal. */
#ifndef SEAL_DEVICE_H
#define SEAL_DEVICE_H

#include <linux/types.h>

struct file;

/* Is this a session, an open file of the device? */
bool seal_device_is(const struct file *file);

int seal_device_init(void);
void seal_device_exit(void);

#endif /* SEAL_DEVICE_H */
