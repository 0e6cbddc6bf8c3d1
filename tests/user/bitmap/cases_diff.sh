# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: lines of JSON of what differs or is allocated, and many extents.

# rows FILTER: jq's FILTER of each range of the last output
rows() {
	jq -c "select(.type == \"range\") | $1" <<<"$OUT"
}

cases_json() {
	local all at args

	make_pair 2
	patch_file new 3 4 100
	fallocate -p -o 40960 -l 8192 new
	expect 3 "diff --json" sealctl diff --json old new
	check "a line for each thing" [ "$(wc -l <<<"$OUT")" -eq 5 ]
	check "the first says what it is" jq -e 'select(.type == "begin") | .version == 1 and
		.block_metadata_type == "VARIABLE_LENGTH" and .starting_offset == 0 and
		.volume_capacity_bytes == 2097152 and .new.path == "new" and
		.old.size == 2097152' <<<"$(head -n 1 <<<"$OUT")" >/dev/null
	check "the last that it is complete" jq -e 'select(.type == "end") | .ranges == 3 and
		.bytes.data == 12288 and .bytes.zero == 8192' \
		<<<"$(tail -n 1 <<<"$OUT")" >/dev/null
	all=$(rows '[.byte_offset, .size_bytes, .kind]')
	check "between them the ranges" [ "$all" = '[12288,8192,"data"]
[40960,8192,"zero"]
[409600,4096,"data"]' ]
	expect 3 "going on" sealctl diff --json --starting-offset 20480 old new
	check "leaves out what was told" [ "$(rows .byte_offset)" = '40960
409600' ]
	expect 3 "in the middle of a range" sealctl diff --json -s 16K old new
	check "begins there" [ "$(rows '[.byte_offset, .size_bytes]' | head -n 1)" = "[16384,4096]" ]
	expect 0 "behind the last" sealctl diff --json -s 413696 old new
	expect 0 "behind the end" sealctl diff --json -s 1T old new
	at=$(tail -n 1 <<<"$OUT")
	check "nothing" [ "$(jq .ranges <<<"$at")" -eq 0 ]
	expect 0 "--allocated" sealctl diff --allocated --json new
	check "where there is data" [ "$(rows '[.byte_offset, .size_bytes]' |
		jq -s 'map(.[1]) | add')" -eq $((2097152 - 8192)) ]
	check "but not in the hole" [ -z "$(rows 'select(.byte_offset == 40960)')" ]
	check "there is no OLD" [ "$(head -n 1 <<<"$OUT" | jq .old)" = null ]
	expect 0 "resumed" sealctl diff --allocated --json -s 49152 new
	check "there" [ "$(rows .byte_offset | head -n 1)" -eq 49152 ]
	expect 0 "as a table" sealctl diff --allocated new
	fallocate -l 1M unwritten
	expect 0 "of blocks that were never written" sealctl diff --allocated --json unwritten
	check "nothing" [ "$(wc -l <<<"$OUT")" -eq 2 ]
	rm unwritten
	truncate -s 4T huge
	expect 0 "of a hole" sealctl diff --allocated --json huge
	check "nothing" [ "$(wc -l <<<"$OUT")" -eq 2 ]
	rm huge
	for args in "old" "--allocated old new" "--zeros old" "--bmap --zeros old new" \
		"-s 1 old new" "--bmap -s 1 old" "--json old" "-s x --json old new"; do
		# shellcheck disable=SC2086 # several words
		expect 2 "diff $args: usage" sealctl diff $args
	done
	json_writer
	expect 0 "diff --bmap of one file" sealctl diff --bmap new
	check "holes are left out" [ "$(grep -c '<Range chksum' <<<"$OUT")" -eq "$(grep -c '<Range' <<<"$OUT")" ]
	check "they are no blocks of it" grep -q '<MappedBlocksCount> 510 ' <<<"$OUT"
	expect 0 "with --zeros" sealctl diff --bmap --zeros new
	check "all blocks" grep -q '<MappedBlocksCount> 512 ' <<<"$OUT"
	check "the hole without a checksum" grep -q '<Range> 10-11 <' <<<"$OUT"
	rm -f old new
}

# A list that its reader does not take at once, and a writer that comes meanwhile
# shellcheck disable=SC2034 # ERR is for "says"
json_writer() {
	local pid status=0 fd

	cp --reflink=always new late
	seq 0 8192 2097151 | sed 's/.*/pwrite -q & 4096/' | xfs_io late >/dev/null
	sync late
	mkfifo pipe
	strace -o /dev/null -e trace=write -e inject=write:delay_enter=3000000:when=1 \
		sealctl diff --json new late >pipe 2>"$T/err" &
	pid=$!
	exec {fd}<pipe
	until_true sealed late
	expect 0 "a program opens NEW for writing" dd if=/dev/zero of=late bs=4k count=1 \
		conv=notrunc
	cat <&"$fd" >"$T/out"
	exec {fd}<&-
	wait "$pid" || status=$?
	check "the list fails" [ "$status" -eq 1 ]
	ERR=$(<"$T/err")
	says "says why" "goes first" "not to be used"
	check "and has no end" [ "$(jq -s 'any(.type == "end")' "$T/out")" = false ]
	rm -f pipe late
}

# peak CMD...: its largest resident memory, in KiB, into $PEAK; its output into $T/out
peak() {
	local pid now

	"$@" >"$T/out" &
	pid=$!
	PEAK=0
	while now=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
		PEAK=$now
		sleep 0.02
	done
	wait "$pid"
}

# A pair in which every other block of NEW is another one: EXTENTS extents.
many() {
	local extents=$1

	dd if=/dev/zero bs=1M count=$((extents / 1024 + 1)) status=none |
		tr '\0' x >old
	sync old
	cp --reflink=always old new
	# else XFS reserves 32 blocks for each that is written, and a million times
	# that is given back after five minutes, with the lock of the map held
	xfs_io -c 'cowextsize 1k' new
	seq 0 2048 $((extents * 1024 - 1)) | sed 's/.*/pwrite -q & 1024/' |
		xfs_io new >/dev/null
	sync new
}

# many_figures EXTENTS: for how long they were held, and with how much memory
many_figures() {
	local extents=$1 held=$((HELD / 1000000)) cold=$((COLD / 1000000))

	echo "$extents extents: NEW has $(xfs_io -r -c 'stat' new |
		awk '/nextents/ { print $3 }'), held for $held ms, $cold ms with no gate attached before; at most $PEAK KiB of memory"
	[ -z "${FIGURE_TIMES:-}" ] || {
		echo "figure: held $HELD $extents"
		echo "figure: held-first $COLD $extents"
		check "$extents extents: held for less than a second" [ "$held" -lt 1000 ]
		check "$extents extents: also if they are the first" [ "$cold" -lt 1000 ]
	}
	[ -z "${FIGURE_MEMORY:-}" ] || echo "figure: memory $PEAK $extents"
}

# Extents of a block each, on XFS with blocks of 1 KiB.
cases_many() {
	local extents

	target_up xfs-1k || {
		nok "xfs-1k cannot be set up"
		return
	}
	cd "$SEAL_MNT" || exit 1
	for extents in $MANY; do
		# not the last ones: to free a million extents takes XFS minutes here
		rm -f old new
		many "$extents"
		check "no gate is attached" at_rest
		peak sealctl bitmap --json -g 1K -o o.qcow2 old new
		COLD=$(jq .held_ns "$T/out")
		rm -f o.qcow2
		keep_gates
		peak sealctl bitmap --json -g 1K -o o.qcow2 old new
		HELD=$(jq .held_ns "$T/out")
		release_gates
		check "$extents extents: all changes are found" \
			[ "$(jq .dirty_bytes "$T/out")" -eq $((extents * 512)) ]
		many_figures "$extents"
		# the bitmap, the map that is being read, the program
		check "$extents extents: memory is bounded" [ "$PEAK" -lt 16384 ]
		check "$extents extents: qemu-img check" qemu-img check -q o.qcow2
		rm -f o.qcow2
	done
	cd "$SEAL_TREE" || exit 1
	target_down xfs-1k
}
