# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: the overlay that "sealctl bitmap" makes.

cases_pairs() {
	run_program "$PAIRS random pairs" "$BITMAP/bitmaps" "$SEAL_MNT" "$PAIRS" \
		"$SEED" "$EVERY" "$BITMAP/stock"
	rm -f overlay ranges anchor
}

# dirty_of OVERLAY NAME: its dirty ranges, as libnbd sees them
dirty_of() {
	LC_ALL=C nbdinfo --map="qemu:dirty-bitmap:$2" -- [ qemu-nbd --read-only \
		--format=qcow2 "--bitmap=$2" "$1" ] |
		awk '$4 == "dirty" { printf "%s%s+%s", sep, $1, $2; sep = " " }'
}

image_info() {
	qemu-img info --output=json "$1"
}

cases_overlay() {
	make_pair 4
	patch_file new 3 4 100 1000
	fallocate -p -o 2097152 -l 131072 new
	sha256sum new >"$T/sum"
	stat -c '%Y %Z %s %b' new >"$T/stat"
	expect 0 "bitmap" sealctl bitmap -o o.qcow2 old new
	prints "says what it is" '*"changed", 5 of 64 granules of 64.0 KiB are dirty*'
	check "NEW is as before" sha256sum --quiet -c "$T/sum"
	check "its times and blocks, too" \
		[ "$(stat -c '%Y %Z %s %b' new)" = "$(<"$T/stat")" ]
	check "nothing stays sealed" [ "$(sealctl status --json old new |
		jq '[.files[].sealed] | any')" = false ]
	expect 0 "qemu-img check" qemu-img check o.qcow2
	expect 0 "qemu-img info" image_info o.qcow2
	holds "version 3, raw data in NEW, one bitmap, consistent" '."virtual-size" == 4194304 and
		(."format-specific".data | .compat == "1.1" and ."data-file-raw" == true and
		 (."data-file" | endswith("/new")) and .corrupt == false and
		 (.bitmaps | length == 1 and .[0].name == "changed" and
		  .[0].granularity == 65536 and .[0].flags == []))'
	check "it reads as NEW" qemu-img compare -q -f qcow2 -F raw o.qcow2 new
	check "exactly the changed granules are dirty" [ "$(dirty_of o.qcow2 changed)" = \
		"0+65536 393216+65536 2097152+131072 4063232+65536" ]
	expect 0 "--json, another name and granularity" sealctl bitmap --json -n 'a b,c' \
		-g 4K -o p.qcow2 old new
	holds "in numbers" '.path == "p.qcow2" and .bitmap == "a b,c" and
		.granularity == 4096 and .granules == 1024 and .dirty_granules == 36 and
		.dirty_bytes == 147456 and .same_bytes == 4046848 and .size == 4194304 and
		.file_size == 4194304 and .held_ns > 0'
	expect 0 "its check" qemu-img check p.qcow2
	check "the finer bitmap" [ "$(dirty_of p.qcow2 'a b,c')" = \
		"12288+8192 409600+4096 2097152+131072 4096000+4096" ]
	rm -f ./*.qcow2
	expect 0 "the same file twice" sealctl bitmap -q -o o.qcow2 new new
	check "nothing is dirty" [ -z "$(dirty_of o.qcow2 changed)" ]
	rm -f o.qcow2
	overlay_sizes
	overlay_granularities
	overlay_large
	rm -f old new
}

overlay_sizes() {
	truncate -s 5242980 new
	expect 0 "NEW larger, not in whole sectors" sealctl bitmap --json -o o.qcow2 old new
	holds "the disk has whole ones" '.size == 5243392 and .file_size == 5242980'
	expect 0 "qemu-img check" qemu-img check o.qcow2
	check "what was added is dirty" [ "$(dirty_of o.qcow2 changed)" = \
		"0+65536 393216+65536 2097152+131072 4063232+65536 4194304+1049088" ]
	rm -f o.qcow2
	expect 0 "OLD larger" sealctl bitmap -q -g 4K -o o.qcow2 new old
	check "what is there is compared" [ "$(dirty_of o.qcow2 changed)" = \
		"12288+8192 409600+4096 2097152+131072 4096000+4096" ]
	says "they look swapped" "warning" "older one comes first"
	rm -f o.qcow2
	truncate -s 1000 new
	expect 0 "less than a granule" sealctl bitmap -q -o o.qcow2 old new
	check "in a disk of two sectors" [ "$(image_info o.qcow2 | jq '."virtual-size"')" = 1024 ]
	rm -f o.qcow2 new
	cp --reflink=always old new
	patch_file new 1023
}

overlay_granularities() {
	local size at

	# The last block of 4 MiB is another one.
	for ((size = 512; size <= 64 << 20; size *= 2)); do
		expect 0 "granularity $size" sealctl bitmap -q -g "$size" -o o.qcow2 old new
		expect 0 "qemu-img check" qemu-img check o.qcow2
		at=$((4190208 / size * size))
		check "the granule with the last block" \
			[ "$(dirty_of o.qcow2 changed)" = "$at+$((4194304 - at))" ]
		rm -f o.qcow2
	done
	expect 0 "granularity 1K, as people write it" sealctl bitmap --json -g 1K -o o.qcow2 old new
	holds "is 1024" '.granularity == 1024'
	rm -f o.qcow2
	for size in 256 128M 5000 0 x -1; do
		expect 2 "granularity $size" sealctl bitmap -g "$size" -o o.qcow2 old new
		says "is refused" "power of two from 512 to 64M"
	done
}

overlay_large() {
	local size
	local -A ranges=(
		[512]="0+4096 409600000000+4096 1099511623680+4096"
		[64K]="0+65536 409600000000+65536 1099511562240+65536"
	)

	truncate -s 1T old
	cp --reflink=always old huge
	patch_file huge 0 268435455 100000000
	for size in 512 64K; do
		expect 0 "1 TiB, by $size" sealctl bitmap --json -g "$size" -o o.qcow2 old huge
		holds "only the blocks that were written" ".dirty_bytes == 12288"
		check "is small" [ "$(du -k o.qcow2 | cut -f1)" -lt 512 ]
		expect 0 "qemu-img check" qemu-img check o.qcow2
		check "nothing else is dirty" [ "$(dirty_of o.qcow2 changed)" = "${ranges[$size]}" ]
		rm -f o.qcow2
	done
	truncate -s 4T huge
	expect 1 "4 TiB by 512" sealctl bitmap -g 512 -o o.qcow2 old huge
	says "would be too large" "512 MiB" "coarser granularity"
	rm -f huge
}

nothing_left() {
	check "nothing is left" [ -z "$(ls -A "$1")" ]
}

# A program opens NEW for writing while the maps are read by the seals: those go, and
# that is the reason, not that there is no seal to read by.
# shellcheck disable=SC2034 # ERR is for "says"
refused_writer() {
	local nth pid status=0

	cp --reflink=always new late
	sync late
	nth=$(strace -e trace=ioctl sealctl bitmap -q -o out/o old late 2>&1 |
		grep '^ioctl' | grep -n '0xd6, 0xb,' | head -n 1 | cut -d: -f1)
	rm -f out/o
	check "the maps are read by the seals" [ -n "$nth" ]
	strace -o /dev/null -e trace=ioctl \
		-e inject=ioctl:delay_enter=3000000:when="${nth:-1}" \
		sealctl bitmap -q -o out/o old late 2>"$T/err" &
	pid=$!
	until_true sealed late
	expect 0 "a program opens NEW for writing" dd if=/dev/zero of=late bs=4k count=1 \
		conv=notrunc
	wait "$pid" || status=$?
	check "the bitmap is refused" [ "$status" -eq 1 ]
	ERR=$(<"$T/err")
	says "says why" "goes first"
	nothing_left out
	rm -f late
}

cases_refused() {
	local mode

	mkdir -p out
	make_pair 4
	patch_file new 9
	expect 2 "no output" sealctl bitmap old new
	expect 2 "one file" sealctl bitmap -o out/o old
	expect 1 "a missing file" sealctl bitmap -o out/o none new
	says "is named" none
	expect 1 "an empty name" sealctl bitmap -n '' -o out/o old new
	expect 1 "a long name" sealctl bitmap -n "$(printf %01024d 0)" -o out/o old new
	says "is refused" "1 to 1023 bytes"
	expect 0 "the longest name" sealctl bitmap -q -n "$(printf %01023d 0)" -o out/o old new
	check "QEMU takes it" qemu-img check -q out/o
	expect 1 "an output that is there" sealctl bitmap -o out/o old new
	says "stays" "exists already"
	rm out/o
	: >empty
	expect 1 "an empty file" sealctl bitmap -o out/o old empty
	says "is nothing to back up" "empty"
	exec 9<>new
	expect 1 "NEW is open for writing" sealctl bitmap -o out/o old new
	says "by whom, and the remedy" "open for writing" "sealctl snapshot"
	exec 9<&-
	exec 9<>old
	expect 1 "OLD is" sealctl bitmap -o out/o old new
	says "it is named" "old" "sealctl snapshot"
	exec 9<&-
	mode=$(stat -c %a /dev/seal)
	chmod 666 /dev/seal
	expect 1 "files of somebody else" setpriv --reuid 65534 --regid 65534 --clear-groups \
		sealctl bitmap -o /tmp/o old new
	says "what cannot be known, and the remedy" "which only its owner and root are told" \
		"sealctl snapshot"
	chmod "$mode" /dev/seal
	# All of it in place: a seal would hurt nobody, but it changes all the time.
	cp --reflink=never old own
	sync own
	exec 9<>own
	expect 1 "open for writing, in place" sealctl bitmap -o out/o old own
	says "the remedy is the same" "sealctl snapshot"
	exec 9<&-
	nothing_left out
	expect 0 "not related" sealctl bitmap -q -o out/o old own
	says "a warning" "warning" "reflinked copies"
	check "all is dirty" [ "$(dirty_of out/o changed)" = "0+4194304" ]
	rm -f out/o own empty
	refused_writer
	refused_filesystems
	refused_twins
	refused_full
	meanwhile truncate -s +1M new
	check "a file that grows meanwhile" [ "$STATUS" -eq 1 ]
	says "is told" "written to meanwhile"
	nothing_left out
	mv new other
	cp --reflink=always other new
	meanwhile mv other new
	check "a file that is replaced meanwhile" [ "$STATUS" -eq 1 ]
	says "is told, too" "given to another file"
	nothing_left out
	# No file that is opened gets the number of a stream that is closed.
	expect 0 "not related, and nowhere to say so" bash -c \
		'cp --reflink=never old own && sync own &&
		sealctl bitmap -q -o out/o old own 2>&-'
	check "the warning is not in the overlay" qemu-img check -q out/o
	rm -f own out/o
	expect 1 "the name cannot be written to disk" strace -o /dev/null -e trace=fsync \
		-e inject=fsync:error=EIO:when=2 sealctl bitmap -o out/o old new
	says "is told" "writing its directory"
	nothing_left out
	expect 1 "a filesystem on which something could be left" sealctl bitmap -o /sys/o old new
	says "is no place for it" "/sys" "O_TMPFILE" "another one"
	rm -rf old new out
}

# meanwhile CMD...: when the files are compared and not sealed any more, but the overlay
# is not complete; $STATUS and $ERR are those of sealctl
# shellcheck disable=SC2034 # ERR is for "says"
meanwhile() {
	local pid

	strace -o "$T/trace" -e trace=pwrite64 -e inject=pwrite64:delay_enter=4000000:when=1 \
		sealctl bitmap -o out/o old new >"$T/out" 2>"$T/err" &
	pid=$!
	sleep 2
	"$@"
	STATUS=0
	wait "$pid" || STATUS=$?
	ERR=$(<"$T/err")
}

# Two filesystems whose blocks have the same addresses and other contents.
refused_twins() {
	local i map

	modprobe loop
	mkdir -p "$T/mnt-one" "$T/mnt-two"
	truncate -s 320M "$T/one"
	mkfs.xfs -q "$T/one"
	mount -o loop "$T/one" "$T/mnt-one"
	cp old "$T/mnt-one/file"
	umount "$T/mnt-one"
	cp --sparse=always "$T/one" "$T/two"
	for i in one two; do
		mount -o loop,nouuid "$T/$i" "$T/mnt-$i"
	done
	dd if=/dev/urandom of="$T/mnt-two/file" bs=4k count=1 conv=notrunc,fsync status=none
	map=$(filefrag -e "$T/mnt-one/file" | grep last)
	check "they are the same" [ "$map" = "$(filefrag -e "$T/mnt-two/file" | grep last)" ]
	check "and known" [ -n "$map" ]
	expect 0 "other files at the same addresses" sealctl bitmap -q -o out/o \
		"$T/mnt-one/file" "$T/mnt-two/file"
	check "all of them is dirty" [ "$(dirty_of out/o changed)" = "0+4194304" ]
	rm -f out/o
	umount "$T/mnt-one" "$T/mnt-two"
	rm -f "$T/one" "$T/two"
}

refused_filesystems() {
	if [ -b "$SEAL_PMEM" ]; then
		mkfs.ext4 -q -F "$SEAL_PMEM"
		mkdir -p "$T/mnt"
		mount "$SEAL_PMEM" "$T/mnt"
		cp old "$T/mnt/old"
		sync -f "$T/mnt/old"
		expect 0 "files of different filesystems" sealctl bitmap -q -o out/o \
			"$T/mnt/old" new
		says "a warning" "warning" "no block of it"
		check "all is dirty" [ "$(dirty_of out/o changed)" = "0+4194304" ]
		rm out/o
		umount "$T/mnt"
	else
		skip "different filesystems: no $SEAL_PMEM for a second one"
	fi
	cp old "$T/old"
	expect 1 "one that cannot be sealed" sealctl bitmap -o out/o "$T/old" new
	says "is named" "$T/old" "cannot be sealed"
	rm -f "$T/old"
}

refused_full() {
	mkdir -p "$T/small"
	mount -t tmpfs -o size=16k none "$T/small"
	expect 1 "a full disk" sealctl bitmap -o "$T/small/o" old new
	says "is told, with the name of the file" "small/o" "No space left"
	nothing_left "$T/small"
	check "of it nothing is used" [ "$(df --output=used "$T/small" | tail -n 1)" -eq 0 ]
	umount "$T/small"
	# Killed at any moment: it has no name before it is complete.
	timeout -s KILL 0.5 strace -f -o /dev/null -e trace=pwrite64 \
		-e inject=pwrite64:delay_enter=3000000 sealctl bitmap -o out/o old new
	nothing_left out
}
