# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: list and monitor.

# monitored PATTERN: a line of the monitor's output matches, sooner or later
# shellcheck disable=SC2317 # called through until_true
monitored() {
	grep -q -- "$1" "$T/monitor"
}

# monitor_start ARG...: with its output in $T/monitor; ready when this returns.
# A probe file is sealed until the monitor tells of it.
monitor_start() {
	sealctl monitor "$@" >"$T/monitor" 2>"$T/monitor-err" &
	MONITOR=$!
	until_true monitor_listens
}

# shellcheck disable=SC2317 # called through until_true
monitor_listens() {
	sealctl hold watched -- true && grep -q unsealed "$T/monitor"
}

monitor_stop() {
	kill "$MONITOR" 2>/dev/null
	wait "$MONITOR" 2>/dev/null
}

cases_list() {
	local dir

	dir=$(pwd -P)
	echo text >'a file'
	truncate -s 64K 'large'
	expect 0 "nothing is sealed: list" sealctl list
	expect 0 "list --json" sealctl list --json
	holds "is empty" '.claims == []'
	check "two files are sealed" sealctl seal 'a file' large
	expect 0 "list" sealctl list
	prints "shows them, blanks escaped" "*$dir/a\\\\040file [0-9]*:*/[0-9]*; -*"
	expect 0 "list --json" sealctl list --json
	holds "has the documented members" \
		'.claims[0] | keys == ["broken", "claim", "command", "deleted",
		"device", "extents", "holders", "in_place_bytes", "inode", "path",
		"pid", "refused", "require_allocated", "require_extents",
		"require_unshared", "require_written", "since_ns", "size", "state",
		"sticky", "uid"]'
	holds "and both files" ".claims | map(.path) | sort == [\"$dir/a file\", \"$dir/large\"]"
	holds "which are sealed for good" '.claims | all(.state == "sealed" and .sticky and .command == "sealctl")'
	expect 0 "--sort size" sealctl list --sort size --json
	holds "has the largest first" '.claims[0].size == 65536'
	expect 0 "--sort path" sealctl list --sort path --json
	holds "goes by the alphabet" '.claims | map(.path) == (map(.path) | sort)'
	refute "a truncate is refused" truncate -s 0 large
	expect 0 "--sort refused" sealctl list --sort refused --json
	holds "has that file first" '.claims[0] | .size == 65536 and .refused == 1'
	expect 0 "--mount of the same filesystem" sealctl list -m . --json
	holds "has both" '.claims | length == 2'
	expect 0 "--mount of another one" sealctl list --mount /proc --json
	holds "has none" '.claims == []'
	expect 0 "--state sticky" sealctl list --state sticky --json
	holds "has both" '.claims | length == 2'
	expect 0 "--state broken" sealctl list --state broken --json
	holds "has none" '.claims == []'
	# shellcheck disable=SC2016 # for the inner shell
	expect 0 "--pid of a holder" sealctl hold --require extents=9,allocated 'a file' -- \
		sh -c 'exec sealctl list --json --pid $PPID'
	holds "has its claim only" '.claims | length == 1 and .[0].holders == 2 and
		.[0].require_extents == 9 and .[0].require_allocated and
		(.[0].require_written | not) and (.[0].sticky | not)'
	expect 2 "an unknown state is refused" sealctl list --state frozen
	says "and the known ones named" "frozen" "broken"
	expect 2 "an unknown order is refused" sealctl list --sort colour
	says "and the known ones named" "colour" "refused"
	expect 2 "what is no process is refused" sealctl list --pid 12x
	expect 1 "a mount that is not there is refused" sealctl list -m none
	expect 2 "list takes no argument" sealctl list large
	check "the lasting seals are lifted" sealctl unseal 'a file' large
	expect 0 "a file is removed while it is held" sealctl hold large -- \
		sh -c 'rm large; exec sealctl list'
	prints "which the list shows" "*$dir/large [0-9]*:*/[0-9]* (deleted); -*"
	rm -f 'a file'
}

# shellcheck disable=SC2034 # holds looks at OUT
cases_monitor() {
	local dir file

	dir=$(pwd -P)
	echo text >watched
	echo text >other
	check "a monitor is started" monitor_start
	check "a file is sealed" sealctl seal other
	check "which is told" until_true monitored " sealed $dir/other holders 1 sticky holder pid "
	refute "a truncate is refused" truncate -s 0 other
	check "which is told" until_true monitored " refused $dir/other operation truncate acting pid .* command truncate"
	refute "a write is refused" sh -c 'echo more >>other'
	check "which is told" until_true monitored " refused $dir/other operation write"
	check "a file is unsealed" sealctl unseal other
	check "which is told" until_true monitored " unsealed $dir/other why call holders 0"
	monitor_stop

	check "a monitor of one file is started" monitor_start --json watched
	check "another one is sealed" sealctl hold other -- true
	check "and this one" sealctl hold watched -- true
	# shellcheck disable=SC2016 # for the inner shell
	check "which is told to its end" until_true sh -c \
		'tail -n 1 "$1" | jq -e ".event == \"unsealed\""' sh "$T/monitor"
	refute "the other is not told" monitored other
	OUT=$(<"$T/monitor")
	holds "each names the process of the holder" '.process == "holder"'
	holds "each line is an object" 'has("event") and has("serial") and has("path")'
	OUT=$(tail -n 1 "$T/monitor")
	holds "the last of an end of hold" '.event == "unsealed" and .holders == 0 and .command == "sealctl"'
	monitor_stop

	check "a monitor of some events is started" monitor_start -e unsealed
	refute "it tells no others" monitored ' sealed '
	monitor_stop

	expect 2 "an unknown event is refused" sealctl monitor -e sealed,frozen
	says "and the known ones named" "frozen" "refused"
	expect 2 "lost is none to choose" sealctl monitor -e sealed,lost
	says "it is told in any case" lost "whatever the others are"
	expect 1 "a file that is not there is refused" sealctl monitor none
	says "and named" none "No such file"
	echo text >"$T/file"
	for file in . /dev/null "$T/file" /proc/version; do
		expect 1 "$file cannot be sealed: no monitor" timeout 20 sealctl monitor watched "$file"
		says "which is said" "$file"
	done
	# nothing happens any more: it is the pipe that ends it
	check "a closed pipe ends it" timeout 20 bash -c \
		'set -o pipefail; sealctl monitor | true'
	check "also one that closes after the first line" timeout 20 bash -c \
		'set -o pipefail
		(for i in 1 2 3 4 5; do sleep 0.5; sealctl hold watched -- true; done) &
		sealctl monitor | head -n 1 >/dev/null'
	rm -f watched other
	cases_monitor_names
}

# A sealed file may be renamed, replaced and removed.
cases_monitor_names() {
	local dir

	dir=$(pwd -P)
	echo text >watched
	echo text >before
	echo text >new
	check "a monitor is started" monitor_start
	check "a file is sealed" sealctl seal before
	mv before after
	refute "a truncate is refused" truncate -s 0 after
	check "which is told with its new name" until_true monitored \
		" refused $dir/after operation truncate acting pid "
	expect 1 "status by the old name" sealctl status before
	says "which nothing has" before "No such file"
	expect 0 "status by the new name" sealctl status after
	prints "shows the seal" "after: sealed, 1 holder, lasting*"
	expect 0 "list has the new name" sealctl list --paths
	prints "and that alone" "$dir/after"
	exec 8<>after
	mv new after
	refute "the old file, which was replaced, is still sealed" truncate -s 0 /dev/fd/8
	check "which is told" until_true monitored \
		" refused $dir/after (deleted) operation truncate acting pid "
	expect 0 "status of a file that was replaced" sealctl status /dev/fd/8
	prints "says that it has no name, and what lifts the seal" \
		"/dev/fd/8: sealed*name *none, it was removed*claim *unseal --claim [0-9]*"
	expect 0 "status by the name" sealctl status after
	prints "is about the file that has it now" "after: not sealed*"
	refute "which is not without a name" grep -q "was removed" "$T/out"
	says "and tells of the other" after "had this name before" "unseal --claim"
	ln -s after link
	expect 0 "status through a symbolic link" sealctl status link
	says "tells of it as well" "$dir/after" "had this name before"
	rm after
	expect 1 "also if the link leads to nothing" sealctl status link
	says "it is told" "$dir/after" "had this name before"
	expect 0 "a list of paths" sealctl list --paths
	check "has none that is gone" [ -z "$OUT" ]
	sealctl unseal --claim "$(sealctl list --json | jq '.claims[0].claim')"
	check "the end of the seal is told" until_true monitored \
		" unsealed $dir/after (deleted) why call holders 0 .*holder pid "
	exec 8>&-
	monitor_stop
	echo text >after
	check "a monitor of one file is started" monitor_start --json watched after
	mv after elsewhere
	echo text >after
	check "it follows the file" sealctl hold elsewhere -- true
	check "which is told" until_true monitored "$dir/elsewhere"
	check "and not the name" sealctl hold after -- true
	check "after which" sealctl hold watched -- true
	# shellcheck disable=SC2016 # for the inner shell
	check "the last is told" until_true sh -c \
		'tail -n 1 "$1" | grep -q "/watched.*"' sh "$T/monitor"
	refute "but not the other file of that name" monitored "$dir/after"
	monitor_stop
	rm -f watched after elsewhere link
}

cases_revoke() {
	local pid revoked

	echo text >taken
	expect 0 "revoking what is not sealed" sealctl revoke taken
	prints "which nobody held" "taken: not sealed, nobody holds it"
	check "a file is sealed" sealctl seal taken
	sealctl hold taken -- sh -c 'until [ -e go ]; do sleep 0.1; done' 2>"$T/hold-err" &
	pid=$!
	# shellcheck disable=SC2016 # for the inner shell
	check "and held" until_true sh -c \
		'[ "$(sealctl status --json taken | jq ".files[0].holders")" = 2 ]'
	chgrp disk /dev/seal
	chown 65534:65534 taken
	expect 1 "its owner cannot revoke it" as_user disk sealctl revoke taken
	says "which is said" taken CAP_LINUX_IMMUTABLE
	chgrp root /dev/seal
	touch watched
	check "a monitor is started" monitor_start
	expect 0 "root can" sealctl revoke taken
	revoked=$OUT
	check "each claim that is revoked is told, with its holder" until_true monitored \
		" revoked $PWD/taken .*holder pid $pid uid 0 command sealctl"
	monitor_stop
	OUT=$revoked
	prints "and is told from how many" "taken: taken from 2 holders"
	expect 1 "it is not sealed" sealctl status -q taken
	check "it can be truncated" truncate -s 0 taken
	touch go
	wait "$pid"
	check "hold tells that it did not" grep -q "revoked the seal" "$T/hold-err"
	rm -f taken go watched
}

# The node's group may, others may not.
cases_events_rights() {
	chgrp disk /dev/seal
	expect 0 "the group of the node may list" as_user disk sealctl list
	expect 1 "others may not" as_user nogroup sealctl list
	says "and are told why" /dev/seal "no permission"
	expect 1 "nor may they monitor" as_user nogroup sealctl monitor
	says "and are told why" /dev/seal "no permission"
	expect 1 "not in another network namespace" unshare -n sealctl list
	says "and are told why" "network namespace"
	chgrp root /dev/seal
}
