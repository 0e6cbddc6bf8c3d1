# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the races need: the modules that park threads and play pNFS server, and
# a disk whose writes can be held up.

races_setup() {
	modprobe -a xfs loop dm_mod dm_delay || return
	insmod tests/contract/layout/seal_layout_test.ko || return
	insmod tests/kernel/races/park/seal_park.ko || return
	# There is no udev: nodes are made by the one who needs them.
	export DM_DISABLE_UDEV=1
	export RACE_DM=seal-race RACE_DISK=$SEAL_DISK RACE_SECTORS
	RACE_SECTORS=$(blockdev --getsz "$RACE_DISK") || return
	dmsetup create "$RACE_DM" \
		--table "0 $RACE_SECTORS linear $RACE_DISK 0" || return
	# For target_up and all that follows.
	SEAL_DISK=/dev/mapper/$RACE_DM
}

# races_up TARGET: the target, and another filesystem of its type for the file
# that keeps the gates attached
races_up() {
	local type

	type=$(target_type "$1")
	target_up "$1" || return
	export RACE_ANCHOR=/run/seal-anchor
	mkdir -p "$RACE_ANCHOR"
	wipefs -q -a "$SEAL_PMEM"
	"mkfs.$type" -q "$SEAL_PMEM" && mount "$SEAL_PMEM" "$RACE_ANCHOR"
}

races_down() {
	check "$1: the second filesystem can be unmounted" umount "$RACE_ANCHOR"
	target_down "$1"
}

races_teardown() {
	check "the device can be removed" dmsetup remove "$RACE_DM"
	check "the test modules unload" rmmod seal_park seal_layout_test
}
