# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# XFS with an inode in which quota is kept, to be opened by handle: SEAL_OWN_INODE
# and SEAL_OWN_GENERATION.

own_up() {
	local dev ino

	dev=$(target_device xfs)
	target_up xfs && umount "$SEAL_MNT" &&
		mount -t xfs -o uquota "$dev" "$SEAL_MNT" || return
	touch "$SEAL_MNT/owned"
	chown 1:1 "$SEAL_MNT/owned"
	umount "$SEAL_MNT"
	ino=$(xfs_db -r -c 'sb 0' -c 'p uquotino' "$dev" | sed 's/.*= //')
	export SEAL_OWN_INODE=$ino SEAL_OWN_GENERATION
	SEAL_OWN_GENERATION=$(xfs_db -r -c "inode $ino" -c 'p core.gen' "$dev" |
		sed 's/.*= //')
	mount -t xfs -o uquota "$dev" "$SEAL_MNT"
}

own_down() {
	target_down xfs
}
