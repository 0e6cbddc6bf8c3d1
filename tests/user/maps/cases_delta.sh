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
	expect 5 "a copy that was not received" sealctl receive d2 other
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

# id_of FILE: the identity of its contents
id_of() {
	getfattr --only-values -n user.seal.id "$1" | cut -d " " -f 2
}

# What a delta has in it can be seen without receiving it.
cases_dump() {
	make_image s1
	cp --reflink=always s1 s2
	patch_file s2 5
	fallocate -p -o 65536 -l 8192 s2
	sealctl send -q s1 >d1
	sealctl send -q --base s1 s2 >d2
	expect 0 "dump" sealctl receive --dump d2
	prints "ranges are told, and that it is complete" "*20480*4096*65536*8192*complete:*"
	prints "and the identities of both files" "*base $(id_of s1),*new  $(id_of s2),*"
	expect 0 "dump --json" sealctl receive --dump --json d2
	holds "the same for programs" '.header.version == 2 and .header.has_base and
		[.records[] | [.kind, .offset, .length]] ==
		[["data", 20480, 4096], ["zero", 65536, 8192]] and .zero == 8192'
	holds "with the identities" ".header.base == \"$(id_of s1)\" and .header.new == \"$(id_of s2)\""
	expect 6 "send to a full disk" bash -c 'sealctl send s1 >/dev/full'
	says "it is the delta that could not be written" "writing the delta" "No space left"
	head -c 300 d2 >bad
	expect 1 "dump of one that is cut" sealctl receive --dump bad
	says "says so" bad "cut short"
	sed 's/^\(SEALDLT.\)\x02/\1\x01/' d2 >bad
	expect 1 "one of the first version" sealctl receive bad none
	says "is refused with a word" "version 1" "version 2"
	expect 0 "receive --json" sealctl receive --json d1 copy
	holds "says what was done" '.path == "copy" and .data > 0 and .resumed == 0'
	expect 4 "received before: a status of its own" sealctl receive d1 copy
	expect 1 "larger than allowed" sealctl receive --max-size 1M d2 copy
	says "which is said" copy "limit is 1048576" "--max-size"
	expect 0 "up to that it is received" sealctl receive --max-size 4M d2 copy
	same "and is right" s2 copy
	rm -f s1 s2 d1 d2 bad copy
}

# The snapshot has no name before all of it is sent: say so, and what to do.
resume_snapshot() {
	local way reader pipe

	mkfifo pipe
	for way in --snapshot --snapshot=s3; do
		# a pipe that nobody reads
		# shellcheck disable=SC2094 # it is the reader that goes
		exec {reader}<>pipe {pipe}>pipe {reader}<&-
		expect 6 "send $way to a pipe that is broken" \
			bash -c "sealctl send $way s2 >&$pipe"
		says "that it cannot be resumed is said, and what can" s2 \
			"cannot be resumed" "sealctl snapshot s2 COPY"
		exec {pipe}>&-
	done
	check "no snapshot is left" [ ! -e s3 ]
	# shellcheck disable=SC2094 # it is the reader that goes
	exec {reader}<>pipe {pipe}>pipe {reader}<&-
	expect 6 "send of a file with a name" bash -c "sealctl send s2 >&$pipe"
	refute "can be resumed" grep -qF "cannot be resumed" "$T/err"
	exec {pipe}>&-
	rm -f pipe
}

# A pipe that breaks, and what is sent then.
cases_resume() {
	local token way

	dd if=/dev/urandom of=s1 bs=1M count=8 conv=fsync status=none
	sealctl send -q s1 | sealctl receive -q - copy
	cp --reflink=always s1 s2
	dd if=/dev/urandom of=s2 bs=1M count=6 seek=1 conv=notrunc,fsync status=none
	for way in '' --in-place; do
		cp --reflink=always --preserve=xattr,timestamps copy part
		if [ -z "$way" ]; then
			expect 1 "a pipe that breaks" bash -c 'sealctl send -q --base s1 s2 |
				head -c 3300000 | sealctl receive - part'
		else
			sealctl send -q --base s1 s2 >d
			expect 153 "an update in place that is killed" bash -c \
				'ulimit -f 4000; sealctl receive -i d part'
		fi
		# shellcheck disable=SC2086 # one option or none
		expect 0 "where to go on $way" sealctl receive --where $way part
		token=$OUT
		[ -z "$way" ] || token=${token%:*}:0
		expect 0 "the rest is sent" sealctl send --resume "$token" --base s1 s2
		cp "$T/out" rest
		if [ -z "$way" ]; then
			check "only the rest" [ "$(stat -c %s rest)" -lt 3500000 ]
			expect 5 "a file that has no beginning does not take it" \
				sealctl receive rest copy
		fi
		# shellcheck disable=SC2086 # one option or none
		expect 0 "and received" sealctl receive $way rest part
		same "the copy is equal" s2 part
	done
	resume_snapshot
	expect 1 "nowhere to go on" sealctl receive --where part
	expect 1 "no token" sealctl send --resume x --base s1 s2
	expect 5 "a token of other contents" sealctl send --resume "$token" s1
	expect 2 "not with a new snapshot" sealctl send --snapshot --resume "$token" s1
	rm -f s1 s2 copy part rest d
}

as_nobody() {
	setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

# A link in a directory that everybody writes to, by somebody else.
receiver_links() {
	local before

	before=$(cat /proc/sys/fs/protected_symlinks)
	echo 1 >/proc/sys/fs/protected_symlinks
	mkdir -m 1777 sticky
	cp s1 mine
	as_nobody ln -s "$PWD/mine" sticky/copy
	expect 1 "a link of somebody else is not followed" sealctl receive d0 sticky/copy
	says "which is said" sticky/copy "Permission denied"
	expect 1 "in place neither" sealctl receive -i d0 sticky/copy
	same "the file is the same" s1 mine
	echo "$before" >/proc/sys/fs/protected_symlinks
	rm -rf sticky mine
}

# What the receiver's system may be like.
cases_receiver() {
	local loop

	dd if=/dev/urandom of=s1 bs=64k count=32 conv=fsync status=none
	sealctl send -q s1 >d1
	dd if=/dev/urandom of=s0 bs=64k count=32 conv=fsync status=none
	sealctl send -q s0 >d0
	receiver_links
	mkdir small
	mount -t tmpfs -o size=3M none small
	dd if=/dev/zero of=small/filler bs=64k count=40 status=none
	expect 6 "no space: a status of its own" sealctl receive d1 small/copy
	says "which is said" small/copy "No space left"
	umount small
	rmdir small
	mount -t tmpfs -o size=64k none /tmp
	expect 0 "from a pipe, in place, with a full /tmp" bash -c \
		'sealctl receive -q -i - copy <d1'
	umount /tmp
	same "the copy is equal" s1 copy
	check "nothing is left" [ "$(find . -name '.*seal*')" = "" ]

	# Whole seconds are all that inodes of 128 bytes have.
	modprobe loop
	truncate -s 32M image
	mkfs.ext4 -q -F -I 128 -O ^metadata_csum image
	loop=$(losetup -f --show image)
	mkdir -p "$T/old"
	mount "$loop" "$T/old"
	cp --reflink=always s1 s2
	patch_file s2 1 7
	sealctl send -q --base s1 s2 >d2
	expect 0 "a filesystem with times of a second" sealctl receive d1 "$T/old/copy"
	expect 0 "the next delta of the chain" sealctl receive d2 "$T/old/copy"
	same "the copy is equal" s2 "$T/old/copy"
	cp --preserve=xattr,timestamps "$T/old/copy" "$T/old/changed"
	printf x | dd of="$T/old/copy" bs=1 conv=notrunc status=none
	expect 5 "a write is noticed" bash -c "sealctl send -q --base s2 s1 |
		sealctl receive - $T/old/copy"
	umount "$T/old"
	losetup -d "$loop"

	# A seal that no name leads to any more could not be lifted.
	sealctl receive -q d1 held
	sealctl seal held
	expect 1 "a sealed file is not replaced" sealctl receive d2 held
	says "which is said" held sealed "unseal it first"
	mkdir own
	sealctl receive -q d1 own/held
	sealctl seal own/held
	chown -R nobody:nogroup own
	refute "its owner may not open the device" as_nobody test -r /dev/seal
	expect 1 "and does not replace it either" as_nobody sealctl receive d2 own/held
	says "which is said" held sealed "unseal it first"
	expect 1 "by a full delta neither" as_nobody sealctl receive d0 own/held
	sealctl unseal own/held
	expect 0 "unsealed, it is" as_nobody sealctl receive d2 own/held
	same "and is right" s2 own/held
	rm -rf own
	sealctl unseal held
	expect 0 "unsealed, it is" sealctl receive d2 held
	rm -f s0 s1 s2 d0 d1 d2 copy image held
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

# Whatever reads a file must not cost its writer anything.
cases_live() {
	local fd verb names

	make_image live
	cp --reflink=always live snap
	sealctl send -q snap >/dev/null
	patch_file live 3 9 40
	exec {fd}<>live
	for verb in "diff snap live" "send --base snap live" "send live" "record live" \
		"record snap live"; do
		# shellcheck disable=SC2086 # words are wanted
		expect 1 "$verb: a file that is open for writing" sealctl $verb
		says "says by whom, and what to do" live \
			"open for writing by process $$ (guest)" snapshot
		check "and seals nothing" [ "$(status_json .sealed snap live)" = false ]
	done
	# Blocks 0 to 23 of 64 KiB are shared, the rest are holes.
	expect 0 "the writer writes to shared blocks and to holes" \
		dd if=/dev/urandom of=/dev/fd/$fd bs=64k count=50 conv=notrunc
	expect 0 "a snapshot of it" sealctl snapshot live copy
	prints "says what kind of copy it is" "*crash-consistent*"
	same "and has the contents" live copy
	expect 1 "no snapshot over another file" sealctl snapshot live copy
	says "which is said" copy "exists already"
	same "which is left alone" live copy
	expect 1 "nor on another filesystem" sealctl snapshot live "$T/copy"
	expect 0 "quiet is quiet" sealctl snapshot -q live copy2
	check "nothing is printed" [ -z "$OUT$ERR" ]
	expect 3 "diff of snapshots while it is written to" sealctl diff snap copy
	names=$(ls -A)
	expect 0 "send --snapshot of the file itself" sealctl send -q --snapshot live
	check "no file came of it" [ "$(ls -A)" = "$names" ]
	live_killed
	check "nor if it is killed in the middle" [ "$(ls -A)" = "$names" ]
	cp "$T/out" d1
	expect 0 "receive it" sealctl receive d1 mirror
	same "it is the file" live mirror
	expect 0 "send --snapshot, and keep it as a base" bash -c \
		'sealctl send -q --snapshot=monday live | sealctl receive -q - mirror'
	same "the copy is equal" monday mirror
	patch_file live 12 300
	expect 0 "the next one from it" bash -c \
		'sealctl send --base monday --snapshot=tuesday live >d2'
	check "reads only what changed" [ "$(value read)" = "8.0 KiB" ]
	expect 0 "receive it" sealctl receive d2 mirror
	same "the copy is equal" live mirror
	expect 1 "a name that is there" sealctl send --snapshot=monday live
	says "is refused" monday "exists already"
	exec {fd}<&-
	rm -f copy copy2 monday tuesday mirror d1 d2
	live_in_place
	live_late
	live_loop
	rm -f live snap
}

# A transfer that has begun, and is killed.
live_killed() {
	local pid fd

	mkfifo "$T/killed"
	sealctl send -q --snapshot live >"$T/killed" &
	pid=$!
	exec {fd}<"$T/killed"
	dd bs=120 count=1 status=none <&"$fd" >/dev/null
	check "it has a snapshot without a name" \
		sh -c "ls -l /proc/$pid/fd | grep -q '$PWD.*(deleted)'"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	exec {fd}<&-
	rm "$T/killed"
}

# status_json FILTER FILE...: is it true of any
status_json() {
	local filter=$1

	shift
	sealctl status --json "$@" | jq "[.files[]$filter] | any"
}

# What is in place can be written all the time.
live_in_place() {
	local fd

	dd if=/dev/urandom of=full bs=64k count=8 conv=fsync status=none
	exec {fd}<>full
	expect 0 "a file that is all in place, open for writing" sealctl record full
	expect 0 "can be sent, too" sealctl send -q full
	fallocate -l 1M full
	expect 1 "with unwritten blocks it cannot" sealctl record full
	says "which is said" "open for writing by process $$ (guest)"
	exec {fd}<&-
	rm -f full
}

# A writer that comes when the files are sealed goes first.
live_late() {
	local pid status=0 begin

	mkfifo pipe
	sealctl send live >pipe 2>"$T/err" &
	pid=$!
	exec {fd}<pipe
	dd bs=120 count=1 status=none <&"$fd" >late
	check "it is sealed while it is sent" [ "$(status_json .sealed live)" = true ]
	begin=$SECONDS
	expect 0 "a program that opens it then writes to a hole" \
		dd if=/dev/urandom of=live bs=64k count=1 seek=60 conv=notrunc
	check "and waits no lease out" [ $((SECONDS - begin)) -lt 20 ]
	expect 0 "another truncates it" truncate -s 5M live
	cat <&"$fd" >>late
	exec {fd}<&-
	wait "$pid" || status=$?
	check "the transfer fails" [ "$status" -eq 1 ]
	# shellcheck disable=SC2034 # says looks at it
	ERR=$(<"$T/err")
	says "and says why" "opened it or its base for writing" "snapshot"
	expect 1 "what came of it" sealctl receive late none
	says "has no end" "cut short"
	rm -f pipe late .none.seal-receive
}

# A filesystem inside of an image, and whoever looks at the image meanwhile.
live_loop() {
	local loop fail=0 i end

	truncate -s 64M image
	mkfs.ext4 -q -F -E lazy_itable_init=1 image
	cp --reflink=always image base
	sealctl send -q base >/dev/null
	modprobe loop
	loop=$(losetup -f --show image)
	mkdir -p "$T/inside"
	mount "$loop" "$T/inside"
	end=$((SECONDS + LIVE_SECONDS))
	while [ "$SECONDS" -lt "$end" ]; do
		for i in 1 2 3 4 5 6 7 8; do
			dd if=/dev/urandom of="$T/inside/$i" bs=64k count=4 \
				conv=fsync status=none || echo "$i" >>"$T/failed"
		done
		rm -f "$T"/inside/[0-9]
		fstrim "$T/inside"
	done &
	while [ "$SECONDS" -lt "$end" ]; do
		sealctl diff base image >/dev/null 2>&1
		[ $? -eq 1 ] || fail=1
		sealctl send -q --base base image 2>/dev/null >"$T/out" && fail=1
		sealctl record image >/dev/null 2>&1 && fail=1
		sealctl send -q --base base --snapshot image >"$T/out" 2>"$T/err" ||
			fail=2
	done
	wait $!
	check "a loop device's image: refused as itself, sent as a snapshot" [ "$fail" -eq 0 ]
	check "no write inside of it failed" [ ! -e "$T/failed" ]
	check "and its filesystem stays writable" touch "$T/inside/end"
	expect 1 "it is named" sealctl record image
	says "by its device" "open for writing by $loop"
	umount "$T/inside"
	losetup -d "$loop"
	check "and consistent" e2fsck -fn image
	rm -f image base
}

cases_live_no_reflink() {
	echo text >file
	expect 1 "snapshot without reflink" sealctl snapshot file copy
	says "is refused" file "cannot share blocks"
	check "nothing is left" [ ! -e copy ]
	rm -f file
}
