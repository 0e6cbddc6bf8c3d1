/* SPDX-License-Identifier: GPL-2.0-only */
/* Gates on functions of the kernel itself. */
#ifndef SEAL_VFS_H
#define SEAL_VFS_H

#include <linux/types.h>

/* Does the gate that every write passes work? Tries it without a real file. */
bool seal_write_gate_armed(void);

#endif /* SEAL_VFS_H */
