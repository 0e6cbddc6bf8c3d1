# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The files of the demo.
#
#   main    2 MiB, fragmented, half of it a hole, reflinked once (XFS); then
#           preallocated, unshared and sealed: every byte is in place
#   mixed   written, hole, unwritten; sealed as it is
#   shared  XFS: reflinked and sealed as it is
#   image   8 MiB in place, for swap and for a loop device
#   tail    XFS: sealed with blocks that were allocated ahead of its growth
#   single  ext4: small and in one extent, so that chattr could turn it into
#           one with indirect blocks
#   gone    to be unlinked while sealed
#   twin    a fragmented file that is never sealed, to show what tools do to it
#   other   random data, never sealed; source of clones and copies

make_fs() {
	case $1 in
	# Newer versions can exchange ranges of two files, if asked to.
	xfs) mkfs.xfs -q -f -m reflink=1 -i exchange=1 "$2" 2>/dev/null ||
		mkfs.xfs -q -f -m reflink=1 "$2" ;;
	ext4) mkfs.ext4 -q -F -E lazy_itable_init=1 "$2" ;;
	esac
}

# Two files that grow by turns end up with many extents each.
make_fragmented() {
	local -a commands=()
	local i

	for ((i = 0; i < 1024; i += 64)); do
		commands+=(-c "file 0" -c "pwrite -q -S $((i / 64 + 1)) ${i}k 64k"
			-c "file 1" -c "pwrite -q -S $((i / 64 + 33)) ${i}k 64k")
	done
	xfs_io -f -d -c "open -f -d $2" "${commands[@]}" "$1" >/dev/null
}

make_files() {
	local type=$1

	# From the first attribute on, XFS leaves room for some in new inodes, and
	# xfs_fsr cannot swap such a one with one that has no room.
	setfattr -n user.demo -v 1 .
	make_fragmented main twin
	truncate -s 2M main
	xfs_io -f -c "pwrite -q 0 256k" -c "truncate 1m" \
		-c "falloc 512k 256k" -c fsync mixed
	dd if=/dev/urandom of=other bs=1M count=2 status=none
	dd if=/dev/zero of=image bs=1M count=8 status=none
	chmod 600 image
	echo gone >gone
	ln gone gone2
	if [ "$type" = xfs ]; then
		say_and cp --reflink=always main main.clone
		cp --reflink=always other shared
		for _ in 1 2 3 4; do
			dd if=/dev/zero of=tail bs=300k count=1 oflag=append \
				conv=notrunc status=none
		done
	else
		cp main main.clone
		dd if=/dev/zero of=single bs=32k count=1 status=none
	fi
	sync
}

prepare_and_seal() {
	local type=$1 file

	say_and sealctl map main
	say_and sealctl prealloc --written main
	say_and sealctl unshare main
	say_and sealctl seal --require allocated,written,unshared main
	say_and sealctl seal --prepare image gone
	SEALED=(main image mixed)
	if [ "$type" = xfs ]; then
		say_and sealctl seal mixed shared tail
		SEALED+=(shared tail)
	else
		say_and sealctl seal mixed single
		SEALED+=(single)
	fi
	say_and sealctl status main
	for file in "${SEALED[@]}"; do
		remember "$file"
	done
	head -c 1536k main | sha256sum >/run/demo/sum.before
	file_map main >/run/demo/map.before
}

unseal_all() {
	say_and sealctl unseal "${SEALED[@]}"
}
