/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The modules of the filesystems, by whose names their functions are looked up.
 * Debian's cloud kernels have ext4 built in: there is no module then, nothing to
 * pin, and the functions are those of the kernel itself.
 */
#ifndef SEAL_OWNERS_H
#define SEAL_OWNERS_H

#include <linux/kconfig.h>
#include <linux/stddef.h>

/* as kallsyms prints a method of the filesystem */
#if IS_BUILTIN(CONFIG_XFS_FS)
#define SEAL_XFS_MODULE		NULL
#define SEAL_XFS_FUNCTION(name)	#name
#else
#define SEAL_XFS_MODULE		"xfs"
#define SEAL_XFS_FUNCTION(name)	#name " [xfs]"
#endif

#if IS_BUILTIN(CONFIG_EXT4_FS)
#define SEAL_EXT4_MODULE	NULL
#define SEAL_EXT4_FUNCTION(name) #name
#else
#define SEAL_EXT4_MODULE	"ext4"
#define SEAL_EXT4_FUNCTION(name) #name " [ext4]"
#endif

#endif /* SEAL_OWNERS_H */
