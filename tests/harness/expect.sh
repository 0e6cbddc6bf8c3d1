# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What scripts that test a command have beyond tests/harness/lib.sh: exit statuses and
# messages. $T is a directory of the script's own.

# slurp NAME FILE: as NAME=$(<FILE), but without a process of its own where that is
# text: under emulation one costs as much as many commands.
slurp() {
	local text

	# A delta has bytes that a variable cannot hold: the shell leaves them out, and
	# says so.
	if IFS= read -r -d '' text <"$2"; then
		{ text=$(<"$2"); } 2>/dev/null
	fi
	while [[ $text == *$'\n' ]]; do text=${text%$'\n'}; done
	printf -v "$1" %s "$text"
}

# expect STATUS WHAT CMD...: the exit status; output is left in $OUT and $ERR
expect() {
	local want=$1 what=$2 status=0

	shift 2
	"$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	slurp OUT "$T/out"
	slurp ERR "$T/err"
	if [ "$status" -eq "$want" ]; then
		ok "$what"
		return
	fi
	nok "$what (status $status instead of $want)"
	printf '%s\n' "\$ $*" "$OUT" "$ERR" | sed 's/^/    /'
}

# says WHAT TEXT...: the last message on stderr has every text
says() {
	local what=$1 text

	shift
	for text in "$@"; do
		[[ $ERR == *"$text"* ]] || {
			nok "$what: lacks \"$text\""
			printf '%s\n' "$ERR" | sed 's/^/    /'
			return
		}
	done
	ok "$what"
}

# prints WHAT PATTERN: the last output matches the shell pattern
prints() {
	# shellcheck disable=SC2053 # a pattern is wanted
	if [[ $OUT == $2 ]]; then
		ok "$1"
	else
		nok "$1: $OUT"
	fi
}

# holds WHAT FILTER: jq's FILTER is true of the last output
holds() {
	if jq -e "$2" <<<"$OUT" >/dev/null 2>"$T/err"; then
		ok "$1"
	else
		nok "$1: $2"
		printf '%s\n' "$OUT" "$(<"$T/err")" | sed 's/^/    /'
	fi
}
