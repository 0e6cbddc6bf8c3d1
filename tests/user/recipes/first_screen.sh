# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Running blocks of commands out of documents, and those that README.md has on its first
# screen; for tests/user/recipes/guest, and for tests/distro/packages/guest, which has
# nothing but what the packages install. Who sources this sets:
#
#   T        a directory of the script's own
#   HERE     where "blocks" is
#   DOCS     where the documents are
#   RAN      a file that gets the blocks that were run
#   REMOTE   where other machines have their files

# A remote machine is a directory.
install_ssh() {
	mkdir -p "$T/bin"
	cat >"$T/bin/ssh" <<-SSH
	#!/bin/bash
	cd "$REMOTE/\$1" && shift && exec bash -c "\$*"
	SSH
	chmod +x "$T/bin/ssh"
	PATH=$T/bin:$PATH
}

fill() {
	dd if=/dev/urandom of="$1" bs=1M count="${2:-8}" conv=fsync status=none
}

# --- running a block ---

# block DIRECTORY FILE NUMBER HEADING [HOOK]: run it; HOOK, a sed script, may put
# commands between its lines. All of its commands must succeed; diff may say that
# files differ.
block() {
	local dir=$1 file=$2 number=$3 heading=$4 hook=${5:-}

	echo "$file $number $heading" >>"$RAN"
	"$HERE/blocks" "$DOCS/$file" "$number" "$heading" >"$T/commands"
	if [ ! -s "$T/commands" ]; then
		nok "$file: $heading, block $number: there is none"
		return
	fi
	{
		cat <<-'HEAD'
		set -o pipefail
		bad=0
		trap 'status=$?
			case $status:$BASH_COMMAND in
			"3:sealctl diff "*) ;;
			*) bad=1; echo "status $status: $BASH_COMMAND" >&2 ;;
			esac' ERR
		HEAD
		sed -E 's/\b(16|20)G\b/64M/' "$T/commands" | sed -E "$hook"
		# shellcheck disable=SC2016 # of the block
		echo 'exit $bad'
	} >"$T/block"
	cd "$dir" || return
	expect 0 "$file: $heading, block $number" bash "$T/block"
	cd - >/dev/null || return
	sed 's/^/    /' "$T/out" "$T/err"
}

# first_screen DIRECTORY: on XFS with reflink. Its three recipes, as a new user has them.
first_screen() {
	local dir=$1 heading="seal: freeze where a file's blocks are"

	mkdir -p "$dir" "$REMOTE/backup" "$REMOTE/host"
	fill "$dir/disk.img"
	block "$dir" README.md 1 "$heading" \
		'1a dd if=/dev/urandom of=disk.img bs=4k seek=100 count=9 conv=notrunc,fsync'
	check "README: the backup is the snapshot" \
		cmp "$dir/tuesday.img" "$REMOTE/backup/disk.img"
	rm -f "$dir"/*.img "$REMOTE"/backup/*

	block "$dir" README.md 2 "$heading"
	check "README: the swap file is sealed" sealctl status -q /swapfile
	check "README: resume_offset is told" grep -q 'resume_offset=' "$T/out"
	sealctl unseal /swapfile
	sealctl forget /swapfile
	rm -f /swapfile

	fill "$dir/disk.img"
	block "$dir" README.md 3 "$heading"
	check "README: sealed" sealctl status -q "$dir/disk.img"
	sealctl unseal "$dir/disk.img"
	rm -f "$dir/disk.img"
}
