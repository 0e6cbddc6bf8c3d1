# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash

# package_sources DIR: the sources as a package ships them, nothing that was built here
package_sources() {
	mkdir -p "$1" &&
		tar --exclude='*.o' --exclude='*.ko' --exclude='*.cmd' \
			--exclude='*.mod' --exclude='*.mod.c' --exclude='*.symvers' \
			--exclude='*.order' -cf - dkms.conf Makefile module uapi scripts |
		tar -C "$1" -xf -
}
