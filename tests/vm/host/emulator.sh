# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Which QEMU runs the guests. Emulation got faster: version 11 needs a fifth
# less processor time than Debian 12's 7.2 for the same tests, half of it where
# they fork much. So a host with an old one gets Debian testing's, unpacked into
# the cache with its libraries and run through its own dynamic loader; nothing
# is installed. Should that fail, the host's own does the job. Where instructions
# are counted, it always does: version 11 is the slower one then, since it leaves
# translated code with each iteration of a string instruction.

# shellcheck source=tests/vm/host/apt.sh
. "$VM_DIR/host/apt.sh"

EMULATOR_GOOD=10	# a host's QEMU from this version on is used as it is

# emulator_fetch DIR: unpack QEMU and what it depends on into DIR/root. Its last
# command decides whether that worked.
emulator_fetch() {
	local dir=$1 key deb

	key=$(apt_keyring testing)
	apt_root_make "$dir/apt" testing "$key"
	apt_root "$dir/apt" apt-get install -q -y --download-only \
		--no-install-recommends qemu-system-x86
	mkdir "$dir/root"
	for deb in "$dir"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/root" \
			--exclude=./usr/share/doc --exclude=./usr/share/locale
	done
	rm -rf "$dir/apt"
	emulator_command "$dir"
	"${QEMU[@]}" --version
}

# emulator_command DIR: set QEMU to the one unpacked there
emulator_command() {
	local root=$1/root
	local lib=$root/usr/lib/x86_64-linux-gnu

	QEMU=("$lib/ld-linux-x86-64.so.2" --library-path "$lib"
		"$root/usr/bin/qemu-system-x86_64"
		-L "$root/usr/share/qemu" -L "$root/usr/share/seabios")
}

emulator_version() {
	"$@" --version | sed -nE 's/^QEMU emulator version ([0-9]+).*/\1/p'
}

emulator_make() {
	local dir=$1 log=$VM_CACHE/log/emulator.log lock tmp

	exec {lock}>"$VM_CACHE/lock/emulator"
	flock "$lock"
	# A failure is not tried again with every run; "vm clean --all" forgets it.
	if [ ! -e "$dir" ]; then
		tmp=$(mktemp -d "$VM_CACHE/tmp/emulator.XXXXXX")
		: >"$log"
		(step "unpacking a newer QEMU" "$log" emulator_fetch "$tmp") ||
			{
				say "using this host's QEMU, which is slower"
				rm -rf "$tmp/root"
			}
		mv "$tmp" "$dir"
	fi
	exec {lock}>&-
}

# Set QEMU to the command that starts it.
qemu_find() {
	local dir version

	# shellcheck disable=SC2034 # for the callers
	QEMU=(qemu-system-x86_64)
	[ -z "$ICOUNT" ] || return 0
	version=$(emulator_version "${QEMU[@]}")
	[ "$version" -lt "$EMULATOR_GOOD" ] || return 0
	mkdir -p "$VM_CACHE"/{lock,log,tmp,qemu}
	dir=$VM_CACHE/qemu/$(grep -v '^#' "$VM_DIR/host/emulator.sh" |
		sha256sum | cut -c1-12)
	[ -e "$dir" ] || emulator_make "$dir"
	[ ! -d "$dir/root" ] || emulator_command "$dir"
}
