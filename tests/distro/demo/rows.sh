# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016 # rows are evaluated later
# The rows of the demo. In "main" the first 1.5 MiB are never written to.

rows_allowed() {
	heading "A sealed file, every byte in place: what goes on as before"
	row main works "read" 'cat main >/dev/null'
	row main works "read through mmap" 'xfs_io -r -c "mmap -r 0 64k" -c "mread 0 4k" main'
	row main works "SEEK_HOLE" 'xfs_io -r -c "seek -h 0" main'
	row main works "FIEMAP, fsync, posix_fadvise" \
		'xfs_io -c "fiemap" -c "fsync" -c "fadvise -d 0 1m" main'
	row main writes "dd, buffered, in place" \
		'dd if=other of=main bs=64k count=2 seek=24 conv=notrunc status=none'
	row main writes "dd oflag=direct, in place" \
		'dd if=other of=main bs=64k count=2 seek=26 conv=notrunc oflag=direct status=none'
	row main writes "dd oflag=dsync, in place" \
		'dd if=other of=main bs=64k count=2 seek=28 conv=notrunc oflag=dsync status=none'
	row main writes "store through mmap, in place" \
		'xfs_io -c "mmap -rw 1536k 512k" -c "mwrite -S 7 1900k 64k" -c "msync -s" main'
	row main writes "copy_file_range into it (copies in place)" \
		'xfs_io -c "copy_range -s 0 -d 1536k -l 64k other" main'
	row main works "truncate to the same size" 'truncate -s 2M main'
	row main works "fallocate (allocate, all is in place)" 'fallocate -l 2M main'
	row main works "chmod, chown, touch, setfattr" \
		'chmod 640 main && chown 1:1 main && touch main && setfattr -n user.demo -v 1 main'
	row main works "ln, mv, rm of a link" \
		'ln main link && mv link link2 && rm link2'
	row image writes "mkswap, swapon, swapoff" \
		'mkswap -q image && swapon image && swapoff image'
	# Without a name it is reached through a descriptor.
	exec 9<gone
	remember /dev/fd/9
	row /dev/fd/9 works "rm of one name, then of the last" 'rm gone2 && rm gone'
	sealctl unseal /dev/fd/9
	exec 9<&-
}

rows_refused() {
	local type=$1

	heading "The same file: what would change its map or size"
	row main ETXTBSY "dd oflag=append" \
		'dd if=other of=main bs=4k count=1 conv=notrunc oflag=append status=none'
	row main ETXTBSY "dd across the end of the file" \
		'dd if=other of=main bs=64k count=1 seek=2093056 oflag=seek_bytes conv=notrunc status=none'
	row main ETXTBSY "dd oflag=direct beyond the end" \
		'dd if=other of=main bs=64k count=1 seek=32 conv=notrunc oflag=direct status=none'
	row main ETXTBSY "truncate, smaller" 'truncate -s 1M main'
	row main ETXTBSY "truncate, larger" 'truncate -s 3M main'
	row main ETXTBSY "open with O_TRUNC" ': >main'
	row main ETXTBSY "fallocate (allocate, beyond the end)" 'fallocate -l 3M main'
	row main ETXTBSY "fallocate -n (keep size)" 'fallocate -n -o 2M -l 64k main'
	row main EOPNOTSUPP "fallocate -p (punch hole)" 'fallocate -p -o 0 -l 64k main'
	row main EOPNOTSUPP "fallocate -z (zero range)" 'fallocate -z -o 0 -l 64k main'
	row main ETXTBSY "fallocate -c (collapse range)" 'fallocate -c -o 0 -l 64k main'
	row main ETXTBSY "fallocate -i (insert range)" 'fallocate -i -o 0 -l 64k main'
	row main ETXTBSY "sealctl prealloc" 'sealctl prealloc --written main'
	if [ "$type" = xfs ]; then
		rows_refused_xfs
	else
		rows_refused_ext4
	fi
}

rows_refused_xfs() {
	row main ETXTBSY "fallocate, unshare range" 'xfs_io -c "funshare 0 64k" main'
	row main ETXTBSY "sealctl unshare" 'sealctl unshare main'
	row main ETXTBSY "cp --reflink over it" 'cp --reflink=always other main'
	row main ETXTBSY "FICLONE into it" 'xfs_io -c "reflink other" main'
	row main ETXTBSY "FICLONERANGE into it" 'xfs_io -c "reflink other 0 0 64k" main'
	row main ETXTBSY "FIDEDUPERANGE into it" 'xfs_io -c "dedupe main.clone 0 0 64k" main'
	row main ETXTBSY "FICLONE from it (cp --reflink)" \
		'cp --reflink=always main copy'
	row main ETXTBSY "FIDEDUPERANGE from it" \
		'xfs_io -c "dedupe main 0 0 64k" main.clone'
	row main ETXTBSY "swapext, sealed file as target" \
		'cp --reflink=never main donor; xfs_io -c "swapext donor" main'
	row main ETXTBSY "swapext, sealed file as donor" \
		'xfs_io -c "swapext main" donor'
	cp --reflink=never donor donor2
	# "not found" in the tool, or "not supported" by the kernel
	case $(xfs_io -c "exchangerange donor2" donor 2>&1) in
	*" not "*) return ;;
	esac
	row main ETXTBSY "exchange range, sealed file as target" \
		'xfs_io -c "exchangerange donor" main'
	row main ETXTBSY "exchange range, sealed file as donor" \
		'xfs_io -c "exchangerange main" donor'
}

rows_refused_ext4() {
	row single ETXTBSY "chattr -e (extents to indirect blocks)" 'chattr -e single'
}

rows_by_state() {
	local type=$1

	heading "A file with a hole and unwritten blocks, sealed as it is"
	row mixed writes "dd, within the written part" \
		'dd if=other of=mixed bs=64k count=2 conv=notrunc status=none'
	row mixed ETXTBSY "dd into the hole" \
		'dd if=other of=mixed bs=64k count=1 seek=5 conv=notrunc status=none'
	row mixed ETXTBSY "dd oflag=direct into the hole" \
		'dd if=other of=mixed bs=64k count=1 seek=5 conv=notrunc oflag=direct status=none'
	row mixed ETXTBSY "dd into unwritten blocks" \
		'dd if=other of=mixed bs=64k count=1 seek=9 conv=notrunc status=none'
	row mixed ETXTBSY "dd oflag=direct into unwritten blocks" \
		'dd if=other of=mixed bs=64k count=1 seek=9 conv=notrunc oflag=direct status=none'
	row mixed ETXTBSY "one write across written part and hole" \
		'dd if=other of=mixed bs=256k count=1 seek=128k oflag=seek_bytes conv=notrunc status=none'
	row mixed works "mmap read of the hole" \
		'xfs_io -r -c "mmap -r 256k 64k" -c "mread 256k 4k" mixed'
	row mixed SIGBUS "mmap store to the hole" \
		'xfs_io -c "mmap -rw 256k 64k" -c "mwrite 256k 4k" mixed'
	row mixed SIGBUS "mmap store to unwritten blocks" \
		'xfs_io -c "mmap -rw 512k 64k" -c "mwrite 512k 4k" mixed'
	[ "$type" = xfs ] || return 0
	row shared works "read of shared blocks" 'cat shared >/dev/null'
	row shared ETXTBSY "dd to shared blocks" \
		'dd if=main of=shared bs=64k count=1 conv=notrunc status=none'
	row shared ETXTBSY "dd oflag=direct to shared blocks" \
		'dd if=main of=shared bs=64k count=1 conv=notrunc oflag=direct status=none'
	row shared SIGBUS "mmap store to shared blocks" \
		'xfs_io -c "mmap -rw 0 64k" -c "mwrite 0 4k" shared'
	row tail "no effect" "removal of blocks kept for growth (passes it by)" \
		'filefrag -v tail | grep -q "unwritten" && xfs_spaceman -c "prealloc -s -m 0" .'
}

rows_tools() {
	local type=$1

	heading "Tools that move or free blocks"
	if [ "$type" = xfs ]; then
		row main ETXTBSY "xfs_fsr" 'fsr main'
		row main "no effect" "duperemove" 'duperemove -d main main.clone'
	else
		row main fails "e4defrag" 'e4defrag -v main'
	fi
	row image writes "losetup, mkfs, mount, write, umount" image_filesystem
	row image "no effect" "losetup, mount, fstrim" image_trim
	row image works "losetup, blkdiscard (frees nothing)" image_discard
	row image writes "losetup, blkdiscard -z (writes zeros)" image_zero
	row image writes "losetup, mkfs.ext4 that discards first" image_mkfs
}

# Without a terminal as its input it tells the system log only.
fsr() {
	xfs_fsr -v -d "$1" </dev/ptmx
}

image_loop() {
	LOOP=$(losetup -f --show image) || return
	mkdir -p /run/demo/loop
}

image_filesystem() {
	image_loop &&
		mkfs.ext4 -q -F -E nodiscard "$LOOP" &&
		mount "$LOOP" /run/demo/loop &&
		dd if=other of=/run/demo/loop/file bs=64k count=16 conv=fsync status=none &&
		umount /run/demo/loop
	image_detach $?
}

image_detach() {
	losetup -d "$LOOP"
	return "$1"
}

# Read-only, so that mounting itself writes nothing.
image_trim() {
	image_loop &&
		mount -o ro "$LOOP" /run/demo/loop &&
		fstrim -v /run/demo/loop
	image_status=$?
	umount /run/demo/loop
	image_detach $image_status
}

image_discard() {
	image_loop && blkdiscard -f "$LOOP"
	image_detach $?
}

image_zero() {
	image_loop && blkdiscard -f -z "$LOOP"
	image_detach $?
}

image_mkfs() {
	image_loop && mkfs.ext4 -q -F "$LOOP" && e2fsck -fn "$LOOP"
	image_detach $?
}

rows_system() {
	local mnt=$1 device=$2

	heading "The filesystem and the module"
	# A shell that stands in it would make it busy without any seal.
	cd /
	remember "$mnt/main"
	row "$mnt/main" works "freeze and thaw" "fsfreeze -f $mnt && fsfreeze -u $mnt"
	row "$mnt/main" works "remount read-only, then read-write" \
		"mount -o remount,ro $mnt && mount -o remount,rw $mnt"
	row "$mnt/main" EBUSY "umount" "umount $device"
	row "$mnt/main" EBUSY "rmmod" "rmmod seal"
	cd "$mnt" || die "no $mnt"
}

rows_proof() {
	heading "Proof"
	file_map main >/run/demo/map.after
	fact "filefrag -v: the map of main is the one of before" \
		'cmp /run/demo/map.before /run/demo/map.after'
	fact "sha256 of what was not written to is the same" \
		'head -c 1536k main | sha256sum | cmp - /run/demo/sum.before'
	fact "status -q says: sealed" 'sealctl status -q main mixed image'
}

rows_after() {
	local type=$1

	heading "Unsealed again: the same operations"
	fact "dd oflag=append works" \
		'dd if=other of=main bs=4k count=1 conv=notrunc oflag=append status=none'
	fact "fallocate -p works" 'fallocate -p -o 0 -l 64k mixed'
	fact "status -q says: not sealed" '! sealctl status -q main'
	if [ "$type" = xfs ]; then
		fact "xfs_fsr moves a file that is not sealed" 'moves fsr'
	else
		fact "e4defrag moves a file that is not sealed" 'moves "e4defrag -v"'
	fi
}

# moves TOOL: the refusals above meant something
moves() {
	local before

	before=$(file_map twin)
	$1 twin
	[ "$(file_map twin)" != "$before" ]
}

rows_module() {
	heading "The module"
	fact "rmmod works" 'rmmod seal'
	fact "no probe is left" '! grep seal /sys/kernel/debug/kprobes/list'
}
