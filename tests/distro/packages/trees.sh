# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Two trees per release, apart from those of tests/vm so that its guests stay
# small: one to build Debian packages in, one to install them in. The second is
# a plain Debian with what dkms needs, and has never seen the project.
# They are kept in the cache, under a hash of this file.

VM_DIR=$PWD/tests/vm
# shellcheck source=tests/vm/host/common.sh
. "$VM_DIR/host/common.sh"
# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"

BUILDER_PACKAGES="build-essential debhelper dh-dkms lintian pkg-config
	libxxhash-dev libjson-c-dev libzstd-dev libmd-dev libdevmapper-dev libmnl-dev"
# Nothing of the project, what dkms and the tests need, libraries of sealctl.
CLEAN_PACKAGES="systemd systemd-sysv udev kmod dbus procps busybox-static
	iproute2 passwd util-linux apt-utils bash-completion openssl
	dkms gcc make libc6-dev pkgconf binutils python3 xfsprogs e2fsprogs
	libjson-c5 libmd0 libmnl-dev libzstd-dev libdevmapper1.02.1"

# trees_dir KIND RELEASE
trees_dir() {
	local key

	key=$(grep -v '^[[:space:]]*#' tests/distro/packages/trees.sh | sha256sum | cut -c1-12)
	echo "$VM_CACHE/guest/deb-$1-$2-$key"
}

# trees_kernels APT: the two newest kernels of its own series, oldest first
trees_kernels() {
	local newest series

	newest=$(apt_root "$1" apt-cache depends linux-image-amd64 |
		sed -n 's/^ *Depends: linux-image-//p')
	series=$(grep -oE '^[0-9]+\.[0-9]+' <<<"$newest")
	apt_root "$1" apt-cache pkgnames linux-headers- |
		sed -nE "s/^linux-headers-($series\.[0-9]+(-[0-9]+|\+deb[0-9.]+)-amd64)$/\1/p" |
		sort -V | tail -n 2
}

# trees_pair RELEASE WORK: the kernel to start with, and the one to upgrade to with
# the apt state directory that has it. Testing has but one: unstable has the next.
trees_pair() {
	local release=$1 work=$2 from=$1 key list next

	key=$(apt_keyring "$release")
	apt_root_make "$work/$release" "$release" "$key" >&2
	list=$(trees_kernels "$work/$release")
	if [ "$(wc -l <<<"$list")" -lt 2 ] && [ "$release" = testing ]; then
		from=unstable
		key=$(apt_keyring "$from")
		apt_root_make "$work/$from" "$from" "$key" >&2
		next=$(trees_kernels "$work/$from" | tail -n 1)
		[ "$next" = "$list" ] || list=$(printf '%s\n%s' "$list" "$next")
	fi
	[ "$(wc -l <<<"$list")" -eq 2 ] ||
		die "$release has one kernel only, $list: there is nothing to upgrade to"
	echo "$list" | paste -sd' '
	echo "$work/$from"
}

# trees_bootstrap RELEASE DIR PACKAGES [MMDEBSTRAP-ARG...]
trees_bootstrap() {
	local release=$1 dir=$2 packages=$3 key option
	local -a options=()

	shift 3
	key=$(apt_keyring "$release")
	while read -r option; do
		options+=("--aptopt=$option")
	done < <(apt_options)
	# shellcheck disable=SC2086 # a list of words
	apt_sources "$release" "$key" |
		mmdebstrap --mode=root --variant=apt --format=directory \
			--architectures=amd64 \
			--include="$(printf '%s\n' $packages | paste -sd,)" \
			--dpkgopt=force-unsafe-io \
			--aptopt='APT::Install-Recommends "false"' \
			"${options[@]}" "$@" "$release" "$dir/root" -
	# No names of mirrors are left behind.
	rm -rf "$dir"/root/etc/apt/sources.list{,.d/*} "$dir"/root/var/lib/apt/lists/* \
		"$dir"/root/etc/apt/apt.conf.d/99mmdebstrap "$dir"/root/etc/resolv.conf
}

builder_make() {
	trees_bootstrap "$1" "$2" "$BUILDER_PACKAGES"
	mkdir -p "$2/root/seal"
}

clean_make() {
	local release=$1 dir=$2 work=$2/work apt first second

	mkdir -p "$work" "$dir/repo"
	{ read -r first second && read -r apt; } < <(trees_pair "$release" "$work/apt")
	(
		cd "$dir/repo"
		# The packages of the second kernel that the first does not have.
		# shellcheck disable=SC2046 # a list of words
		apt_root "$apt" apt-get download -q \
			$(trees_closure "$apt" "$second")
	)
	rm -rf "$work/apt"
	# The guest has its own initrd; a distribution one would only cost time.
	cat >"$work/no-initramfs" <<-'HOOK'
	#!/bin/sh
	set -e
	chroot "$1" dpkg-divert --quiet --local --rename \
		--add /usr/sbin/update-initramfs
	ln -s /bin/true "$1/usr/sbin/update-initramfs"
	HOOK
	chmod +x "$work/no-initramfs"
	# shellcheck disable=SC2046 # words
	trees_bootstrap "$release" "$dir" "$CLEAN_PACKAGES" \
		--include="linux-image-$first,linux-headers-$first" \
		--essential-hook="$work/no-initramfs"
	echo guest >"$dir/root/etc/hostname"
	echo '127.0.0.1 localhost guest' >"$dir/root/etc/hosts"
	mkdir -p "$dir"/root/{seal,results,srv/x}
	chroot "$dir/root" passwd -d root >/dev/null
	cp -r "$dir/repo" "$dir/root/repo"
	echo "$second" >"$dir/second"
	image_kernel "$dir"
	image_disk "$dir"
	rm -rf "$work"
	mv "$dir/kver.new" "$dir/kver"
}

# trees_closure APT KVER: packages of a kernel and its headers
trees_closure() {
	apt_root "$1" apt-cache depends --recurse --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances \
		"linux-image-$2" "linux-headers-$2" |
		grep -E '^linux-(image|binary|modules|headers|kbuild|base)' |
		grep -vE '^linux-image-.*-unsigned|^linux-base$' | sort -u
}

# trees_need KIND RELEASE: set TREE, make it first if necessary
trees_need() {
	local kind=$1 release=$2 dir tmp lock log=$VM_CACHE/log/deb-$1-$2.log

	need_root "making a tree"
	mkdir -p "$VM_CACHE"/{guest,tmp,log,lock}
	dir=$(trees_dir "$kind" "$release")
	exec {lock}>"$VM_CACHE/lock/deb-$kind-$release"
	flock "$lock"
	if [ ! -d "$dir" ]; then
		: >"$log"
		tmp=$(mktemp -d "$VM_CACHE/tmp/deb.XXXXXX")
		chmod 755 "$tmp"
		step "$release: making a tree to $([ "$kind" = builder ] &&
			echo 'build packages in' || echo 'install packages in')" \
			"$log" "${kind}_make" "$release" "$tmp"
		mv "$tmp" "$dir"
	fi
	exec {lock}>&-
	# shellcheck disable=SC2034 # for the callers
	TREE=$dir
}
