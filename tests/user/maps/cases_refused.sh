# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: deltas that must not be received, files that cannot be sent.

# what_is FILE: everything that a refused delta must leave as it was
what_is() {
	stat -c '%i %s %y %a' "$1"
	sha256sum <"$1"
	getfattr -d --absolute-names "$1"
}

# refused WHAT TEXT DELTA FILE: in both ways, with TEXT in the message
refused() {
	local what=$1 text=$2 delta=$3 file=$4 way before

	before=$(what_is "$file")
	for way in '' --in-place; do
		# shellcheck disable=SC2086 # one option or none
		if sealctl receive $way "$delta" "$file" 2>"$T/err"; then
			nok "$what $way: it was received"
			return
		fi
		grep -qF -- "$text" "$T/err" || {
			nok "$what $way: $(<"$T/err")"
			return
		}
		[ "$(what_is "$file")" = "$before" ] || {
			nok "$what $way: the file was changed"
			return
		}
	done
	rm -f ".$file.seal-receive"
	ok "$what"
}

cut_short() {
	local size length

	size=$(stat -c %s d2)
	for length in 1 12 119 120 150 192 5000 $((size - 73)) $((size - 72)) $((size - 1)); do
		head -c "$length" d2 >bad
		refused "cut to $length of $size bytes" "cut short" bad base
	done
	: >bad
	refused "empty" "cut short" bad base
	{ cat d2 && echo; } >bad
	refused "something follows" "damaged" bad base
}

altered() {
	local size at byte bad=0 before

	size=$(stat -c %s d2)
	before=$(what_is base)
	# Samples; tests/user/unit changes every byte.
	for at in 12 70 112 124 150 $(seq 192 "$STEP" $((size - 1))) \
		$((size - 64)); do
		cp d2 bad
		byte=$(printf '%03o' $(($(od -An -tu1 -j "$at" -N 1 d2) ^ 0x41)))
		# shellcheck disable=SC2059 # it is made of digits
		printf "\\$byte" | dd of=bad bs=1 seek="$at" conv=notrunc status=none
		if sealctl receive -q bad base 2>/dev/null ||
			sealctl receive -q --in-place bad base 2>/dev/null; then
			echo "altered at $at: received"
			bad=$((bad + 1))
		fi
	done
	[ "$(what_is base)" = "$before" ] || bad=$((bad + 1))
	check "altered anywhere, it is refused and the file left alone" [ "$bad" -eq 0 ]
	# Without changes the loop would have received it: a control.
	cp --reflink=always --preserve=xattr,timestamps base control
	expect 0 "the delta itself is good" sealctl receive d2 control
	rm -f bad control .base.seal-receive
}

wrong_base() {
	cp --reflink=always --preserve=xattr,timestamps base twice
	expect 0 "received once" sealctl receive d2 twice
	refused "received twice" "already" d2 twice
	refused "a full one, twice" "already" d1 base
	cp --reflink=always base stranger
	refused "a file that was never received" "not known to be the base" d2 stranger
	cp --reflink=always --preserve=xattr,timestamps base changed
	patch_file changed 700
	refused "a base that was written to" "not known to be the base" d2 changed
	truncate -s 100000 changed
	refused "a base of another size" "bytes" d2 changed
	sealctl send -q stranger >d7
	sealctl receive -q d7 another
	refused "another file's contents" "the delta is for" d2 another
	expect 1 "no file at all" sealctl receive d2 none
	says "which is said" "no such file"
	check "none is made" [ ! -e none ]

	# Who sets the clock back is found out by hashes only.
	cp --reflink=always --preserve=xattr,timestamps base forged
	patch_file forged 5
	touch -r base forged
	expect 0 "with hashes of what is replaced" sealctl send --check ranges --base s1 s2
	cp "$T/out" d8
	refused "a base with another time's contents" "at offset 20480" d8 forged
	cp --reflink=always --preserve=xattr,timestamps base forged
	patch_file forged 300
	touch -r base forged
	expect 0 "with whole hashes" sealctl send --check all --base s1 s2
	cp "$T/out" d8
	refused "the same beside what is replaced" "contents are not those" d8 forged
	rm -f twice stranger changed another forged d7 d8
}

interrupted() {
	local size

	size=$(stat -c %s d2)
	cp --reflink=always --preserve=xattr,timestamps base part
	head -c $((size - 80)) d2 >bad
	expect 1 "a transfer that breaks off" sealctl receive bad part
	same "leaves the file alone" base part
	expect 0 "is continued" sealctl receive d2 part
	says "from where it was" "received before"
	same "to the end" s2 part

	# The file size limit kills it in the middle, like a crash.
	cp --reflink=always --preserve=xattr,timestamps base part
	expect 153 "an update in place that is killed" bash -c \
		'ulimit -f 2000; sealctl receive --in-place d2 part'
	expect 5 "another delta is refused then" sealctl receive --in-place d6 part
	says "and why" "interrupted" "same delta"
	expect 5 "the same, not in place, too" sealctl receive d2 part
	expect 0 "the same one in place continues" sealctl receive --in-place d2 part
	same "to the end" s2 part
	check "nothing is left beside" [ ! -e .part.seal-receive ]
	rm -f part bad
}

sending() {
	local pid status=0

	cp --reflink=always s1 unsent
	expect 5 "a base that was never sent" sealctl send --base unsent s2
	says "which is said" "never sent"
	patch_file unsent 1
	mkfifo pipe
	dd if=/dev/urandom of=busy bs=64k count=32 conv=fsync status=none
	sealctl send busy >pipe 2>"$T/err" &
	pid=$!
	{
		dd bs=120 count=1 status=none >busy.delta
		sleep 0.5
		patch_file busy 200
		cat >>busy.delta
	} <pipe
	wait "$pid" || status=$?
	check "a file that is written to is not sent" [ "$status" -eq 1 ]
	# shellcheck disable=SC2034 # says looks at it
	ERR=$(<"$T/err")
	says "which is said" "for writing"
	expect 1 "what came of it" sealctl receive busy.delta none
	says "has no end" "cut short"
	rm -f unsent pipe busy busy.delta .none.seal-receive

	cp --reflink=always --preserve=xattr,timestamps base held
	sealctl seal held
	expect 1 "a sealed file, in place" sealctl receive --in-place d2 held
	says "which is said" "busy"
	sealctl unseal held
	rm -f held
	expect 2 "--check ranges without a base" sealctl send --check ranges s1
	expect 2 "another check" sealctl send --check some --base s1 s2
	expect 2 "no level" sealctl send -z0 s1
	expect 1 "what is no delta" sealctl receive s1 none
	says "which is said" "not a delta"
}

# Goes on with s1, s2, d1 and d2 of cases_delta.
cases_refused() {
	sealctl receive -q d1 base
	cp --reflink=always live s9
	sealctl send -q --base s2 s9 >d6
	cut_short
	altered
	wrong_base
	interrupted
	sending
	rm -f base copy copy2 live s1 s2 s9 d1 d2 d6
}
