# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Kernels that check themselves: compiled from Debian's kernel source package
# with the compiler of the guest's release, and installed into a guest like any
# other kernel package. debug/ says what is switched on.
#
# Layout: $VM_CACHE/kernel/SERIES/*.deb is the result, where SERIES is the
# flavour with a hash of what shapes it; work-FLAVOUR has sources and objects,
# so that a changed option does not compile everything again; builder-KEY is the
# tree with the compiler.

BUILT_SOURCE=linux-source-6.12
BUILT_PACKAGES="$BUILT_SOURCE gcc make bc bison flex libelf-dev libssl-dev cpio
	kmod rsync xz-utils python3 dpkg-dev debhelper"

# built_builder DIR KEYRING: a tree to compile in
built_builder() {
	local dir=$1 key=$2 option
	local -a options=()

	while read -r option; do
		options+=("--aptopt=$option")
	done < <(apt_options)
	# shellcheck disable=SC2086 # a list of words
	apt_sources "$GUEST_RELEASE" "$key" |
		mmdebstrap --mode=root --variant=apt --format=directory \
			--architectures=amd64 \
			--include="$(printf '%s,' $BUILT_PACKAGES)" \
			--dpkgopt=force-unsafe-io \
			--dpkgopt='path-exclude=/usr/share/doc/*' \
			--dpkgopt='path-exclude=/usr/share/man/*' \
			--dpkgopt='path-exclude=/usr/share/locale/*' \
			--aptopt='APT::Install-Recommends "false"' \
			"${options[@]}" "$GUEST_RELEASE" "$dir" -
	rm -f "$dir"/etc/apt/sources.list "$dir"/etc/apt/sources.list.d/* \
		"$dir"/etc/resolv.conf
	mkdir "$dir/work" "$dir/config"
}

# built_compile BUILDER WORK FLAVOUR: packages appear in WORK. Without network,
# and at the lowest priority a build should have: it takes long.
built_compile() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --net --pid --fork --kill-child bash -euc '
		builder=$1 work=$2 config=$3 flavour=$4 source=$5
		mount --make-rprivate /
		mount --bind "$builder" "$builder"
		mount --bind "$work" "$builder/work"
		mount --bind "$config" "$builder/config"
		mount -t tmpfs -o mode=1777 tmpfs "$builder/tmp"
		mount -t proc proc "$builder/proc"
		mount --rbind /dev "$builder/dev"
		exec chroot "$builder" /usr/bin/env -i \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/tmp LANG=C.UTF-8 \
			nice sh /config/build "$flavour" "$source"
	' compile "$1" "$2" "$VM_DIR/debug" "$3" "$BUILT_SOURCE"
}

# built_make DIR KEYRING: compile the kernel of GUEST_SERIES, its packages into DIR
built_make() {
	local dir=$1 key=$2 flavour=${GUEST_SERIES%-*} builder tmp work

	builder=$VM_CACHE/kernel/builder-$GUEST_RELEASE-$(
		printf '%s' "$BUILT_PACKAGES" | sha256sum | cut -c1-12)
	work=$VM_CACHE/kernel/work-$flavour
	mkdir -p "$work"
	if [ ! -d "$builder" ]; then
		tmp=$(mktemp -d "$VM_CACHE/tmp/builder.XXXXXX")
		chmod 755 "$tmp"
		built_builder "$tmp/root" "$key"
		mv "$tmp/root" "$builder"
		rmdir "$tmp"
	fi
	rm -f "$work"/*.deb
	built_compile "$builder" "$work" "$flavour"
	mkdir -p "$dir.new"
	mv "$work"/linux-image-*.deb "$work"/linux-headers-*.deb "$dir.new/"
	if [ "$flavour" = debug ]; then
		mv "$work"/xfs-debug_*.deb "$dir.new/"
	fi
	mv "$dir.new" "$dir"
}

# built_packages WORK KEYRING: the packages of GUEST_SERIES into WORK, made
# first if necessary; prints what they depend on
built_packages() {
	local dir=$VM_CACHE/kernel/$GUEST_SERIES lock

	mkdir -p "$VM_CACHE"/{kernel,lock}
	exec {lock}>"$VM_CACHE/lock/kernel-${GUEST_SERIES%-*}"
	flock "$lock"
	if [ ! -d "$dir" ]; then
		(
			set -e
			built_make "$dir" "$2"
		) >&2
	fi
	exec {lock}>&-
	[ -d "$dir" ] || return 1
	cp "$dir"/*.deb "$1/"
	kernel_depends "$1"
}
