#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What sealctl says and how it ends where there is no module.
set -u
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here/../../../tools:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit
PASSED=0 FAILED=0

# expect STATUS TEXT CMD...: ends so, with the text in its messages
expect() {
	local status=0 want=$1 text=$2

	shift 2
	"$@" >out 2>err </dev/null || status=$?
	if [ "$status" -ne "$want" ]; then
		echo "commands: $*: status $status instead of $want: $(<err)"
		FAILED=$((FAILED + 1))
	elif [ -n "$text" ] && ! grep -qF -- "$text" err; then
		echo "commands: $*: no \"$text\" in: $(<err)"
		FAILED=$((FAILED + 1))
	else
		PASSED=$((PASSED + 1))
	fi
}

# broken SIGPIPE CMD...: with a pipe that nobody reads as standard output, and that
# signal ignored or not ("")
broken() {
	local signal=$1 reader writer

	shift
	# shellcheck disable=SC2094 # it is the reader that goes
	exec {reader}<>pipe {writer}>pipe {reader}<&-
	(
		[ -z "$signal" ] || trap '' PIPE
		exec "$@" >&"$writer"
	)
}

claims() {
	expect 2 "not the number of a claim" sealctl unseal --claim x
	expect 2 "not the number of a claim" sealctl unseal --claim 0
	expect 2 "not the number of a claim" sealctl unseal --claim ' 7'
	expect 2 "neither files nor --persistent" sealctl unseal --claim 7 file
	expect 2 "neither files nor --persistent" sealctl unseal --claim 7 --persistent
	expect 2 "requires an argument" sealctl unseal --claim
	if [ ! -e /dev/seal ]; then
		expect 1 "module is not loaded" sealctl unseal --claim 7
		expect 1 "modprobe seal" sealctl unseal --claim 7
		expect 1 "module is not loaded" sealctl status file
	fi
}

# What the usage shows as alternatives is not accepted together.
alternatives() {
	expect 2 "usage: sealctl diff" sealctl diff --bmap --json file file
	expect 2 "usage: sealctl diff" sealctl diff --json --bmap file file
	expect 2 "usage: sealctl diff" sealctl diff --allocated --bmap file
	expect 2 "usage: sealctl offset" sealctl offset --bytes --pages file
	expect 2 "usage: sealctl seal" sealctl seal --dry-run --persist file
	expect 2 "usage: sealctl bitmap" sealctl bitmap -q --json -o new file file
	expect 2 "usage: sealctl receive" sealctl receive -q --json delta file
}

events() {
	expect 2 "leave it out" sealctl monitor -e lost
	expect 2 "no such event" sealctl monitor -e frozen
}

wordings() {
	expect 2 "sealctl: map: unrecognized option" sealctl map --frobnicate file
	expect 2 "sealctl: receive: option requires" sealctl receive -m
	expect 2 "give bytes, or a number with K, M, G or T" sealctl receive -m foo delta file
}

manifests() {
	expect 1 "-m MANIFEST" sealctl verify
	expect 1 "standard input: not a manifest" sealctl verify file
	expect 1 "file: not a manifest" sealctl verify -m file
	command -v script >/dev/null || return
	# messages and input of it are one terminal
	expect 0 "" timeout 20 script -qc \
		'sealctl verify file; echo "status $?"' transcript
	expect 0 "" grep -q 'none was given.*-m MANIFEST' transcript
	expect 0 "" grep -q 'status 2' transcript
}

# As the table of exit statuses in sealctl(8) says.
pipes() {
	mkfifo pipe
	expect 141 "" broken '' sealctl --help
	expect 1 "output: Broken pipe" broken ignored sealctl --help
	expect 1 "output: Broken pipe" broken ignored sealctl map --help
	expect 6 "output: Broken pipe" broken ignored sealctl receive --help
	expect 6 "output: Broken pipe" broken ignored sealctl send --help
	expect 1 "No space left" bash -c 'sealctl --version >/dev/full'
	expect 6 "No space left" bash -c 'sealctl receive --help >/dev/full'
	expect 1 "output: Bad file descriptor" bash -c 'sealctl --version >&-'
}

# options_of_help VERB: sorted, in a line each
options_of_help() {
	sealctl "$1" --help | sed -nE '1p; s/^ +(-.*)/\1/; t option; b; :option
		s/^((-[A-Za-z0-9], )?-[-a-z]+).*/\1/p' |
		grep -oE -- '(^|[^A-Za-z0-9-])--?[A-Za-z0-9][a-z-]*' |
		grep -oE -- '--?[A-Za-z0-9].*' | sort -u
}

# options_of_man VERB: the same, of its synopsis and its description
options_of_man() {
	awk -v verb="$1" '
		/^\.Sh / { part = $2; on = 0 }
		$0 == ".Nm" { on = 0 }
		part == "SYNOPSIS" && $0 == ".Cm " verb { on = 1 }
		# verbs are items of the outermost list
		/^\.Bl / { depth++ }
		/^\.El/ { depth-- }
		part == "DESCRIPTION" && depth == 1 && /^\.It Cm / {
			on = $0 == ".It Cm " verb
		}
		part == "DESCRIPTION" && depth < 1 { on = 0 }
		on && (part == "SYNOPSIS" || /^\.It Fl /)' "$manual" |
		grep -oE 'Fl [^ ]+' | sed 's/Fl /-/' | grep -vx -- -- | sort -u
}

# What a verb takes is the same in its help, in sealctl(8) and in the list of verbs.
help_and_manual() {
	local manual=$here/../../../man/sealctl.8 verb verbs

	verbs=$(sealctl --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
	expect 0 "" [ "$(wc -w <<<"$verbs")" -gt 20 ]
	for verb in $verbs; do
		options_of_help "$verb" >of_help
		options_of_man "$verb" >of_man
		expect 0 "" grep -qx "\.It Cm $verb" "$manual"
		expect 0 "" diff of_help of_man
		[ ! -s out ] || sed "s/^/commands: $verb: help, manual: /" out
	done
	expect 0 "" grep -q -- --prepare <(options_of_help seal)
	expect 0 "" grep -qx -- -l <(options_of_man prealloc)
}

echo text >file
help_and_manual
claims
alternatives
events
wordings
manifests
pipes
echo "$(((PASSED * 100) / (PASSED + FAILED)))%: Checks: $((PASSED + FAILED)), Failures: $FAILED, Errors: 0"
[ "$FAILED" -eq 0 ]
