# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The kinds of filesystems the contract is run on: make, mount, check.

# shellcheck disable=SC2034 # used by the files that include this one
TARGETS_ALL='xfs xfs-noreflink xfs-dax xfs-1k xfs-atomic ext4 ext4-ind ext4-dax ext4-1k ext4-nodelalloc'
# The other ones are block sizes, mount options and devices beyond these.
TARGETS_MAIN='xfs xfs-noreflink xfs-dax ext4 ext4-ind'

# A disk in memory that can write up to 64 KiB atomically, since Linux 6.11.
atomic_device() {
	local sys

	modinfo -p scsi_debug 2>/dev/null | grep -q '^atomic_wr:' || return
	[ -d /sys/module/scsi_debug ] || {
		modprobe sd_mod
		modprobe scsi_debug atomic_wr=1 dev_size_mb=400 delay=0
		udevadm settle 2>/dev/null
	}
	for sys in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do
		echo "/dev/${sys##*/}"
	done
}

# target_device TARGET DISK PMEM
target_device() {
	case $1 in
	*-dax) echo "$3" ;;
	xfs-atomic) atomic_device ;;
	*) echo "$2" ;;
	esac
}

# What this mkfs.xfs knows of what the cases can use.
xfs_features() {
	# Reverse mappings are what repair rebuilds a map from.
	echo "-m reflink=$1,rmapbt=1"
	# Exchange-range has its own feature bit since xfsprogs 6.10.
	if mkfs.xfs -f -N -i exchange=1 "$2" >/dev/null 2>&1; then
		echo "-i exchange=1"
	fi
}

mkfs_target() {
	local target=$1 dev=$2 reflink=$3

	# shellcheck disable=SC2046 # options are words
	case $target in
	xfs-noreflink) mkfs.xfs -q -f $(xfs_features 0 "$dev") "$dev" ;;
	xfs-1k) mkfs.xfs -q -f -b size=1k $(xfs_features 1 "$dev") "$dev" ;;
	xfs*) mkfs.xfs -q -f $(xfs_features "$reflink" "$dev") "$dev" ;;
	ext4-ind) mkfs.ext4 -q -F -b 4096 -O ^extents,^64bit "$dev" ;;
	# Older kernels know verity only with blocks of a page, and newer tools
	# make an orphan file of 1 KiB blocks too large for any kernel.
	ext4-1k) mkfs.ext4 -q -F -b 1024 -O ^orphan_file "$dev" ;;
	ext4*) mkfs.ext4 -q -F -b 4096 -O "verity${EXT4_FEATURES:+,$EXT4_FEATURES}" "$dev" ;;
	esac
}

# target_mount TARGET DEVICE DIR
target_mount() {
	local -a options=()

	case $1 in
	*-dax) options=(-o dax=always) ;;
	*-nodelalloc) options=(-o nodelalloc) ;;
	esac
	mkdir -p "$3"
	mount "${options[@]}" "$2" "$3" || return
	# A case fills the filesystem to the last blocks.
	case $1 in
	ext4*) echo 0 >"/sys/fs/ext4/${2##*/}/reserved_clusters" ;;
	esac
}

# target_make TARGET DEVICE DIR: make the filesystem and mount it
target_make() {
	wipefs -q -a "$2"
	mkfs_target "$1" "$2" 1 && target_mount "$1" "$2" "$3" && return
	# Reflink and DAX together is something a kernel may not have.
	[ "$1" = xfs-dax ] || return
	mkfs_target "$1" "$2" 0 && target_mount "$1" "$2" "$3"
}

# target_check TARGET DEVICE: must have nothing to say
target_check() {
	case $1 in
	xfs*) xfs_repair -n "$2" ;;
	ext4*) e2fsck -f -n "$2" ;;
	esac
}
