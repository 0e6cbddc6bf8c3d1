/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/seal */
#ifndef SEAL_DEVICE_H
#define SEAL_DEVICE_H

int seal_device_init(void);
void seal_device_exit(void);

#endif /* SEAL_DEVICE_H */
