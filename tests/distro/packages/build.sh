# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# "make deb" in the tree of a release, then lintian.

# shellcheck source=tests/vm/host/build.sh
. "$VM_DIR/host/build.sh"

# packages_chroot DIR COMMAND: in the builder's tree, DIR as /seal, no network
packages_chroot() {
	# shellcheck disable=SC2016,SC2153 # expanded by the inner shell; trees_need
	unshare --mount --net --pid --fork --kill-child bash -euc '
		root=$1 dir=$2
		mount --make-rprivate /
		mount --bind "$root" "$root"
		mount -o remount,bind,ro "$root"
		mount --bind "$dir" "$root/seal"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/tmp LANG=C.UTF-8 sh -ec "cd /seal; $3"
	' chroot "$TREE/root" "$1" "$2"
}

# packages_build RELEASE DIR: DIR/build/deb/*.deb from this checkout
packages_build() {
	local release=$1 dir=$2

	trees_need builder "$release"
	mkdir -p "$dir"
	build_copy "$dir"
	packages_chroot "$dir" 'make deb' >"$dir.log" 2>&1 || {
		tail -n 40 "$dir.log"
		return 1
	}
}

# packages_lint DIR: lintian, errors and warnings
packages_lint() {
	packages_chroot "$1" \
		'lintian --fail-on error,warning --allow-root build/deb/*.changes'
}

# packages_version DIR VERSION: give the copy another version, to upgrade to
packages_version() {
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$2\"/" "$1/dkms.conf"
	sed -i "0,/^seal [0-9]/s/^seal [0-9].*/seal $2 (2026-12-31)\n\n- Made by a test, to upgrade to.\n\n&/" \
		"$1/NEWS"
}
