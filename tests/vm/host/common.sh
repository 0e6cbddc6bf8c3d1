# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Names, paths, messages and progress lines shared by all subcommands.

# shellcheck disable=SC2034 # used by the files that include this one
VM_CACHE=${SEAL_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/seal-vm}
VM_CHECKOUT=$(cd "$VM_DIR/../.." && pwd)

# name, Debian release, kernel series ("release" = the release's metapackage; "cloud"
# and "rt" = those of these flavours;
# a flavour with a hash: compiled here, see kernel_build.sh)
guest_table() {
	local built

	built=$(cat "$VM_DIR"/debug/* "$VM_DIR/host/kernel_build.sh" |
		grep -v '^[[:space:]]*#' | sha256sum | cut -c1-12)
	cat <<-TABLE
	bookworm bookworm release
	trixie trixie release
	testing testing release
	bookworm-cloud bookworm cloud
	trixie-cloud trixie cloud
	testing-cloud testing cloud
	bookworm-rt bookworm rt
	trixie-rt trixie rt
	testing-rt testing rt
	trixie-6.18 trixie 6.18
	trixie-7.3 trixie 7.3
	trixie-debug trixie debug-$built
	trixie-kcsan trixie kcsan-$built
	TABLE
}

guest_names() {
	guest_table | cut -d' ' -f1
}

# Set GUEST, GUEST_RELEASE and GUEST_SERIES, or end with a usage error.
guest_select() {
	local row

	row=$(guest_table | grep -- "^${1:-} " || true)
	[ -n "$row" ] ||
		die_usage "unknown guest '${1:-}', one of: $(guest_names | tr '\n' ' ')"
	read -r GUEST GUEST_RELEASE GUEST_SERIES <<<"$row"
}

say() {
	printf 'vm: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 1
}

die_usage() {
	say "$*"
	exit 2
}

# step LABEL LOG CMD...: run CMD with its output appended to LOG. Say so once
# it takes longer than a few seconds; when it fails show the end of LOG and
# end. Not to be called where a failure would be tested ("if", "||"): there
# bash ignores "set -e" inside CMD as well.
step() {
	local label=$1 log=$2 start=$SECONDS status notice

	shift 2
	# Waits without a child process: one would outlive the kill below and keep
	# the caller's pipes and locks open.
	(
		read -r -t 3 <> <(:) || :
		say "$label ..."
	) >/dev/null &
	notice=$!
	set +e
	(
		set -e
		"$@"
	) >>"$log" 2>&1 </dev/null
	status=$?
	set -e
	kill "$notice" 2>/dev/null || true
	wait "$notice" 2>/dev/null || true
	if [ "$status" -ne 0 ]; then
		say "$label ... failed (status $status), the end of $log:"
		tail -n 40 "$log" >&2
		exit "$status"
	fi
	[ $((SECONDS - start)) -lt 3 ] ||
		say "$label ... $((SECONDS - start)) s"
}

need_root() {
	[ "$(id -u)" -eq 0 ] || die "$1 needs root (it uses a chroot)"
}
