# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: command line, messages, ranges, seals, JSON.

cases_without_module() {
	local verb

	expect 0 "--help succeeds" sealctl --help
	prints "and prints to stdout" "usage:*"
	expect 0 "--version succeeds" sealctl --version
	expect 2 "no verb: usage" sealctl
	says "usage goes to stderr" "usage:"
	expect 2 "unknown verb: usage" sealctl frobnicate
	says "it is named" "frobnicate"
	for verb in info prealloc unshare seal unseal status hold map diff \
		snapshot send receive record verify offset swapfile export unexport list monitor revoke \
		restore forget; do
		expect 0 "$verb --help succeeds" sealctl "$verb" --help
		expect 2 "$verb --no-such-option: usage" sealctl "$verb" --no-such-option
	done
	for verb in prealloc unshare seal unseal status hold map diff snapshot send \
		receive record offset swapfile export unexport revoke forget; do
		expect 2 "$verb without a file: usage" sealctl "$verb"
	done
	expect 2 "hold without a command: usage" sealctl hold file --
	expect 1 "info without the module" sealctl info
	says "the remedy is named" /dev/seal "not loaded" "modprobe seal"
	for verb in list monitor; do
		expect 1 "$verb without the module" sealctl "$verb"
		says "the remedy is named" /dev/seal "not loaded" "modprobe seal"
	done
	echo text >"$T/file"
	expect 1 "status without the module" sealctl status "$T/file"
	# /seal is on ext4
	echo text >"$SEAL_TREE/file.tmp"
	expect 0 "map works without the module" sealctl map "$SEAL_TREE/file.tmp"
	expect 0 "map --json, too" sealctl map --json "$SEAL_TREE/file.tmp"
	holds "which does not guess" '.in_place_bytes == null and (.extents | length) == 1'
	rm -f "$SEAL_TREE/file.tmp"
}

cases_module() {
	local file

	modprobe -r xfs 2>/dev/null
	expect 0 "info without the module of a filesystem" sealctl info
	prints "says that it is not loaded, and what to do" \
		'*xfs *not loaded *modprobe xfs*'
	modprobe xfs
	expect 0 "info" sealctl info
	prints "knows it then" '*xfs *supported *'
	expect 0 "info --json" sealctl info --json
	holds "info names both filesystems" \
		'[.filesystems[].name] | contains(["xfs", "ext4"])'
	holds "info has the documented members" \
		'keys == ["abi", "disabled", "disarmed", "features", "filesystems", "library_abi", "log_only", "version"]'
	holds "nothing is sealed" '[.filesystems[].sealed] | add == 0'
	expect 2 "info takes no argument" sealctl info xfs

	echo text >"$T/file"
	expect 1 "tmpfs cannot be sealed" sealctl seal "$T/file"
	says "which is said" "$T/file" "cannot be sealed" "sealctl info"
	expect 1 "a directory cannot be sealed" sealctl seal "$T"
	says "which is said" "$T" "directory"
	mkfifo "$T/fifo"
	expect 1 "a FIFO does not hang it" timeout 10 sealctl seal "$T/fifo"
	says "and is named" "FIFO"
	expect 1 "a device is not opened" sealctl status /dev/zero
	says "and is named" "character device"
	expect 1 "a missing file" sealctl seal "$T/none"
	says "is named" "$T/none" "No such file"
	for file in "" x 1x -1 1.5G 9999999T; do
		expect 2 "\"$file\" is no size" sealctl prealloc -l "$file" "$T/file"
	done
	expect 2 "a length of 0 is refused" sealctl prealloc -l 0 "$T/file"
	expect 2 "\"nonsense\" is no requirement" sealctl seal --require nonsense "$T/file"
	expect 1 "lost output is a failure" bash -c 'sealctl info >/dev/full'
}

cases_range() {
	local sum verb

	truncate -s 4M sparse
	expect 0 "prealloc of a range" sealctl prealloc -o 1M -l 1024K sparse
	expect 0 "map --json" sealctl map --json sparse
	holds "exactly that range is allocated" \
		'[.extents[] | select(.state == "unwritten")] | (map(.length) | add) == 1048576 and .[0].offset == 1048576'
	holds "bytes add up to the size" '.bytes | add == 4194304'
	holds "extents have the documented members" \
		'.extents[0] | keys == ["flags", "length", "offset", "physical", "state"]'
	dd if=/dev/urandom of=sparse bs=64k count=4 seek=3 conv=notrunc status=none
	sum=$(md5sum <sparse)
	expect 0 "prealloc --written" sealctl prealloc --written sparse
	expect 0 "status --json" sealctl status --json sparse
	holds "everything is written" '.files[0].bytes == {written: 4194304, unwritten: 0, shared: 0, hole: 0}'
	check "contents are the same" [ "$(md5sum <sparse)" = "$sum" ]
	expect 0 "prealloc beyond the end" sealctl prealloc -l 5M sparse
	check "extends the file" [ "$(stat -c %s sparse)" -eq $((5 << 20)) ]
	expect 0 "prealloc -n beyond the end" sealctl prealloc -n -o 5M -l 1M sparse
	check "keeps the size" [ "$(stat -c %s sparse)" -eq $((5 << 20)) ]
	expect 0 "unshare of what is not shared" sealctl unshare sparse
	: >empty
	expect 0 "prealloc of an empty file" sealctl prealloc --written empty
	expect 0 "seal --prepare of an empty file" sealctl seal --prepare empty
	expect 0 "unseal of an empty file" sealctl unseal empty
	rm -f sparse empty
	truncate -s 1T huge
	for verb in "seal --prepare" prealloc "prealloc --written"; do
		# shellcheck disable=SC2086 # words are wanted
		expect 1 "what cannot fit: $verb" sealctl $verb huge
		says "is refused beforehand" huge "needs 1.0 TiB" "nothing was done"
		check "nothing is allocated" [ "$(stat -c %b huge)" -eq 0 ]
	done
	truncate -s 64K small
	expect 1 "nor is a file before it prepared" sealctl seal --prepare small huge
	check "nothing is allocated" [ "$(stat -c %b small)" -eq 0 ]
	rm -f huge small
	cases_space
}

# What does not fit as a whole is refused before the first file is changed.
cases_space() {
	local free verb kept

	# three fifths of the space each: one fits, two do not
	sync
	free=$(stat -f -c '%f * %S / 5' .)
	truncate -s $((free * 3 & ~1048575)) one two
	for verb in "seal --prepare" prealloc "prealloc --written"; do
		# shellcheck disable=SC2086 # words are wanted
		expect 1 "two that fit alone, but not together: $verb" sealctl $verb one two
		says "need, space and remedy are named" "one and 1 other on its filesystem" \
			"together they need" "free; make room first" "nothing was done to any file"
		check "neither is changed" [ "$(stat -c %b one two | tr '\n' ' ')" = "0 0 " ]
	done
	expect 1 "so says the dry run" sealctl seal --dry-run --prepare one two
	prints "of the whole" "*would fail: one and 1 other on its filesystem*"
	refute "and promises nothing of a part" grep -q "would succeed" "$T/out"
	truncate -s 64K "$SEAL_TREE/file.tmp"
	expect 1 "a file of another filesystem beside them" \
		sealctl prealloc "$SEAL_TREE/file.tmp" one two
	says "is not counted with them" "one and 1 other"
	check "nor changed" [ "$(stat -c %b "$SEAL_TREE/file.tmp")" -eq 0 ]
	rm -f "$SEAL_TREE/file.tmp"
	expect 1 "a name that is missing is found first" sealctl prealloc one none
	says "and named" none "No such file"
	check "nothing is changed either" [ "$(stat -c %b one)" -eq 0 ]
	ln one again
	expect 0 "a file counts once, whatever its names" sealctl prealloc one again one
	check "it is allocated" [ "$(stat -c %b one)" -gt 0 ]
	rm -f one two again
	sync
	if [[ $SEAL_TARGET == ext4* ]]; then
		kept=$(cat "/sys/fs/ext4/${SEAL_DEV##*/}/reserved_clusters")
		check "ext4 keeps some blocks for itself" [ "$kept" -gt 1 ]
		free=$(stat -f -c '%f * %S - %S' .)
		truncate -s $((free)) most
		expect 1 "blocks that ext4 keeps for itself are not free" sealctl prealloc most
		says "it is refused beforehand" most "nothing was done"
		check "nothing is allocated" [ "$(stat -c %b most)" -eq 0 ]
		rm -f most
	fi
}

# What a table for people does not show must not change either.
map_of() {
	sealctl map --json "$1" | jq -c .extents
}

cases_seal() {
	local before name fd

	truncate -s 1M sparse
	dd if=/dev/zero of=full bs=1M count=1 conv=fsync status=none
	before=$(map_of sparse)

	expect 1 "a requirement that is not met" sealctl seal --require allocated sparse
	says "file, requirement, range, state and remedy are named" sparse \
		'"allocated"' "1048576 bytes at offset 0" "state hole" \
		"sealctl prealloc --written sparse"
	expect 1 "nothing is sealed" sealctl status -q sparse
	expect 1 "two files, the second does not meet it" \
		sealctl seal --require allocated full sparse
	says "the second is named" "sparse: requirement" "none of the files"
	expect 1 "neither is sealed" sealctl status -q full
	expect 1 "too many extents" sealctl seal --require extents=0 full
	says "which is said" "full" '"extents"' "at most 0"

	expect 1 "--dry-run: would fail" sealctl seal --dry-run --require allocated sparse
	prints "and says why" "*would fail*allocated*"
	expect 0 "--dry-run --prepare: would succeed" sealctl seal --dry-run --prepare sparse
	prints "and says what it would do" "*allocate 1.0 MiB*would succeed*"
	check "a dry run changes no extent" [ "$(map_of sparse)" = "$before" ]
	expect 1 "a dry run seals nothing" sealctl status -q sparse

	expect 0 "seal of two files" sealctl seal sparse full
	expect 0 "status -q: both are sealed" sealctl status -q sparse full
	check "and prints nothing" [ -z "$OUT$ERR" ]
	check "sealing moved no block" [ "$(map_of sparse)" = "$before" ]
	expect 1 "a store to a hole is refused" \
		dd if=/dev/zero of=sparse bs=4k count=1 conv=notrunc
	says "with ETXTBSY" "Text file busy"
	expect 0 "status --json" sealctl status --json sparse full
	holds "the members are the documented ones" '.files[0] | keys ==
		["broken", "bytes", "device", "digest", "extents", "generation",
		 "granted_bytes", "holders", "in_place_bytes", "path", "refused",
		 "sealed", "size", "sticky"]'
	holds "so are those of bytes" '.files[0].bytes | keys == ["hole", "shared", "unwritten", "written"]'
	holds "values of a sparse file" '.files[0] | .path == "sparse" and .sealed and
		.sticky and .holders == 1 and .size == 1048576 and .extents == 0 and
		.bytes.hole == 1048576 and .in_place_bytes == 0 and .refused >= 1'
	holds "values of a full file" '.files[1] | .bytes.written == 1048576 and
		.in_place_bytes == 1048576 and .extents >= 1'
	holds "digest and device are formatted" '.files[1] |
		(.digest | test("^[0-9a-f]{16}$")) and (.device | test("^[0-9]+:[0-9]+$"))'
	expect 0 "status for people" sealctl status full
	expect 0 "sealing again succeeds" sealctl seal sparse
	check "and adds no holder" [ "$(status_of sparse .holders)" = 1 ]
	expect 0 "--prepare of a sealed file that meets it" sealctl seal --prepare full
	expect 1 "--prepare of a sealed file that does not" sealctl seal --prepare sparse
	says "what can be done is named" "sealed already" "sealctl unseal sparse"
	refute "and nothing that is refused" grep -qF prealloc "$T/err"
	expect 1 "so does the dry run" sealctl seal --dry-run --prepare sparse
	prints "name it" "*sealed already*sealctl unseal sparse*"
	expect 1 "prealloc of a sealed file" sealctl prealloc sparse
	says "the way out is named" "sealctl unseal sparse"
	# by these seals, and by nothing else
	release_gates
	expect 1 "rmmod of the busy module" rmmod seal
	keep_gates
	expect 0 "unseal" sealctl unseal sparse full
	expect 1 "status -q: not sealed" sealctl status -q full
	expect 0 "unseal of what is not sealed" sealctl unseal full

	name=$(printf 'caf\351 "\n\134')
	cp full "$name"
	expect 0 "a name that is not UTF-8" sealctl status --json "$name"
	holds "is valid JSON" '.files[0].path | startswith("caf")'
	expect 0 "a name that begins with a dash" bash -c 'cp full ./-n; sealctl status -- -n'

	exec {fd}<full
	expect 0 "seal" sealctl seal full
	rm full
	expect 0 "unlinked, it is reached by descriptor" sealctl status -q "/dev/fd/$fd"
	expect 0 "and unsealed" sealctl unseal "/dev/fd/$fd"
	exec {fd}<&-

	# they count claims
	release_gates
	cases_orphans
	keep_gates
	mkdir many
	(cd many && seq 1 200 | xargs touch)
	expect 0 "200 files, more than the soft limit on open files" \
		bash -c 'ulimit -Sn 64; sealctl seal many/*'
	expect 0 "all are sealed" bash -c 'ulimit -Sn 64; sealctl status -q many/*'
	expect 0 "all are unsealed" sealctl unseal many/*
	# shellcheck disable=SC2046 # words are wanted
	expect 1 "more files than one step takes" sealctl seal $(seq 1 1025)
	says "which is said" "1025" "1024"
	rm -rf many sparse full ./-n "$name"
}

# claim_of FILE: the number of its lasting claim, by inode
claim_of() {
	sealctl list --json | jq ".claims[] | select(.inode == $(stat -c %i "$1")) | .claim"
}

# No path leads to the file any more: its seal must be found all the same.
cases_orphans() {
	local claim fd free holder

	dd if=/dev/urandom of=gone bs=1M count=8 conv=fsync status=none
	cp gone "$T/new"
	sealctl seal gone
	claim=$(claim_of gone)
	expect 0 "list shows claim, device and inode" sealctl list
	prints "for people as well" "*$claim *$(stat -c %Hd:%Ld/%i gone)*"
	rm gone
	sync
	free=$(stat -f -c %a .)
	expect 1 "status of the removed file" sealctl status gone
	says "the seal is found" "No such file" "is still sealed" "unseal --claim $claim"
	expect 1 "unseal of the removed file" sealctl unseal gone
	says "the seal is found" "is still sealed" "unseal --claim $claim"
	expect 1 "a claim that is not there" sealctl unseal --claim 999999
	says "which is said" "no such claim"
	expect 2 "no number" sealctl unseal --claim x
	expect 2 "neither with a blank" sealctl unseal --claim " $claim"
	# a file that is opened must not become a standard stream
	expect 1 "without standard input" sealctl verify -m /proc/self/fd/0 <&-
	says "it is there, and empty" "not a manifest"
	expect 0 "unseal by its claim" sealctl unseal --claim "$claim"
	check "it is gone from the list" [ "$(sealctl list --json | jq '.claims | length')" = 0 ]
	sync
	check "its space is free" [ "$(stat -f -c %a .)" -gt "$free" ]
	expect 1 "no second time" sealctl unseal --claim "$claim"

	cp "$T/new" here
	sealctl seal here
	claim=$(claim_of here)
	cp "$T/new" other
	mv other here
	expect 0 "status of a path with another file" sealctl status here
	prints "that one is not sealed" "here: not sealed*"
	says "and the former one is" here "had this name before" "unseal --claim $claim"
	expect 1 "quiet is quiet" sealctl status -q here
	check "about it as well" [ -z "$OUT$ERR" ]
	expect 0 "unseal of a path with another file" sealctl unseal here
	says "says that the former one is sealed" "had this name before" "--claim $claim"
	expect 0 "which that lifts" sealctl unseal --claim "$claim"

	exec {fd}<here
	rm here
	expect 0 "seal of a file without a name" sealctl seal "/dev/fd/$fd"
	says "says how to lift that" "no name" "unseal --claim"
	claim=$(sealctl list --json | jq '.claims[0].claim')
	exec {fd}<&-
	expect 0 "so it is" sealctl unseal --claim "$claim"

	cp "$T/new" held
	sealctl hold held -- sleep 30 &
	holder=$!
	check "a program holds one" until_true sealctl status -q held
	claim=$(claim_of held)
	expect 1 "its claim ends with it" sealctl unseal --claim "$claim"
	says "which is said" "held by a program"
	kill "$(sealctl list --json | jq '.claims[0].pid')"
	wait "$holder"

	cp "$T/new" renamed
	cp "$T/new" removed
	cp "$T/new" replaced
	cp "$T/new" other
	sealctl seal --persist renamed removed replaced
	mv renamed elsewhere
	rm removed
	mv other replaced
	expect 0 "list --persistent" sealctl list --persistent
	prints "shows where a renamed one is" \
		"*renamed: missing; the recorded file is still sealed, as $PWD/elsewhere, by claim [0-9]*"
	prints "that a removed one is sealed" \
		"*removed: missing; the recorded file is still sealed, but was removed, by claim [0-9]*"
	prints "and takes no other file for a replaced one" \
		"*replaced: replaced; the recorded file is still sealed, but was removed, by claim [0-9]*"
	expect 0 "list --persistent --json" sealctl list --persistent --json
	holds "has the same" ".files | length == 3 and all(.claim > 0) and
		(map(.state) | sort) == [\"missing\", \"missing\", \"replaced\"] and
		(.[] | select(.path | endswith(\"renamed\")) | .sealed_path == \"$PWD/elsewhere\" and (.deleted | not))"
	check "three are sealed" [ "$(sealctl list --json | jq '.claims | length')" = 3 ]
	expect 0 "unseal --persistent" sealctl unseal --persistent
	check "finds all of them" [ "$(sealctl list --json | jq '.claims | length')" = 0 ]
	# To open a device may start or rewind it; who opens a FIFO wakes its writer.
	mkfifo removed
	sh -c 'echo text >removed && touch woken' &
	holder=$!
	expect 0 "a FIFO in the place of a recorded file" sealctl list --persistent
	prints "is not the file" "*removed: missing*"
	expect 0 "unseal --persistent finds none" sealctl unseal --persistent
	check "neither has opened it" [ ! -e woken ]
	kill "$holder"
	wait "$holder" 2>/dev/null
	rm -rf /var/lib/seal elsewhere replaced removed held
	cases_names
}

# What others chose must not pass for a line of ours.
cases_names() {
	local name=$'\e[2Jgood.img: as recorded, sealed\nforged' verb hex

	cp "$T/new" "$name"
	for verb in "status" "map" "seal" "status" "list" "unseal" "verify -m manifest"; do
		if [ "$verb" = list ]; then
			expect 0 "a hostile name: list" sealctl list
		elif [ "$verb" = "verify -m manifest" ]; then
			sealctl record "$name" >manifest
			expect 0 "a hostile name: verify" sealctl verify -m manifest
		else
			expect 0 "a hostile name: $verb" sealctl "$verb" "$name"
		fi
		check "no line of it, no escape" bash -c \
			"! grep -qaE '^(forged|good)|'$'\e' '$T/out' '$T/err'"
	done
	expect 1 "in an error message" sealctl seal "$name/none"
	says "it is escaped" '\033[2Jgood.img' 'sealed\012forged'
	sealctl seal "$name"
	check "list -0 has it as it is" [ "$(sealctl list -0 | tr '\0' @)" = "$PWD/$name@" ]
	check "list --paths has it in a line" [ "$(sealctl list --paths | wc -l)" = 1 ]
	sealctl unseal "$name"
	rm -f "$name"
	# U+009B begins a command to the terminal, U+202E turns the text around
	name=$'a\302\2332J\342\200\256b\177'
	cp "$T/new" "$name"
	expect 0 "the same in JSON" sealctl status --json "$name"
	holds "it is the name" ".files[0].path == \"a\\u009b2J\\u202eb\\u007f\""
	refute "and no terminal acts on it" grep -qaE $'\302\233|\342\200|\177' "$T/out"
	rm -f "$name"
	name=$'caf\351'
	cp "$T/new" "$name"
	hex=$(printf %s "$name" | od -An -tx1 | tr -d ' \n')
	expect 0 "a name that is not UTF-8, for programs" sealctl status --json "$name"
	holds "is exact" ".files[0].path_hex == \"$hex\""
	sealctl record "$name" >manifest
	expect 0 "recorded, it is found again" sealctl verify -m manifest
	expect 0 "by its name, too" sealctl verify -m manifest "$name"
	rm -f "$name" manifest
}

cases_reflink() {
	dd if=/dev/urandom of=a bs=1M count=1 conv=fsync status=none
	cp --reflink=always a b
	expect 1 "a shared file is not unshared" sealctl seal --require unshared a
	says "the remedy is named" '"unshared"' "state shared" "sealctl unshare a"
	rm b
	sync
	expect 0 "unshare" sealctl unshare a
	expect 0 "ends the copy-on-write state, too" sealctl seal --require unshared a
	check "every byte is in place" [ "$(status_of a .in_place_bytes)" = 1048576 ]
	sealctl unseal a
	cp --reflink=always a b
	truncate -s 2M a
	expect 0 "--dry-run --prepare of a shared file" sealctl seal --dry-run --prepare a
	prints "counts allocation and sharing" \
		"*allocate 1.0 MiB, unshare 1.0 MiB, write 1.0 MiB*"
	expect 0 "--prepare of a shared file with a hole" sealctl seal --prepare a
	check "every byte is in place" [ "$(status_of a .in_place_bytes)" = 2097152 ]
	sealctl unseal a
	rm -f a b
	cases_space_shared
}

# Copies of shared blocks take space as well.
cases_space_shared() {
	local file verb

	for file in a c; do
		dd if=/dev/zero of=$file bs=1M count=200 conv=fsync status=none
	done
	cp --reflink=always a b
	cp --reflink=always c kept
	sync
	fallocate -l $(($(stat -f -c '%f * %S' .) - (300 << 20))) fill
	sync
	for verb in unshare "seal --prepare" "seal --dry-run --prepare"; do
		# shellcheck disable=SC2086 # words are wanted
		expect 1 "copies of what others share do not fit: $verb" sealctl $verb a c
		[[ $OUT$ERR == *"a and 1 other"*"need 400.0 MiB"* ]]
		check "which is said" [ $? -eq 0 ]
	done
	check "nothing is unshared" [ "$(status_of a .bytes.shared)" -eq $((200 << 20)) ]
	expect 0 "of blocks that only two share, one copy is enough" \
		sealctl seal --prepare a b
	check "all of it is in place" [ "$(status_of b .in_place_bytes)" -eq $((200 << 20)) ]
	sealctl unseal a b
	rm -f a b c kept fill
}

# The module lets everything pass: nothing may look as if it were protected.
cases_log_only() {
	dd if=/dev/zero of=full bs=64K count=1 conv=fsync status=none
	truncate -s 64K sparse
	expect 0 "log-only: info" sealctl info
	prints "warns" "*WARNING*log_only=1*changes are NOT refused*"
	expect 0 "info --json" sealctl info --json
	holds "says so" '.log_only'
	expect 0 "seal" sealctl seal full sparse
	says "warns" "the files: sealed in log-only mode" "changes are NOT refused"
	expect 0 "status" sealctl status full
	prints "begins with it" "full: sealed in log-only mode (changes are NOT refused), 1 holder, lasting*"
	prints "and warns" "*WARNING *log_only=1: changes are NOT refused*"
	refute "it is not broken yet" grep -q BROKEN "$T/out"
	expect 1 "status -q: it does not protect" sealctl status -q full
	check "and prints nothing" [ -z "$OUT$ERR" ]
	expect 0 "status --json" sealctl status --json full
	holds "has a warning" '.files[0] | .sealed and .broken == 0 and
		(.warnings | length == 1) and (.warnings[0] | contains("NOT refused"))'
	expect 0 "list --state log-only" sealctl list --state log-only --json
	holds "has both" '.claims | length == 2 and all(.state == "log-only")'
	expect 0 "list" sealctl list
	prints "warns" "*log-only*WARNING*changes of these files are NOT refused*"

	expect 0 "a change passes" fallocate -l 4096 sparse
	expect 0 "status" sealctl status sparse
	prints "does not say that it was refused" \
		"*refused *[1-9]* would have been; all of them passed*"
	prints "but that the map changed" "*BROKEN: the map changed*this mode lets pass*"
	prints "and still begins with the mode" "sparse: sealed in log-only mode (changes are NOT refused)*"
	expect 1 "status -q" sealctl status -q sparse
	expect 0 "list --state log-only" sealctl list --state log-only --json
	holds "has the changed one as well" '.claims | length == 2'
	expect 0 "list" sealctl list
	prints "says broken, and why" "* broken *WARNING*log_only=1*"
	echo text >watched
	check "a monitor is started" monitor_start
	expect 0 "another change passes" fallocate -o 8192 -l 4096 sparse
	check "which is told as such" until_true monitored \
		" refused $PWD/sparse operation [a-z]* passed log-only"
	monitor_stop
	expect 0 "unseal" sealctl unseal full sparse
	check "without a seal there is nothing to say" \
		bash -c '! sealctl status full | grep -q "log-only\|log_only"'
	expect 0 "hold of a file that changes meanwhile" sealctl hold sparse -- \
		fallocate -o 16384 -l 4096 sparse
	says "says that it was not protected" sparse "sealed in log-only mode" \
		"changed while the command ran" "refuses nothing"
	expect 1 "seal --persist is refused" sealctl seal --persist full
	refute "and does not say that it is sealed" grep -q "sealed in log-only" "$T/err"
	expect 1 "nor is it" sealctl status -q full
	check "there is no claim" [ "$(sealctl list --json | jq '.claims | length')" = 0 ]
	rm -f full sparse watched
}
