# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The kernel unpacked, which QEMU can start without a boot loader (PVH). Under emulation
# a kernel takes longer to unpack itself than to boot: with xz, 66 MB. It stays where
# it was linked to be then: only a kernel that unpacks itself chooses a random place.

# vmlinux_number FILE OFFSET BYTES
vmlinux_number() {
	od -A n -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# vmlinux_unpack BZIMAGE FILE: false if it is packed in a way that is not known here.
# Where what is packed begins and ends is in the boot header; its last four bytes are
# the size of what comes out.
vmlinux_unpack() {
	local from=$1 to=$2 start length size

	start=$((($(vmlinux_number "$from" $((0x1f1)) 1) + 1) * 512 +
		$(vmlinux_number "$from" $((0x248)) 4)))
	length=$(vmlinux_number "$from" $((0x24c)) 4)
	size=$(vmlinux_number "$from" $((start + length - 4)) 4)
	dd if="$from" of="$to.packed" bs=64k iflag=skip_bytes,count_bytes \
		skip="$start" count=$((length - 4)) status=none
	case $(od -A n -v -t x1 -N 4 "$to.packed") in
	' fd 37 7a 58') xz -dc <"$to.packed" >"$to" ;;
	' 28 b5 2f fd') zstd -qdc <"$to.packed" >"$to" ;;
	*) return 1 ;;
	esac
	rm -f "$to.packed"
	[ "$(stat -c %s "$to")" = "$size" ] && [ "$(vmlinux_number "$to" 0 4)" = \
		$((0x464c457f)) ]
}

# vmlinux_find: set KERNEL to what QEMU starts, unpacked at the first use of an image.
# Not where instructions are counted, so that figures can be compared with older ones.
vmlinux_find() {
	local made=$IMAGE/vmlinux new

	KERNEL=$IMAGE/vmlinuz
	[ -z "$ICOUNT$OTHER_IMAGE" ] &&
		grep -qsx CONFIG_PVH=y "$IMAGE/root/boot/config-$(cat "$IMAGE/kver")" ||
		return 0
	if [ ! -e "$made" ]; then
		new=$(mktemp -d "$VM_CACHE/tmp/vmlinux.XXXXXX")
		# an empty file: not to be tried again
		vmlinux_unpack "$KERNEL" "$new/vmlinux" || : >"$new/vmlinux"
		mv "$new/vmlinux" "$made"
		rm -rf "$new"
	fi
	# shellcheck disable=SC2034 # for the callers
	[ ! -s "$made" ] || KERNEL=$made
}
