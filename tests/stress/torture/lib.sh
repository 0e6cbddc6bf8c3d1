# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What guest and mutation share. Needs tests/contract/targets.sh; the caller
# sets disk, pmem, dev and mnt.

# Swapping with the boot loader's inode leaves extent blocks with the checksum
# of the other inode, on every kernel and without the module: e2fsck would find
# that after a longer run.
export EXT4_FEATURES=^metadata_csum

# Small enough for a few MiB of files to feel it; the program changes them.
torture_group=/sys/fs/cgroup/torture
torture_setup() {
	modprobe -a xfs ext4 2>/dev/null
	# The way a pNFS server goes.
	insmod tests/contract/layout/seal_layout_test.ko
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p "$torture_group"
	echo 128M >"$torture_group/memory.max"
}

# torture_run TARGET SECONDS ARG...: on the mounted filesystem
torture_run() {
	local target=$1 seconds=$2

	shift 2
	# shellcheck disable=SC2154 # set by the caller
	(
		echo "$BASHPID" >"$torture_group/cgroup.procs"
		exec tests/stress/torture/torture --target "$target" --dir "$mnt" \
			--seconds "$seconds" --group "$torture_group" \
			--device "$dev" --guest "${GUEST_NAME:-?}" "$@"
	)
}

# torture_field FILE NAME: a figure of the row the program ends with
torture_field() {
	local row

	row=$(grep '^row ' "$1" | tail -n 1)
	row=${row##*" $2="}
	echo "${row%% *}"
}
