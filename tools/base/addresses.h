/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Are what a filesystem reports as addresses the addresses of a device?
 */
#ifndef SEALCTL_ADDRESSES_H
#define SEALCTL_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Many filesystems report numbers that are none: offsets in a space of their own
 * (btrfs), or of a filesystem below (overlayfs). @name: filled in with the type
 * of the filesystem.
 */
bool addresses_mean(int fd, char *name, size_t size);

#endif /* SEALCTL_ADDRESSES_H */
