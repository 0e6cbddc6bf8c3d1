# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: a file as a device, on a logical volume.

# unseal_raw FILE: as a program does that knows nothing of exports
unseal_raw() {
	perl -e 'open(my $s, "+<", "/dev/seal") or die; open(my $f, "<", $ARGV[0]) or die;
		ioctl($s, 0xc010d604, pack("LlLL", 16, fileno($f), 1, 0)) // die $!;' "$1"
}

# A filesystem directly on a disk: refused, and nothing stays behind.
cases_export_disk() {
	dd if=/dev/zero of=file bs=1M count=4 conv=fsync status=none
	expect 1 "export on a plain disk" sealctl export --dm seal-test file
	says "says why, and what would do" "directly on device" "logical volume"
	check "nothing is left" [ ! -e /dev/mapper/seal-test ]
	expect 1 "nor a seal" sealctl status -q file
	expect 1 "a table of a file that is not sealed" sealctl export --table file
	says "names the way" "sealctl seal --prepare"
	rm file
}

volume_up() {
	modprobe dm_mod
	pvcreate -qq -ff -y "$SEAL_DISK" >"$T/lvm" 2>&1 &&
		vgcreate -qq sealvg "$SEAL_DISK" >>"$T/lvm" 2>&1 &&
		lvcreate -qq -y -Wn -Zn -L 160M -n other sealvg >>"$T/lvm" 2>&1 &&
		lvcreate -qq -y -Wn -Zn -L 240M -n data sealvg >>"$T/lvm" 2>&1 &&
		lvcreate -qq -y -Wn -Zn -L 100M -n behind sealvg >>"$T/lvm" 2>&1 &&
		lvremove -qq -y sealvg/other >>"$T/lvm" 2>&1 &&
		lvextend -qq -L +80M sealvg/data >>"$T/lvm" 2>&1 &&
		vgmknodes -qq sealvg >>"$T/lvm" 2>&1
}

volume_down() {
	vgremove -qq -f -y sealvg >>"$T/lvm" 2>&1
	pvremove -qq -y "$SEAL_DISK" >>"$T/lvm" 2>&1
}

# digest FILE: of its map
digest() {
	sealctl status --json "$1" | jq -r '.files[0].digest'
}

# A volume manager moves the blocks below: no seal stops it.
cases_export_moved() {
	local pe seam

	seam=$(dmsetup table sealvg-data | awk 'NR == 2 { print $NF }')
	pe=$(((seam - 2048) / 8192))
	sealctl export --dm seal-test renamed.img >/dev/null
	if timeout 120 pvmove -qq -i 1 --alloc anywhere -n data \
		"$SEAL_DISK:$pe-$((pe + 19))" "$SEAL_DISK:0-19" >"$T/lvm" 2>&1; then
		expect 1 "unexport after pvmove" sealctl unexport seal-test
		says "notices it" "moved meanwhile"
		check "and removes the device" [ ! -e /dev/mapper/seal-test ]
	else
		skip "pvmove: $(tail -n 1 "$T/lvm")"
		pvmove -qq --abort >>"$T/lvm" 2>&1
		sealctl unexport seal-test
	fi
}

cases_export() {
	local type

	on xfs cases_export_disk
	if ! volume_up; then
		nok "a logical volume cannot be made"
		cat "$T/lvm"
		return
	fi
	check "the volume is in two pieces" [ "$(dmsetup table sealvg-data | wc -l)" -eq 2 ]
	for type in "${EXPORT_ON[@]}"; do
		echo "# export on $type"
		"mkfs.$type" -q /dev/mapper/sealvg-data
		mount /dev/mapper/sealvg-data "$SEAL_MNT"
		cd "$SEAL_MNT" || exit 1
		cases_export_file
		cd "$SEAL_TREE" || exit 1
		check "unmount" umount "$SEAL_MNT"
		wipefs -qa /dev/mapper/sealvg-data
	done
	volume_down
}

cases_export_file() {
	local before after content size seam

	# So large that it is in both pieces of the volume; XFS has a log, too.
	case $type in
	xfs) size=200 ;;
	ext4) size=260 ;;
	esac
	fallocate -l "${size}M" disk.img
	dd if=/dev/zero of=between bs=1M count=1 conv=fsync status=none
	expect 0 "prepare" sealctl seal --prepare disk.img
	before=$(digest disk.img)
	expect 0 "export --table" sealctl export --table disk.img
	check "it has all sectors" [ "$(awk '{ sum += $2 } END { print sum }' <<<"$OUT")" -eq $((size * 2048)) ]
	seam=$(dmsetup table sealvg-data | awk 'NR == 2 { print $NF }')
	# the second one has 80 MiB
	check "in both pieces of the volume" [ "$(awk -v seam="$seam" \
		'{ print ($NF >= seam && $NF < seam + 163840) }' <<<"$OUT" |
		sort -u | wc -l)" -eq 2 ]
	expect 0 "export --dm" sealctl export --dm seal-test disk.img
	check "the device has this table" [ "$(dmsetup table seal-test)" = "$(
		sealctl export --table disk.img)" ]
	check "and the size" [ "$(blockdev --getsize64 /dev/mapper/seal-test)" -eq \
		$((size * 1048576)) ]
	expect 1 "exporting it twice" sealctl export --dm seal-two disk.img
	says "is refused" "exported already"
	expect 1 "unsealing it" sealctl unseal disk.img
	says "is refused" "sealctl unexport seal-test"
	expect 0 "status --json" sealctl status --json disk.img
	holds "names the device" '.files[0].exported == "seal-test" and .files[0].sealed'

	# The other type than that below.
	expect 0 "mkfs on the device" mkfs.ext4 -q /dev/mapper/seal-test
	mkdir -p /run/seal-inner
	mount /dev/mapper/seal-test /run/seal-inner
	expect 1 "unexport while it is mounted" sealctl unexport seal-test
	says "is refused" "in use"
	expect 0 "fio --verify" fio --name=v --directory=/run/seal-inner --size=24M \
		--rw=randwrite --bs=16k --direct=1 --ioengine=libaio --iodepth=8 \
		--verify=crc32c --do_verify=1 --verify_fatal=1 --output="$T/fio"
	umount /run/seal-inner
	expect 0 "fsck of the device" e2fsck -fn /dev/mapper/seal-test
	content=$(sha256sum </dev/mapper/seal-test)
	check "the map has not changed" [ "$(digest disk.img)" = "$before" ]
	expect 0 "unexport" sealctl unexport seal-test
	check "the device is gone" [ ! -e /dev/mapper/seal-test ]
	expect 0 "the seal of before is kept" sealctl status -q disk.img
	after=$(sha256sum <disk.img)
	check "the file has what was written to the device" [ "$content" = "$after" ]
	expect 0 "fsck of the file" e2fsck -fn disk.img
	expect 0 "unseal" sealctl unseal disk.img

	# A seal that comes with the export goes with it.
	expect 0 "export a file that is not sealed" sealctl export --dm seal-test disk.img
	mv disk.img renamed.img
	check "what the file had is in the device" [ "$(
		sha256sum </dev/mapper/seal-test)" = "$after" ]
	unseal_raw renamed.img
	expect 0 "status of what was unsealed behind the back" sealctl status renamed.img
	prints "is a warning" "*WARNING*not sealed*"
	expect 0 "unexport, under another name of the file" sealctl unexport seal-test
	expect 1 "the seal is gone" sealctl status -q renamed.img
	expect 1 "unexport again" sealctl unexport seal-test
	says "is refused" "no such device"
	expect 1 "another's device" sealctl unexport sealvg-data
	says "is refused" "not a device that"
	[ "$type" != xfs ] || cases_export_moved
	truncate -s 1000 renamed.img
	expect 1 "a size that is not of whole sectors" sealctl export --dm seal-test renamed.img
	truncate -s 1M between
	fallocate -p -o 4096 -l 4096 between
	expect 1 "a file with a hole" sealctl export --dm seal-test between
	says "is refused" "allocated" "not met"
	expect 2 "neither --dm nor --table" sealctl export between
	rm -f renamed.img between
}
