# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Which kernel packages a guest gets. Only the series is fixed here.

# shellcheck source=tests/vm/host/kernel_build.sh
. "$VM_DIR/host/kernel_build.sh"

# kernel_packages WORK KEYRING [backports]: package names, one per line. For
# packages the index has lost, verified files appear in WORK instead and their
# dependencies are named.
kernel_packages() {
	local work=$1 key=$2 extra=$3 version

	case $GUEST_SERIES in
	release)
		printf '%s\n' linux-image-amd64 linux-headers-amd64
		return
		;;
	cloud | rt)
		printf '%s\n' "linux-image-$GUEST_SERIES-amd64" \
			"linux-headers-$GUEST_SERIES-amd64"
		return
		;;
	debug-* | kcsan-*)
		built_packages "$work" "$key"
		return
		;;
	esac
	apt_root_make "$work/apt" "$GUEST_RELEASE" "$key" "$extra" >&2
	version=$(apt_root "$work/apt" apt-cache pkgnames linux-headers- |
		sed -nE "s/^linux-headers-($GUEST_SERIES\.[0-9]+\+deb[0-9]+-amd64)$/\1/p" |
		sort -V | tail -n 1)
	rm -rf "$work/apt"
	if [ -n "$version" ]; then
		# What backports carries is not taken unless asked for, and its
		# kernels want its linux-base.
		printf '%s\n' "linux-image-$version" "linux-headers-$version" \
			"linux-base/$GUEST_RELEASE-$extra"
	else
		kernel_pinned "$work"
	fi
}

# Fetch the pinned files of the series into WORK, name what they depend on.
kernel_pinned() {
	local work=$1 hash path file site

	site=$(apt_site main)
	while read -r hash path; do
		file=$work/${path##*/}
		echo "not in the signed index, pinned by hash: ${path##*/}" >&2
		/usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root \
			download-file "$site/$path" "$file" "SHA256:$hash" >&2
		echo "$hash  $file" | sha256sum --quiet -c - >&2 || return 1
	done < <(grep -v '^#' "$VM_DIR/guest/kernels.pinned" |
		grep -E -- "-$GUEST_SERIES\.[0-9]+\+")
	kernel_depends "$work"
}

# kernel_depends DIR: what the packages in DIR depend on besides each other
kernel_depends() {
	local file

	for file in "$1"/*.deb; do
		[ -f "$file" ] || return 0
		dpkg-deb -f "$file" Depends
	done | tr ',' '\n' |
		sed -e 's/|.*linux-initramfs-tool.*/|/' -e 's/^ *dracut *|/initramfs-tools/' \
			-e 's/[|(].*//' -e 's/:any//' -e 's/ //g' |
		grep -v -E -- "-$GUEST_SERIES\.[0-9]+\+" | sort -u
}
