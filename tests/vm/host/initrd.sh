# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A tiny initrd: busybox, and the modules without which the root disk cannot
# be mounted or the command's output not be sent. Small, because under
# emulation each megabyte and each process counts.

INITRD_MODULES="virtio_pci virtio_blk virtio_console ext4"
# where the root disk is memory
INITRD_MEMORY_MODULES="nfit nd_pmem"

# initrd_modules ROOT KVER NAME...: paths below the module directory, dependencies
# first
initrd_modules() {
	local dir=$1/lib/modules/$2 name path

	shift 2
	for name; do
		path=$(sed -nE "s|^(kernel/.*/$name\.ko[.a-z]*):.*|\1|p" "$dir/modules.dep")
		# Not found: built into this kernel.
		[ -n "$path" ] || continue
		# modules.dep lists the nearest dependency first.
		sed -n "s|^$path: *||p" "$dir/modules.dep" | tr ' ' '\n' | tac
		echo "$path"
		[ "$name" != ext4 ] || initrd_crc "$dir"
	done | awk 'NF && !seen[$0]++'
}

# initrd_crc DIR: soft dependency of ext4, the driver of its checksums
initrd_crc() {
	sed -nE 's|^(kernel/.*/crc32c[-_]intel\.ko[.a-z]*):.*|\1|p' "$1/modules.dep"
	sed -nE 's|^(kernel/.*/crc32c_generic\.ko[.a-z]*):.*|\1|p' "$1/modules.dep"
}

# initrd_make DIR KVER: DIR/initrd.img from DIR/root
initrd_make() {
	local dir=$1 kver=$2
	local tree=$dir/work/initrd

	rm -rf "$tree"
	mkdir -p "$tree"/{bin,dev,proc,sys,run,new}
	cp "$dir/root/bin/busybox" "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	install -m 755 "$VM_DIR/guest/initrd-init" "$tree/init"
	# shellcheck disable=SC2086 # lists
	{
		initrd_unpack "$dir/root" "$kver" "$tree/modules" $INITRD_MODULES
		initrd_unpack "$dir/root" "$kver" "$tree/modules.memory" \
			$INITRD_MEMORY_MODULES
	}
	initrd_pack "$dir/root" "$tree" "$dir/initrd.img"
}

# initrd_unpack ROOT KVER DIR NAME...: these modules as DIR/NN-NAME.ko
initrd_unpack() {
	local root=$1 kver=$2 to=$3 path out number=10

	shift 3
	mkdir -p "$to"
	while read -r path; do
		# The number keeps the order of loading.
		out=$to/$number-$(basename "$path" | sed 's/\.ko.*/.ko/')
		number=$((number + 1))
		case $path in
		*.xz) xz -dc "$root/lib/modules/$kver/$path" >"$out" ;;
		*.zst) zstd -qdc "$root/lib/modules/$kver/$path" >"$out" ;;
		*) cp "$root/lib/modules/$kver/$path" "$out" ;;
		esac
	done < <(initrd_modules "$root" "$kver" "$@")
}

# initrd_pack ROOT TREE FILE: TREE as a cpio archive; ROOT lends its busybox. The same
# tree makes the same archive: the kernel looks through its headers while it boots, and
# takes longer for a letter than for a digit.
initrd_pack() {
	find "$2" -exec touch -h -d @0 {} +
	(cd "$2" && find . | LC_ALL=C sort | "$1/bin/busybox" cpio -o -H newc \
		-R 0:0 --ignore-devno --renumber-inodes 2>/dev/null) >"$3"
}
