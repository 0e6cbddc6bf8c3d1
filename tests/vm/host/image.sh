# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm image: the root tree, the disk image, the kernel and the initrd of a guest.
#
# Layout: $VM_CACHE/guest/NAME-KEY/{root/,root.img,vmlinuz,initrd.img,kver}.
# KEY hashes whatever shapes the image, so a change of it makes a new one.

# shellcheck source=tests/vm/host/apt.sh
. "$VM_DIR/host/apt.sh"
# shellcheck source=tests/vm/host/kernel.sh
. "$VM_DIR/host/kernel.sh"
# shellcheck source=tests/vm/host/initrd.sh
. "$VM_DIR/host/initrd.sh"
# shellcheck source=tests/vm/host/deps.sh
. "$VM_DIR/host/deps.sh"

image_key() {
	local -a shape=("$VM_DIR"/host/{image,initrd}.sh
		"$VM_DIR"/guest/{packages,paths,initrd-init})

	# The choice of a kernel that is not the release's own.
	[ "$GUEST_SERIES" = release ] ||
		shape+=("$VM_DIR"/{host/kernel.sh,guest/kernels.pinned})
	{ guest_table | grep "^$GUEST " && grep -h -v '^[[:space:]]*#' "${shape[@]}"; } |
		sha256sum | cut -c1-12
}

# Directory of the selected guest, existing or not.
image_dir() {
	echo "$VM_CACHE/guest/$GUEST-$(image_key)"
}

# Directory of the selected guest, made first if necessary.
image_need() {
	local dir

	dir=$(image_dir)
	[ -f "$dir/kver" ] || image_make
	# shellcheck disable=SC2034 # for the callers
	IMAGE=$dir
}

image_packages() {
	local pattern packages

	while read -r pattern packages; do
		# shellcheck disable=SC2254 # it is meant as a pattern
		case $GUEST_RELEASE in
		$pattern) tr -s '[:space:]' '\n' <<<"$packages" ;;
		esac
	done < <(grep -v '^#' "$VM_DIR/guest/packages")
}

image_path_options() {
	local path kind

	while read -r path; do
		kind=exclude
		case $path in
		+*)
			kind=include
			path=${path#+}
			;;
		esac
		echo "--dpkgopt=path-$kind=$path"
		# Releases with merged /usr ship modules there.
		case $path in
		/lib/*) echo "--dpkgopt=path-$kind=/usr$path" ;;
		esac
	done < <(grep -v '^#' "$VM_DIR/guest/paths")
}

# image_root DIR: install the packages into DIR/root
image_root() {
	local dir=$1 work=$1/work debs=$VM_CACHE/debs/$GUEST_RELEASE
	local key extra='' packages option
	local -a options kernel

	mkdir -p "$work" "$debs"
	[ "$GUEST_SERIES" = release ] || extra=backports
	key=$(apt_keyring "$GUEST_RELEASE" "$extra")
	mapfile -t kernel < <(kernel_packages "$work" "$key" "$extra")
	[ "${#kernel[@]}" -gt 0 ] ||
		die "the archive has no kernel of series $GUEST_SERIES for $GUEST_RELEASE"
	packages=$({ image_packages && printf '%s\n' "${kernel[@]}"; } |
		sort -u | paste -sd,)
	mapfile -t options < <(image_path_options)
	while read -r option; do
		options+=("--aptopt=$option")
	done < <(apt_options)

	# The guest has its own initrd; a distribution one would only cost time.
	cat >"$work/no-initramfs" <<-'HOOK'
	#!/bin/sh
	set -e
	chroot "$1" dpkg-divert --quiet --local --rename \
		--add /usr/sbin/update-initramfs
	ln -s /bin/true "$1/usr/sbin/update-initramfs"
	HOOK
	# Packages whose index entry is gone come as verified local files.
	cat >"$work/local-debs" <<-'HOOK'
	#!/bin/sh
	set -e
	cd "$(dirname "$0")"
	ls ./*.deb >/dev/null 2>&1 || exit 0
	mkdir "$1/tmp/debs"
	cp ./*.deb "$1/tmp/debs/"
	chroot "$1" sh -c 'dpkg --force-unsafe-io -i /tmp/debs/*.deb'
	rm -r "$1/tmp/debs"
	HOOK
	cat >"$work/configure" <<-'HOOK'
	#!/bin/sh
	set -e
	rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* \
		"$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf
	rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin
	echo guest >"$1/etc/hostname"
	echo '127.0.0.1 localhost guest' >"$1/etc/hosts"
	mkdir -p "$1/seal" "$1/results" "$1/mnt"
	chroot "$1" passwd -d root >/dev/null
	HOOK
	chmod +x "$work"/{no-initramfs,local-debs,configure}

	# Downloaded packages are kept as hard links in the cache, which guests of
	# the same release share: one of them at a time may add to it.
	# shellcheck disable=SC2016 # mmdebstrap gives the hooks $1
	apt_sources "$GUEST_RELEASE" "$key" "$extra" |
		mmdebstrap --mode=root --variant=apt --format=directory \
			--architectures=amd64 \
			--include="$packages" \
			--dpkgopt=force-unsafe-io \
			--aptopt='APT::Install-Recommends "false"' \
			"${options[@]}" \
			--skip=download/empty,essential/unlink,cleanup/apt/cache \
			--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
			--setup-hook="cp -al '$debs/.' \"\$1/var/cache/apt/archives/\"" \
			--essential-hook="$work/no-initramfs" \
			--customize-hook="$work/local-debs" \
			--customize-hook="flock '$debs' cp -alf \"\$1\"/var/cache/apt/archives/*.deb '$debs/'" \
			--customize-hook="rm -f \"\$1\"/var/cache/apt/archives/*.deb" \
			--customize-hook="$work/configure" \
			"$GUEST_RELEASE" "$dir/root" -
}

# image_disk DIR: pack DIR/root into an ext4 image without loop devices
image_disk() {
	local dir=$1 size

	size=$(du -sxm "$dir/root" | cut -f1)
	# even: it may become memory, which comes in large pages
	truncate -s "$(((size + size / 8 + 1024) / 2 * 2))M" "$dir/root.img"
	# Nothing written to it survives the run, so it needs no journal.
	mke2fs -q -F -t ext4 -L root -m 0 -O ^has_journal \
		-E lazy_itable_init=1 -d "$dir/root" "$dir/root.img"
}

image_kernel() {
	local dir=$1 kver

	# shellcheck disable=SC2012 # kernel names are plain
	kver=$(ls "$dir/root/boot" | sed -n 's/^vmlinuz-//p' | sort -V | tail -n 1)
	[ -n "$kver" ] || die "no kernel was installed"
	[ -L "$dir/root/lib/modules/$kver/build" ] ||
		die "no headers for $kver were installed"
	cp "$dir/root/boot/vmlinuz-$kver" "$dir/vmlinuz"
	initrd_make "$dir" "$kver"
	echo "$kver" >"$dir/kver.new"
}

# image_make [rebuild]
image_make() {
	local dir log tmp lock

	need_root "making a guest image"
	# shellcheck disable=SC2119 # no further packages
	vm_deps
	mkdir -p "$VM_CACHE"/{guest,tmp,log,lock,debs}
	dir=$(image_dir)
	log=$VM_CACHE/log/image-$GUEST.log
	exec {lock}>"$VM_CACHE/lock/image-$GUEST"
	flock -n "$lock" || {
		say "$GUEST: another vm is making the image, waiting for it"
		flock "$lock"
	}
	if [ ! -f "$dir/kver" ] || [ -n "${1:-}" ]; then
		: >"$log"
		tmp=$(mktemp -d "$VM_CACHE/tmp/$GUEST.XXXXXX")
		chmod 755 "$tmp"
		# shellcheck disable=SC2064 # now is when tmp is known
		trap "rm -rf --one-file-system '$tmp'" EXIT
		step "$GUEST: installing packages" "$log" image_root "$tmp"
		step "$GUEST: making the initrd" "$log" image_kernel "$tmp"
		step "$GUEST: making the disk" "$log" image_disk "$tmp"
		rm -rf "$tmp/work"
		mv "$tmp/kver.new" "$tmp/kver"
		rm -rf --one-file-system "$dir"
		mv "$tmp" "$dir"
		trap - EXIT
		say "$GUEST: $(cat "$dir/kver") in $dir"
	fi
	exec {lock}>&-
}

vm_image() {
	local arg rebuild=''
	local -a names=()

	for arg in "$@"; do
		case $arg in
		--rebuild) rebuild=1 ;;
		-*) die_usage "image: unknown option '$arg'" ;;
		*) names+=("$arg") ;;
		esac
	done
	[ "${#names[@]}" -gt 0 ] || die_usage "image: which guest?"
	for arg in "${names[@]}"; do
		guest_select "$arg"
		[ -z "$rebuild" ] || image_make rebuild
		image_need
	done
}
