# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the guest scripts share: counting, the module, scratch filesystems.
#
# A script sources this file with the built tree as its current directory,
# reports through ok, nok, skip or run_program, and ends with "finish".
#
# Targets: xfs, xfs-noreflink, xfs-rmap, xfs-dax, xfs-1k, ext4, ext4-1k, ext4-ind.
# They live on $SEAL_DISK (/dev/vdb), xfs-dax on $SEAL_PMEM (/dev/pmem0).

SEAL_DISK=${SEAL_DISK:-/dev/vdb}
SEAL_PMEM=${SEAL_PMEM:-/dev/pmem0}
SEAL_MNT=${SEAL_MNT:-/run/seal-target}
SEAL_TREE=$PWD

PASSED=0 FAILED=0 SKIPPED=0

ok() {
	PASSED=$((PASSED + 1))
	echo "ok: $*"
}

nok() {
	FAILED=$((FAILED + 1))
	echo "FAILED: $*"
}

skip() {
	SKIPPED=$((SKIPPED + 1))
	echo "skipped: $*"
}

# check WHAT CMD...: ok if the command succeeds
check() {
	local what=$1

	shift
	if "$@"; then ok "$what"; else nok "$what"; fi
}

# refute WHAT CMD...: ok if the command fails
refute() {
	local what=$1

	shift
	if "$@" >/dev/null 2>&1; then nok "$what"; else ok "$what"; fi
}

# finish: the closing line, with what is in COUNTED in front of it
finish() {
	echo "${COUNTED:+$COUNTED: }$PASSED passed, $FAILED failed, $SKIPPED skipped"
	[ "$FAILED" -eq 0 ]
	exit
}

# run_program NAME PROGRAM [ARG...]: run a test program, add up its closing line
run_program() {
	local name=$1 out line status=0 start=$SECONDS
	local p f s

	shift
	out=$(mktemp)
	echo "== $name"
	"$@" >"$out" 2>&1 || status=$?
	cat "$out"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$out" | tail -n 1)
	rm -f "$out"
	if [ -z "$line" ]; then
		nok "$name: no closing line, exit status $status"
		return
	fi
	read -r p _ f _ s _ <<<"${line//,/}"
	PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		nok "$name: exit status $status"
	fi
	echo "== $name: $((SECONDS - start)) s"
}

# Is no gate attached, some seconds after the last unseal at most?
at_rest() {
	local _

	for _ in {1..100}; do
		! grep -q '\[seal\]' /sys/kernel/tracing/enabled_functions &&
			! grep -q . /sys/kernel/debug/kprobes/list && return
		sleep 0.1
	done
	grep '\[seal\]' /sys/kernel/tracing/enabled_functions
	cat /sys/kernel/debug/kprobes/list
	return 1
}

seal_loaded() {
	[ -d /sys/module/seal ]
}

# The module as it was built, with the parameters in $SEAL_PARAMS; its node must
# be there when insmod returns.
seal_load() {
	# shellcheck disable=SC2086 # a list
	seal_loaded || insmod "$SEAL_TREE/module/seal.ko" ${SEAL_PARAMS:-} "$@" || return
	# Tests make SEAL wait on purpose, on machines that are slow.
	echo 100000 >/sys/module/seal/parameters/limit_ms
	[ -c /dev/seal ]
}

# rmmod may still find a reference of a process that has just ended.
seal_unload() {
	local try

	seal_loaded || return 0
	for try in 1 2 3 4 5 6 7 8 9 10; do
		rmmod seal 2>/dev/null && return 0
		sleep 0.2
	done
	echo "rmmod gave up after $try attempts"
	return 1
}

# keep_gates: have a file of the target sealed until release_gates, so that the gates
# stay attached: under emulation attaching them takes most of the time of a call.
keep_gates() {
	local file=$SEAL_MNT/.keeper try

	echo keeper >"$file"
	sync "$file"
	"$SEAL_TREE/tools/sealctl" hold "$file" -- sleep infinity &
	KEEPER=$!
	for ((try = 0; try < 200; try++)); do
		"$SEAL_TREE/tools/sealctl" status -q "$file" && return
		sleep 0.1
	done
	nok "$SEAL_TARGET: no file is kept sealed"
}

release_gates() {
	[ -n "${KEEPER:-}" ] || return 0
	kill "$KEEPER" 2>/dev/null
	wait "$KEEPER" 2>/dev/null
	KEEPER=''
	rm -f "$SEAL_MNT/.keeper"
}

# target_device TARGET
target_device() {
	case $1 in
	xfs-dax) echo "$SEAL_PMEM" ;;
	*) echo "$SEAL_DISK" ;;
	esac
}

# target_type TARGET
target_type() {
	case $1 in
	xfs*) echo xfs ;;
	*) echo ext4 ;;
	esac
}

# target_make TARGET
target_make() {
	local dev

	dev=$(target_device "$1")
	[ -b "$dev" ] || {
		echo "no $dev"
		return 1
	}
	case $1 in
	xfs | xfs-dax) mkfs.xfs -q -f -m reflink=1 "$dev" ;;
	# Online repair of a map needs reverse mappings.
	xfs-rmap) mkfs.xfs -q -f -m reflink=1,rmapbt=1 "$dev" ;;
	xfs-noreflink) mkfs.xfs -q -f -m reflink=0,rmapbt=0 "$dev" ;;
	xfs-1k) mkfs.xfs -q -f -m reflink=1 -b size=1024 "$dev" ;;
	ext4) mkfs.ext4 -q -F -E lazy_itable_init=1 -O verity "$dev" ;;
	# With blocks that small new tools make an orphan file no kernel takes.
	ext4-1k) mkfs.ext4 -q -F -E lazy_itable_init=1 -b 1024 -O '^orphan_file' "$dev" ;;
	ext4-ind) mkfs.ext4 -q -F -E lazy_itable_init=1 -O '^extent,^64bit' "$dev" ;;
	*)
		echo "unknown target '$1'"
		return 1
		;;
	esac
}

target_mount_options() {
	case $1 in
	xfs-dax) echo dax=always ;;
	*) echo defaults ;;
	esac
}

# target_mount TARGET: mount it and say in the environment of the test programs
# what it is
target_mount() {
	local dev

	dev=$(target_device "$1")
	mkdir -p "$SEAL_MNT"
	mount -t "$(target_type "$1")" -o "$(target_mount_options "$1")" \
		"$dev" "$SEAL_MNT" || return
	export SEAL_TARGET=$1 SEAL_DIR=$SEAL_MNT SEAL_DEV=$dev
	SEAL_TYPE=$(target_type "$1")
	SEAL_OPTIONS=$(target_mount_options "$1")
	export SEAL_TYPE SEAL_OPTIONS SEAL_TREE
}

# target_up TARGET: make and mount
target_up() {
	target_make "$1" && target_mount "$1"
}

# target_check TARGET: is the unmounted filesystem consistent
target_check() {
	local dev

	dev=$(target_device "$1")
	case $1 in
	xfs*) xfs_repair -n "$dev" >/dev/null 2>&1 ;;
	*) e2fsck -fn "$dev" >/dev/null 2>&1 ;;
	esac
}

# target_down TARGET: unmount and check; anything wrong is counted
target_down() {
	local try

	release_gates
	for try in 1 2 3 4 5 6 7 8 9 10; do
		umount "$SEAL_MNT" 2>/dev/null && break
		sleep 0.2
	done
	if mountpoint -q "$SEAL_MNT"; then
		nok "$1: unmount after $try attempts"
		return 1
	fi
	check "$1: filesystem is consistent" target_check "$1"
}
