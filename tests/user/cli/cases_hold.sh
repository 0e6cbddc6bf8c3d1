# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016 # commands expand their own variables
# Cases: rights, hold, long operations.

# as_user GROUP CMD...: as nobody, in one group
as_user() {
	local group=$1

	shift
	setpriv --reuid 65534 --regid 65534 --groups "$group" "$@"
}

cases_rights() {
	local verb

	chmod 755 .
	echo text >own
	chown 65534:65534 own
	echo text >other
	chmod 644 other
	chgrp disk /dev/seal
	expect 1 "without the right to the node" as_user 65534 sealctl hold own -- true
	says "its group is named" /dev/seal "no permission" '"disk"'
	expect 0 "a member may hold its own file" as_user disk sealctl hold own -- true
	expect 1 "but not another's" as_user disk sealctl hold other -- true
	says "which is said" other "not permitted"
	expect 1 "and make no lasting seal" as_user disk sealctl seal own
	says "the capability is named" CAP_LINUX_IMMUTABLE "sealctl hold"
	sealctl seal own
	expect 1 "nor lift one" as_user disk sealctl unseal own
	says "which is said" own CAP_LINUX_IMMUTABLE
	sealctl unseal own
	sealctl seal --persist own
	for verb in "list --persistent" "unseal --persistent" "forget own" restore \
		"list --persistent --json"; do
		# shellcheck disable=SC2086 # words are wanted
		expect 1 "who may not read the records: $verb" as_user disk sealctl $verb
		says "is told to be root" /var/lib/seal "be root"
		check "and nothing that it cannot know" [ -z "$OUT" ]
		refute "nor in a message" grep -q "not recorded" "$T/err"
	done
	sealctl unseal own
	mkdir below
	cp own below/own
	sealctl seal --persist below/own
	sealctl unseal below/own
	mv own elsewhere
	rm -r below
	expect 0 "forget a missing file by a relative path" sealctl forget own
	expect 0 "also if its directory is missing" sealctl forget ./below/own
	check "there is no record left" [ -z "$(sealctl list --persistent)" ]
	expect 1 "it is not recorded any more" sealctl forget own
	says "which is said" own "not recorded"
	mv elsewhere own
	chgrp root /dev/seal
	expect 1 "with a node for root alone" as_user disk sealctl info
	says "an administrator is asked for" "no permission" "seal(4)"
	rm -f own other
}

cases_hold() {
	local pid fd

	dd if=/dev/zero of=file bs=64k count=1 conv=fsync status=none
	truncate -s 1M sparse
	expect 7 "hold exits with the status of its command" sealctl hold file -- sh -c 'exit 7'
	expect 143 "or with its signal" sealctl hold file -- sh -c 'kill -TERM $$'
	expect 137 "also with SIGKILL" sealctl hold file -- sh -c 'kill -KILL $$'
	expect 127 "a command that is not there" sealctl hold file -- /no/such/command
	says "is named" /no/such/command
	expect 126 "a command that cannot be run" sealctl hold file -- /etc/passwd
	expect 0 "the command sees a sealed file" sealctl hold file -- sealctl status -q file
	expect 1 "afterwards it is not" sealctl status -q file
	expect 1 "the command inherits no session" \
		sealctl hold file -- sh -c 'ls -l /proc/self/fd | grep /dev/seal'
	expect 1 "a requirement that is not met" \
		sealctl hold --require allocated sparse -- touch ran
	says "is explained" sparse '"allocated"'
	check "the command did not run" [ ! -e ran ]
	expect 0 "options of the command are its own" \
		sealctl hold --require written file -- sh -c 'true' --require x
	expect 0 "two files" sealctl hold file sparse -- sealctl status -q file sparse

	sealctl hold file -- sleep 100 &
	pid=$!
	check "held in the background" until_true sealctl status -q file
	sealctl seal file
	check "two holders" [ "$(status_of file .holders)" = 2 ]
	expect 0 "unseal drops the lasting one" sealctl unseal file
	says "and says that it stays sealed" file "stays sealed" "1 other"
	check "not sticky" [ "$(status_of file .sticky)" = false ]
	expect 1 "to unseal what only a program holds fails" sealctl unseal file
	says "which is named, and what to do" file "no lasting seal" \
		"process $pid (sealctl) holds" "sealctl revoke file"
	refute "no seal was lifted" grep -q "is lifted" "$T/err"
	check "it is still held" [ "$(status_of file .holders)" = 1 ]
	kill -TERM "$pid"
	wait "$pid"
	fd=$?
	check "SIGTERM goes to the command" [ "$fd" -eq 143 ]
	expect 1 "then it is not sealed" sealctl status -q file

	sealctl hold file -- sh -c 'echo $$ >child; exec sleep 100' &
	pid=$!
	check "held again" until_true test -s child
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	check "SIGKILL of sealctl releases the file" until_true sh -c '! sealctl status -q file'
	check "the command lives on" kill "$(<child)"
	rm -f file sparse child
}

# Does sparse data read as zeroes, as it did before
reads_as_zeroes() {
	cmp -n "$(stat -c %s "$1")" "$1" /dev/zero
}

# Has the first part of a file been written?
# shellcheck disable=SC2317 # called through until_true
begun() {
	[ "$(status_of "$1" .bytes.written)" -gt 0 ]
}

cases_long() {
	local status=0 terminal pid

	terminal=$(command -v script)
	truncate -s 384M long
	# The shell may have been started with SIGINT ignored.
	env --default-signal=INT \
		sealctl prealloc --written long >"$T/out" 2>"$T/err" &
	pid=$!
	until_true begun long
	kill -INT "$pid" 2>/dev/null
	wait "$pid" || status=$?
	# shellcheck disable=SC2034 # "says" reads it
	ERR=$(<"$T/err")
	if [ "$status" -eq 0 ]; then
		skip "Ctrl-C during prealloc: it was done already"
	else
		check "Ctrl-C during prealloc fails" [ "$status" -eq 1 ]
		says "what to do is said" long "interrupted" "continues"
		check "the size is the same" [ "$(stat -c %s long)" -eq $((384 << 20)) ]
		check "a part is done" [ "$(status_of long .bytes.written)" -gt 0 ]
		check "the rest is not" [ "$(status_of long .bytes.hole)" -gt 0 ]
	fi
	if [ -n "$terminal" ]; then
		expect 0 "prealloc continues, with a bar on a terminal" \
			script -qec 'sealctl prealloc --written long' /dev/null
	else
		expect 0 "prealloc continues" sealctl prealloc --written long
	fi
	if [[ $OUT == *"[#"*"ETA"* ]]; then
		ok "the bar was drawn"
	else
		skip "the bar: no script(1), or it took less than half a second"
	fi
	check "everything is written" [ "$(status_of long .bytes.written)" -eq $((384 << 20)) ]
	check "contents are the same" reads_as_zeroes long
	if [ -n "$terminal" ]; then
		expect 0 "map on a terminal" script -qec 'sealctl map long' /dev/null
		prints "draws a picture" "*[[]####*"
	else
		skip "map on a terminal: no script(1)"
	fi
	expect 0 "map elsewhere" sealctl map long
	refute "draws none" grep -qF "[#" "$T/out"
	rm -f long
}
