# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm deps [COMMAND PACKAGE]...: install the host packages the harness needs, and
# the packages of those commands, if they are not there; nothing else.

# command (or file) that must exist, package that has it
deps_table() {
	cat <<-TABLE
	qemu-system-x86_64 qemu-system-x86
	qemu-img qemu-utils
	mmdebstrap mmdebstrap
	mke2fs e2fsprogs
	flock util-linux
	unshare util-linux
	xz xz-utils
	zstd zstd
	gpgv gpgv
	git git
	TABLE
}

# deps_missing [COMMAND PACKAGE]...: of those and of what the arguments name
deps_missing() {
	local command package

	{
		deps_table
		[ $# -eq 0 ] || printf '%s %s\n' "$@"
	} | while read -r command package; do
		[[ $command == /* && -e $command ]] ||
			PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null ||
			echo "$package"
	done | sort -u
}

deps_install() {
	local -a packages=("$@")

	# Index files may be absent or too old for what the mirror still has.
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "${packages[@]}" && return
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "${packages[@]}"
}

vm_deps() {
	local -a missing
	local log

	mapfile -t missing < <(deps_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		die "missing packages, run as root: apt-get install --no-install-recommends ${missing[*]}"
	fi
	mkdir -p "$VM_CACHE/log"
	log=$VM_CACHE/log/deps.log
	: >"$log"
	say "installing on this host: ${missing[*]}"
	step "installing host packages" "$log" deps_install "${missing[@]}"
}
