# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: deltas that are received.

# An image with data, holes and preallocated room.
make_image() {
	truncate -s 4M "$1"
	dd if=/dev/urandom of="$1" bs=64k count=24 conv=notrunc status=none
	dd if=/dev/zero of="$1" bs=64k count=4 seek=32 conv=notrunc status=none
	fallocate -n -o 3M -l 64K "$1"
}

# change_image FILE: as a virtual machine would
change_image() {
	patch_file "$1" $((RANDOM % 1024)) $((RANDOM % 1024)) $((RANDOM % 384))
	fallocate -p -o $((RANDOM % 512 * 4096)) -l 8192 "$1"
	truncate -s +$((RANDOM % 5000)) "$1"
}

# same WHAT FILE COPY
same() {
	check "$1" cmp "$2" "$3"
}

# allocated FILE: bytes that have blocks
allocated() {
	sealctl map --json "$1" | jq '.bytes | .written + .shared + .unwritten'
}

# as_sparse FILE COPY: the copy has no more blocks
as_sparse() {
	check "holes are kept" [ "$(allocated "$2")" -le "$(allocated "$1")" ]
}

# value NAME: of the summary in $ERR, as it is printed
value() {
	sed -n "s/.* $1 \([0-9.]* [KMG]*i*B\).*/\1/p" <<<"$ERR"
}

cases_delta() {
	local way

	make_image live
	cp --reflink=always live s1
	expect 0 "send a file in full" sealctl send s1
	cp "$T/out" d1
	expect 0 "receive it" sealctl receive d1 copy
	same "the copy is equal" s1 copy
	as_sparse s1 copy
	check "so is the time" [ "$(stat -c %y copy)" = "$(stat -c %y s1)" ]
	check "nothing is left beside it" [ ! -e .copy.seal-receive ]

	patch_file live 5 6 200 900
	fallocate -p -o 65536 -l 8192 live
	fallocate -p -o 2097152 -l 65536 live
	truncate -s 4200000 live
	cp --reflink=always live s2
	expect 0 "send what changed" sealctl send --base s1 s2
	cp "$T/out" d2
	check "no more is read than that" [ "$(value read)" = "16.0 KiB" ]
	check "nor sent" [ "$(stat -c %s d2)" -lt 18000 ]
	for way in '' --in-place; do
		cp --reflink=always --preserve=xattr,timestamps copy "c$way"
		# shellcheck disable=SC2086 # one option or none
		expect 0 "receive it $way" sealctl receive $way d2 "./c$way"
		same "the copy is equal" s2 "./c$way"
		as_sparse s2 "./c$way"
	done
	chmod 640 copy
	setfattr -n user.note -v kept copy
	expect 0 "receive from a pipe" bash -c 'sealctl receive - copy <d2'
	same "the copy is equal" s2 copy
	check "mode and attributes are kept" [ "$(stat -c %a copy)$(getfattr \
		--only-values -n user.note copy)" = 640kept ]

	truncate -s 1000000 live
	cp --reflink=always live s3
	expect 0 "a smaller file" bash -c 'sealctl send -z --base s2 s3 |
		sealctl receive --in-place - copy'
	same "the copy is equal" s3 copy
	expect 0 "nothing changed" bash -c 'cp --reflink=always live s4 &&
		sealctl send -q --base s3 s4 | sealctl receive -q - copy'
	check "quiet is quiet" [ -z "$ERR" ]

	dd if=/dev/zero bs=64k count=16 status=none | tr '\0' x |
		dd of=text conv=fsync status=none
	expect 0 "compressed" sealctl send -z9 text
	check "it is smaller" [ "$(stat -c %s "$T/out")" -lt 10000 ]
	cp "$T/out" d5
	expect 0 "receive it" sealctl receive d5 copy2
	same "the copy is equal" text copy2

	# A copy made by other means becomes the base of deltas.
	cp s1 other
	expect 1 "a copy that was not received" sealctl receive d2 other
	expect 0 "a delta with whole hashes" sealctl send --check all --base s1 s2
	cp "$T/out" d6
	expect 0 "takes it as a base" sealctl receive d6 other
	same "and is right" s2 other
	: >empty
	expect 0 "an empty file" bash -c 'sealctl send empty | sealctl receive - e'
	check "is received" [ -f e ] && [ ! -s e ]
	rm -f ./c* e empty other text d5 d6 s3 s4
}

cases_delta_no_reflink() {
	make_image s1
	cp --sparse=always s1 s2
	patch_file s2 7
	expect 0 "send in full" bash -c 'sealctl send s1 | sealctl receive - copy'
	same "the copy is equal" s1 copy
	expect 0 "files that share nothing" bash -c 'sealctl send --base s1 s2 >d &&
		sealctl receive --in-place d copy'
	same "the copy is equal" s2 copy
	rm -f s1 s2 copy d
}

# A writer that never stops, and its snapshots.
cases_chain() {
	local i writer ways=('' '--in-place') options=('' '-z' '--check=ranges' '--check=all')

	make_image live
	while :; do change_image live; done &
	writer=$!
	sleep 1
	cp --reflink=always live s0
	expect 0 "chain: in full" bash -c 'sealctl send s0 | sealctl receive - mirror'
	for ((i = 1; i <= CHAIN; i++)); do
		sleep 0.5
		cp --reflink=always live "s$i"
		# shellcheck disable=SC2086 # one option or none
		sealctl send -q ${options[i % 4]} --base "s$((i - 1))" "s$i" >d || break
		# shellcheck disable=SC2086 # one option or none
		sealctl receive -q ${ways[i / 2 % 2]} d mirror || break
		cmp "s$i" mirror || break
		rm -f "s$((i - 1))"
	done
	kill "$writer"
	wait "$writer" 2>/dev/null
	check "chain: $CHAIN states of a file that is written to, byte for byte" \
		[ "$i" -gt "$CHAIN" ]
	rm -f live s[0-9]* mirror d
}
