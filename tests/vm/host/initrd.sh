# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A tiny initrd: busybox, and the modules without which the root disk cannot
# be mounted or the command's output not be sent. Small, because under
# emulation each megabyte and each process counts.

INITRD_MODULES="virtio_pci virtio_blk virtio_console ext4"

# initrd_modules ROOT KVER: paths below the module directory, dependencies first
initrd_modules() {
	local dir=$1/lib/modules/$2 name path

	for name in $INITRD_MODULES; do
		path=$(sed -nE "s|^(kernel/.*/$name\.ko[.a-z]*):.*|\1|p" "$dir/modules.dep")
		# Not found: built into this kernel.
		[ -n "$path" ] || continue
		# modules.dep lists the nearest dependency first.
		sed -n "s|^$path: *||p" "$dir/modules.dep" | tr ' ' '\n' | tac
		echo "$path"
	done | awk 'NF && !seen[$0]++'
	# Soft dependency of ext4: the driver of its checksums.
	sed -nE 's|^(kernel/.*/crc32c[-_]intel\.ko[.a-z]*):.*|\1|p' "$dir/modules.dep"
	sed -nE 's|^(kernel/.*/crc32c_generic\.ko[.a-z]*):.*|\1|p' "$dir/modules.dep"
}

# initrd_make DIR KVER: DIR/initrd.img from DIR/root
initrd_make() {
	local dir=$1 kver=$2 path out number=10
	local tree=$dir/work/initrd

	rm -rf "$tree"
	mkdir -p "$tree"/{bin,dev,proc,sys,run,new,modules}
	cp "$dir/root/bin/busybox" "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	install -m 755 "$VM_DIR/guest/initrd-init" "$tree/init"
	while read -r path; do
		# The number keeps the order of loading.
		out=$tree/modules/$number-$(basename "$path" | sed 's/\.ko.*/.ko/')
		number=$((number + 1))
		case $path in
		*.xz) xz -dc "$dir/root/lib/modules/$kver/$path" >"$out" ;;
		*.zst) zstd -qdc "$dir/root/lib/modules/$kver/$path" >"$out" ;;
		*) cp "$dir/root/lib/modules/$kver/$path" "$out" ;;
		esac
	done < <(initrd_modules "$dir/root" "$kver")
	initrd_pack "$dir/root" "$tree" "$dir/initrd.img"
}

# initrd_pack ROOT TREE FILE: TREE as a cpio archive; ROOT lends its busybox
initrd_pack() {
	(cd "$2" && find . | "$1/bin/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$3"
}
