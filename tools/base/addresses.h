/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Are the addresses that a filesystem reports addresses of a device?
 */
#ifndef SEALCTL_ADDRESSES_H
#define SEALCTL_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libseal.h>

/*
 * Many filesystems report other numbers: offsets in an address space of their
 * own (btrfs), or addresses of a filesystem below (overlayfs). @name, of @size
 * bytes, gets the type of the filesystem.
 */
bool addresses_mean(int fd, char *name, size_t size);

/*
 * Bytes that can be overwritten in place. The module goes by what a filesystem
 * reports, so of a file that it does not seal: none where addresses mean nothing.
 */
uint64_t in_place_bytes(int fd, const struct seal_status *status);

#endif /* SEALCTL_ADDRESSES_H */
