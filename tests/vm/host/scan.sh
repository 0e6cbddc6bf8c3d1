# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Look through a console log for what a healthy kernel does not say.

SCAN_BAD='\bBUG:|kernel BUG at|invalid opcode|WARNING:|Oops|[Gg]eneral protection|KASAN|KFENCE|KCSAN|UBSAN'
SCAN_BAD+='|Kernel panic|Call Trace:|INFO: task .* blocked|detected stalls?'
SCAN_BAD+='|possible (circular|recursive) locking|lockdep|LOCKDEP|bad unlock balance'
SCAN_BAD+='|kmemleak: [1-9][0-9]* new|refcount_t:|scheduling while atomic'
SCAN_BAD+='|Bad page (state|map)|list_(add|del) corruption|stack-protector'
SCAN_BAD+='|Internal error|double fault|INFO: (inconsistent|suspicious)'
# a seal that did not hold
SCAN_BAD+='|seal: BROKEN'

# What a stock kernel says in this emulation without any fault of its own.
SCAN_STOCK='lockdep_assert is off|MAX_LOCKDEP_[A-Z]+: '

# scan_log FILE: the offending lines with numbers; false if there are any
scan_log() {
	local -a allow=(-e "$SCAN_STOCK")
	local regex

	# shellcheck disable=SC2153 # set by run_options
	for regex in "${ALLOW[@]}"; do
		allow+=(-e "$regex")
	done
	# Without the serial line's carriage returns, so that "$" means the end.
	! tr -d '\r' <"$1" | grep -a -n -E "$SCAN_BAD" | grep -a -v -E "${allow[@]}"
}

# vm scan FILE [--allow-log REGEX]...: prints the offending lines, status 125 if there
# are any
vm_scan() {
	local file=${1:-}

	[ -f "$file" ] || die_usage "scan: no file '$file'"
	shift
	ALLOW=()
	while [ $# -gt 0 ]; do
		if [ "$1" != --allow-log ] || [ $# -lt 2 ]; then
			die_usage "scan: unknown option '$1'"
		fi
		ALLOW+=("$2")
		shift 2
	done
	scan_log "$file" || return 125
}
