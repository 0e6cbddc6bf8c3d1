# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: which blocks differ.

cases_pairs() {
	run_program "$PAIRS random pairs" "$MAPS/pairs" "$SEAL_MNT" "$PAIRS" "$SEED"
}

# patch_file FILE BLOCK...: new data in these blocks of 4 KiB
patch_file() {
	local file=$1 at

	shift
	for at; do
		dd if=/dev/urandom of="$file" bs=4k count=1 seek="$at" \
			conv=notrunc status=none
	done
}

# The last output, lines of JSON, as one object
whole_diff() {
	OUT=$(jq -s '{ranges: map(select(.type == "range")), bytes: .[-1].bytes}' <<<"$OUT")
}

cases_diff() {
	dd if=/dev/urandom of=old bs=64k count=16 status=none
	cp --reflink=always old new
	expect 0 "diff of a fresh reflink" sealctl diff old new
	prints "there is none" "*no difference"
	patch_file new 3 4 100
	fallocate -p -o 40960 -l 8192 new
	truncate -s 1100000 new
	expect 3 "diff" sealctl diff old new
	expect 3 "diff --json" sealctl diff --json old new
	whole_diff
	holds "exactly the changed blocks are told" '[.ranges[] | [.kind, .byte_offset, .size_bytes]] ==
		[["data", 12288, 8192], ["zero", 40960, 8192],
		 ["data", 409600, 4096], ["zero", 1048576, 51424]]'
	holds "with states and totals" '.ranges[1].new_state == "hole" and
		.ranges[1].new_physical == null and .ranges[3].old_state == "end" and
		.bytes == {data: 12288, zero: 59616, layout: 0, gone: 0}'
	expect 3 "the other way round" sealctl diff --json new old
	whole_diff
	holds "the end is gone" '.ranges[-1] | .kind == "gone" and .byte_offset == 1048576'
	check "nothing stays sealed" [ "$(sealctl status --json old new |
		jq '[.files[].sealed] | any')" = false ]
	expect 3 "diff --bmap" sealctl diff --bmap old new
	cp "$T/out" "$T/bmap"
	# Into a device: bmaptool empties a regular file first.
	if [ -b "$SEAL_PMEM" ]; then
		dd if=old of="$SEAL_PMEM" bs=64k conv=fsync status=none
		refute "the device has the old file" cmp -n 1100000 new "$SEAL_PMEM"
		expect 0 "bmaptool takes it" bmaptool copy --no-sig-verify \
			--bmap "$T/bmap" new "$SEAL_PMEM"
		check "and makes of the old file the new one" \
			cmp -n 1100000 new "$SEAL_PMEM"
		patch_file new 3
		expect 1 "it finds other contents by the checksum" bmaptool copy \
			--no-sig-verify --bmap "$T/bmap" new "$SEAL_PMEM"
	else
		skip "bmaptool: no $SEAL_PMEM to copy to"
	fi
	cp old "$T/elsewhere"
	expect 1 "a file that cannot be sealed" sealctl diff "$T/elsewhere" new
	says "is named" "$T/elsewhere" "cannot be sealed"
	expect 1 "a missing file" sealctl diff none new
	expect 2 "one file: usage" sealctl diff old
	rm -f old new
	cases_many
}

# Neither the ranges nor the extents are kept in memory.
cases_many() {
	dd if=/dev/zero of=old bs=1M count=40 conv=fsync status=none
	cp --reflink=always old new
	seq 0 8192 $((40 * 1048576 - 1)) | sed 's/.*/fpunch & 4096/' | xfs_io new >/dev/null
	expect 3 "5120 ranges in 12 MB of memory" bash -c \
		'ulimit -v 12000; sealctl diff --json old new >ranges'
	check "all are there" [ "$(grep -c '"type": "range"' ranges)" -eq 5120 ]
	refute "a list of them has no room there" bash -c \
		'ulimit -v 12000; sealctl map --json new'
	rm -f old new ranges
}
