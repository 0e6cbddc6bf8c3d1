# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: maps that are stored and checked later, offsets.

# wrong WHAT TEXT: verify finds it, and says so, also without the module
wrong() {
	expect 1 "verify finds $1" sealctl verify -m "$T/manifest"
	says "and says what" "$2"
}

cases_manifest() {
	local digest

	make_image one
	dd if=/dev/urandom of=two bs=64k count=4 conv=fsync status=none
	expect 0 "record" sealctl record one two
	cp "$T/out" "$T/manifest"
	holds "the members are the documented ones" '.version == 1 and
		(.files | length) == 2 and (.files[0] | keys == ["block_size", "device",
		"digest", "extents", "filesystem", "generation", "inode", "path", "size"])'
	digest=$(sealctl status --json two | jq -r ".files[0].digest")
	holds "the digest is the module's" ".files[1].digest == \"$digest\""
	check "the UUID is the filesystem's" [ "$(jq -r '.files[0].filesystem' "$T/manifest")" = \
		"$(blkid -p -o value -s UUID "$SEAL_DEV")" ]
	expect 0 "verify" sealctl verify -m "$T/manifest"
	prints "it is not sealed" "*one: as recorded (not sealed*two: as recorded (not*"
	sealctl seal one
	expect 0 "verify one of them" sealctl verify -m "$T/manifest" one
	prints "it is sealed" "*one: as recorded, sealed"
	sealctl unseal one
	expect 0 "from the standard input" bash -c "sealctl verify -q <'$T/manifest'"
	patch_file two 1
	sync
	expect 0 "writing in place is no change" sealctl verify -q -m "$T/manifest"
	expect 1 "a file it does not have" sealctl verify -m "$T/manifest" three

	cp two "$T/saved"
	cp two two.copy && mv two.copy two
	wrong "a copied file" "another file"
	rm two
	cp "$T/saved" two
	wrong "a restored file" "another file"
	cases_same_inode
	sealctl record one two >"$T/manifest"
	truncate -s +4096 two
	wrong "another size" "its size is"
	move_blocks two
	wrong "a file that was defragmented" "its map has changed"
	sealctl record one two >"$T/manifest"
	fallocate -p -o 8192 -l 4096 one
	wrong "a hole" "its map has changed"
	rm two
	wrong "a missing file" "No such file"
	jq '.files[0].extents[0].physical += 4096' "$T/manifest" >"$T/forged"
	expect 1 "a manifest that was altered" sealctl verify -m "$T/forged" one
	echo '{"version": 2, "files": []}' >"$T/forged"
	expect 1 "a manifest of another version" sealctl verify -m "$T/forged"
	says "is named" "version 1"
	expect 1 "what is none" sealctl verify -m "$T/saved"
	rm -f one
	cases_offset
	cases_blockread
	cases_filesystem
}

# The filesystem checked, then with another UUID: every file is another one.
cases_filesystem() {
	make_image one
	sealctl record one >"$T/manifest"
	cd "$SEAL_TREE" || exit 1
	target_down "$SEAL_TARGET"
	case $SEAL_TYPE in
	xfs) xfs_repair "$SEAL_DEV" >/dev/null 2>&1 ;;
	ext4) e2fsck -fp "$SEAL_DEV" >/dev/null ;;
	esac
	target_mount "$SEAL_TARGET"
	expect 0 "verify after fsck" sealctl verify -m "$T/manifest"
	umount "$SEAL_MNT"
	case $SEAL_TYPE in
	xfs) xfs_admin -U generate "$SEAL_DEV" >/dev/null ;;
	# a checksum seed of its own, or the UUID cannot change
	ext4) tune2fs -f -O metadata_csum_seed -U random "$SEAL_DEV" >/dev/null 2>&1 ;;
	esac
	target_mount "$SEAL_TARGET"
	wrong "a filesystem with another UUID" "another filesystem"
	cd "$SEAL_MNT" || exit 1
	rm one
}

# Another process reads the blocks, and only these.
cases_blockread() {
	make_image image
	truncate -s +1000 image
	patch_file image 3
	check "blockread reads the blocks of a file" bash -c \
		"'$SEAL_TREE/examples/blockread' image | cmp - image"
	expect 1 "and fails where there is no map" "$SEAL_TREE/examples/blockread" "$T/manifest"
	cases_blockread_events
	rm image
}

# A client that does not read on, a write that is refused, and somebody who waits
# to change the size until the client has finished.
cases_blockread_events() {
	local log=$T/blockread.log changer reader

	rm -f "$T/go"
	# shellcheck disable=SC2016 # for the inner shell
	"$SEAL_TREE/examples/blockread" image 2>"$log" |
		sh -c 'until [ -e "$1/go" ]; do sleep 0.1; done; cat >"$1/read"' \
			sh "$T" &
	reader=$!
	cp --reflink=never image "$T/whole"
	check "its file is sealed" soon sealctl status -q image
	refute "a write beyond the end is refused" sh -c 'echo more >>image'
	check "which it is told" soon grep -q "refused: write" "$log"
	dd if=/dev/null of=image bs=4096 seek=1 count=0 status=none &
	changer=$!
	check "that somebody waits, too" soon grep -q "somebody waits" "$log"
	check "and has not changed the file" cmp -s image "$T/whole"
	touch "$T/go"
	check "who goes on when the client is done" wait "$changer"
	# without a number, the shell waits for what keeps the gates attached, too
	wait "$reader"
	check "the client read what was sealed" cmp "$T/read" "$T/whole"
	check "then the size is another one" [ "$(stat -c %s image)" -eq 4096 ]
	rm -f "$T/go" "$T/read" "$T/whole"
}

# soon CMD...: wait for it, some seconds at most
soon() {
	local try

	for ((try = 0; try < 100; try++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

# The same number again: only the generation tells.
cases_same_inode() {
	local inode try

	rm -f two
	cp "$T/saved" two
	sync
	sealctl record two >"$T/manifest"
	inode=$(stat -c %i two)
	mkdir -p many
	rm two
	for ((try = 0; try < 64; try++)); do
		cp "$T/saved" "many/$try"
		[ "$(stat -c %i "many/$try")" != "$inode" ] || break
	done
	if [ "$try" -lt 64 ]; then
		mv "many/$try" two
		wrong "a replaced inode of the same number" "generation"
	else
		skip "no new file got the old inode number"
		cp "$T/saved" two
	fi
	rm -r many
}

# What a defragmenter does: the same inode, other blocks.
move_blocks() {
	local at next=0

	rm -f "$1"
	# XFS looks at where the neighbours are, ext4 at who wrote before.
	for at in 15 3 11 7 1 13 5 9 14 2 10 6 0 12 4 8; do
		[ "$SEAL_TYPE" = xfs ] || at=$((next++))
		dd if=/dev/urandom of="$1" bs=4k count=1 seek="$at" \
			conv=notrunc,fsync status=none
		dd if=/dev/urandom of="gap.$at" bs=4k count=1 conv=fsync status=none
	done
	rm -f gap.*
	sealctl record one "$1" >"$T/manifest"
	case $SEAL_TYPE in
	xfs) xfs_fsr "$1" ;;
	ext4) e4defrag "$1" ;;
	esac >/dev/null
	sync
}

cases_offset() {
	local physical

	dd if=/dev/urandom of=swap bs=64k count=8 conv=fsync status=none
	expect 0 "map" sealctl map --json swap
	physical=$(jq '.extents[0].physical' <<<"$OUT")
	expect 0 "offset --bytes" sealctl offset --bytes swap
	prints "is that of the map" "$physical"
	expect 0 "offset --pages" sealctl offset --pages swap
	prints "is that of the map" $((physical / 4096))
	expect 0 "offset --sectors" sealctl offset --sectors swap
	prints "is that of the map" $((physical / 512))
	check "the device has the file there" [ "$(dd if="$SEAL_DEV" bs=4k count=128 \
		skip=$((physical / 4096)) iflag=direct status=none | md5sum)" = "$(md5sum <swap)" ]
	expect 0 "offset" sealctl offset swap
	prints "names the device" "device $SEAL_DEV*pages $((physical / 4096)) (resume_offset)"
	fallocate -p -o 65536 -l 65536 swap
	expect 1 "offset of a file with a hole" sealctl offset swap
	says "names the pieces" "bytes 65536 to 131071: hole" "has holes"
	expect 1 "a swap file must not have any either" sealctl offset --pages swap
	# As it was made everywhere: written at its begin, unwritten behind.
	rm swap
	fallocate -l 4M swap
	mkswap swap >/dev/null
	sync
	physical=$(sealctl map --json swap | jq '.extents[0].physical')
	expect 0 "a fresh swap file is one piece" sealctl offset --pages swap
	prints "and begins there" $((physical / 4096))
	check "nothing is said of pieces" [ -z "$ERR" ]
	# Its middle is taken out, so what is left is not in one piece.
	rm swap
	dd if=/dev/zero of=swap bs=64k count=12 conv=fsync status=none
	if fallocate -c -o 256k -l 256k swap 2>"$T/err"; then
		expect 0 "a swap file in pieces" sealctl offset --pages swap
		says "is told to be one" "pieces"
		expect 1 "for others that is an error" sealctl offset --sectors swap
	else
		skip "no file in pieces: $(<"$T/err")"
	fi
	cases_swapfile
	cases_no_addresses
	: >swap
	expect 1 "offset of an empty file" sealctl offset swap
	rm -f swap
}

# Whose directory it is puts something else there before mkswap runs.
swapfile_moved() {
	cp "$(readlink -f /sbin/mkswap)" "$T/mkswap.real"
	cat >"$T/mkswap" <<-MKSWAP
	#!/bin/sh
	mv moved elsewhere && ln -s victim moved
	exec $T/mkswap.real "\$@"
	MKSWAP
	chmod +x "$T/mkswap"
	dd if=/dev/urandom of=victim bs=1M count=8 conv=fsync status=none
	cp victim "$T/victim"
	mount --bind "$T/mkswap" "$(readlink -f /sbin/mkswap)"
	expect 1 "a swap file whose path leads elsewhere meanwhile" \
		sealctl swapfile moved 8M
	says "is told" moved "taken its place"
	umount "$(readlink -f /sbin/mkswap)"
	check "what is there is left alone" cmp victim "$T/victim"
	check "and not sealed" [ "$(status_json .sealed victim)" = false ]
	rm -f victim elsewhere moved "$T"/mkswap "$T/mkswap.real" "$T/victim"
}

# With blocks of 1 KiB the groups of ext4 begin at the second one, beside a page.
swapfile_unaligned() {
	local loop

	modprobe loop
	truncate -s 64M image
	mkfs.ext4 -qF -b 1024 image
	loop=$(losetup -f --show image)
	mkdir -p "$T/small"
	mount "$loop" "$T/small"
	expect 1 "a swap file that is not aligned" sealctl swapfile --persist "$T/small/swap" 4M
	says "is told to be so" "not aligned"
	check "there is none" [ ! -e "$T/small/swap" ]
	check "and no record of it" [ -z "$(sealctl list --persistent --paths)" ]
	umount "$T/small"
	losetup -d "$loop"
	rm image
}

cases_swapfile() {
	local physical uuid

	expect 0 "swapfile" sealctl swapfile made 8M
	physical=$(sealctl map --json made | jq '.extents[0].physical')
	uuid=$(blkid -p -s UUID -o value "$SEAL_DEV")
	prints "says how to resume" "resume=UUID=$uuid resume_offset=$((physical / 4096))"
	check "it begins at a page, in one piece" [ "$(sealctl map --json made |
		jq '[.extents | length, .[0].physical % 4096] == [1, 0]')" = true ]
	check "it is sealed, all of it in place" [ "$(sealctl status --json made |
		jq '.files[0] | .sealed and .in_place_bytes == 8388608')" = true ]
	check "nobody else can read it" [ "$(stat -c %a made)" = 600 ]
	expect 0 "swapon" swapon "$PWD/made"
	expect 0 "offset --pages agrees" sealctl offset --pages made
	prints "that is the same" $((physical / 4096))
	expect 0 "swapoff" swapoff "$PWD/made"
	expect 1 "not over another file" sealctl swapfile made 8M
	says "which is said" made "exists already"
	check "which stays" sealctl status -q made
	sealctl unseal made
	expect 1 "without room" sealctl swapfile huge 100G
	check "nothing is left" [ ! -e huge ]
	expect 2 "too small a size" sealctl swapfile tiny 4K
	swapfile_moved
	swapfile_unaligned
	expect 0 "swapfile --persist" sealctl swapfile --persist kept 8M
	check "it is recorded" [ "$(sealctl list --persistent --paths)" = "$PWD/kept" ]
	sealctl unseal --persistent
	rm -rf /var/lib/seal made kept
}

# Addresses of btrfs are of a space of its own, not of a device.
no_addresses_btrfs() {
	local loop

	modprobe -q btrfs || {
		skip "no btrfs"
		return
	}
	modprobe loop
	truncate -s 128M image
	mkfs.btrfs -q image
	loop=$(losetup -f --show image)
	mkdir -p "$T/btrfs"
	mount "$loop" "$T/btrfs"
	dd if=/dev/urandom of="$T/btrfs/file" bs=64k count=4 conv=fsync status=none
	expect 0 "map on btrfs" sealctl map "$T/btrfs/file"
	prints "shows no address, and says why" "*no addresses: on *"
	expect 0 "map --json on btrfs" sealctl map --json "$T/btrfs/file"
	holds "has none" '[.extents[].physical] | length > 0 and all(. == null)'
	holds "nothing is in place" '.in_place_bytes == 0'
	expect 0 "status --json on btrfs" sealctl status --json "$T/btrfs/file"
	holds "neither there" '.files[0] | .in_place_bytes == 0 and .bytes.written > 0'
	expect 1 "offset on btrfs" sealctl offset --pages "$T/btrfs/file"
	says "is refused" "none of a device"
	expect 1 "so is a swap file" sealctl swapfile "$T/btrfs/swap" 1M
	umount "$T/btrfs"
	losetup -d "$loop"
	rm image
}

# What overlayfs reports is of the filesystem below it.
cases_no_addresses() {
	mkdir lower upper work merged
	dd if=/dev/urandom of=lower/file bs=64k count=1 conv=fsync status=none
	if ! mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none merged; then
		skip "no overlayfs"
	else
		expect 0 "map on overlayfs" sealctl map merged/file
		prints "shows no address, and says why" "*no addresses: on overlay*"
		expect 0 "map --json on overlayfs" sealctl map --json merged/file
		holds "has none" '[.extents[].physical] | all(. == null)'
		holds "nothing is in place" '.in_place_bytes == 0'
		expect 0 "status --json on overlayfs" sealctl status --json merged/file
		holds "neither there" '.files[0].in_place_bytes == 0'
		expect 1 "offset on overlayfs" sealctl offset merged/file
		says "is refused" "on overlay"
		umount merged
	fi
	rm -rf lower upper work merged
	no_addresses_btrfs
}

# What libseal(3) has as examples does what it says there.
cases_examples() {
	local examples=$SEAL_TREE/tests/user/examples/examples reader

	dd if=/dev/urandom of=old bs=64k count=8 conv=fsync status=none
	expect 0 "libseal(3): seal a file" "$examples" seal old
	expect 1 "which ends with the program" sealctl status -q old
	cp --reflink=always old new
	expect 1 "a file that is not all in place" "$examples" seal new
	says "is told to be shared" "shared at offset 0"
	dd if=/dev/urandom of=new bs=4k count=3 seek=17 conv=notrunc,fsync status=none
	cp --reflink=never old copy
	expect 0 "libseal(3): read what was written since a snapshot" \
		"$examples" copy old new copy
	same "the copy is the file" new copy
	rm -f new
	"$examples" events >"$T/events" &
	reader=$!
	check "libseal(3): wait for what is refused" soon grep -qx ready "$T/events"
	sealctl hold old -- truncate -s 0 old 2>/dev/null
	check "the example ends with the first" wait "$reader"
	check "which is told" grep -qx "$(stat -c %i old) truncate" "$T/events"
	rm -f old copy
}
