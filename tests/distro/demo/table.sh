# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The table of the demo: rows, how they are judged, their counts.
#
# A row runs one operation on a sealed file and holds if the outcome is the
# expected one, and if the block map, the size and, unless the operation was
# to write, every byte of the file are what they were.

# Processes are what costs time under emulation: where a shell would do with
# another fork, these functions leave their results in variables.

declare -A MAP SUM
ROWS=0 HELD=0

# Extents with addresses and states, and the size.
file_map() {
	filefrag -v "$1"
}

# remember FILE: from here on the file must stay as it is
remember() {
	MAP[$1]=$(file_map "$1")
	SUM[$1]=$(md5sum <"$1")
}

# outcome STATUS OUTPUT: what a tool's messages amount to, in GOT
outcome() {
	case $1/$2 in
	135/* | *"Bus error"*) GOT=SIGBUS ;;
	# the last is what some versions of xfs_fsr make of it
	*"Text file busy"* | *"the file is sealed"* | *"error -26"*) GOT=ETXTBSY ;;
	*"not supported"* | *unsupported*) GOT=EOPNOTSUPP ;;
	*"is busy"* | *"in use"*) GOT=EBUSY ;;
	*"Failed to "*) GOT=fails ;;
	0/*) GOT=works ;;
	*) GOT="status $1" ;;
	esac
}

# compare FILE WRITES: what is not as it was, in WRONG
compare() {
	local file=$1 writes=$2 sum

	WRONG=
	[ "$(file_map "$file")" = "${MAP[$file]}" ] || WRONG="map or size changed"
	sum=$(md5sum <"$file")
	if [ -n "$writes" ]; then
		SUM[$file]=$sum
	elif [ "$sum" != "${SUM[$file]}" ]; then
		WRONG="${WRONG:+$WRONG, }contents changed"
	fi
}

# print_row OPERATION EXPECTED GOT WRONG COMMAND OUTPUT
print_row() {
	ROWS=$((ROWS + 1))
	printf '  %-52s %-10s %-10s %s\n' "$1" "$2" "$3" "${4:-ok}"
	if [ -z "$4" ]; then
		HELD=$((HELD + 1))
	else
		printf '%s\n' "$5" "$6" | sed 's/^/      | /'
	fi
}

# row FILE EXPECTED OPERATION COMMAND
#   EXPECTED: works, writes (works, and changes contents), ETXTBSY, EOPNOTSUPP,
#   SIGBUS, EBUSY, fails (a tool that says so but hides the cause), or "no effect"
#   for tools that may go on without the file, whatever they say
row() {
	local file=$1 expected=$2 output status=0 writes=

	output=$(eval "$4" 2>&1) || status=$?
	outcome "$status" "$output"
	[ "$expected" != writes ] || writes=1 expected=works
	compare "$file" "$writes"
	if [ "$expected" = "no effect" ]; then
		GOT=${WRONG:-no effect}
	elif [ "$GOT" != "$expected" ]; then
		WRONG="${WRONG:+$WRONG, }not as expected"
	fi
	print_row "$3" "$expected" "$GOT" "${WRONG:+!! $WRONG}" "$4" "$output"
}

# fact TEXT COMMAND: a row about something other than an operation on a file
fact() {
	local output

	if output=$(eval "$2" 2>&1); then
		print_row "$1" yes yes '' "$2" "$output"
	else
		print_row "$1" yes no '!! not as expected' "$2" "$output"
	fi
}

heading() {
	printf '\n%s\n  %-52s %-10s %-10s\n' "$1" operation expected result
}
