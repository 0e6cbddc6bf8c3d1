# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm build: build this checkout with a guest's compiler and headers, on this
# machine's processor. The sources are copied; the checkout stays untouched.

# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"

# Where the build of this checkout for the selected guest is.
build_dir() {
	local key

	key=$(printf '%s' "$VM_CHECKOUT" | sha256sum | cut -c1-12)
	echo "$VM_CACHE/build/$key/$GUEST/seal"
}

build_files() {
	if git -c safe.directory='*' -C "$VM_CHECKOUT" rev-parse \
		--is-inside-work-tree >/dev/null 2>&1; then
		git -c safe.directory='*' -C "$VM_CHECKOUT" \
			ls-files -z --cached --others --exclude-standard
	else
		# An unpacked release.
		(cd "$VM_CHECKOUT" && find . -name .git -prune -o \
			\( -type f -o -type l \) -printf '%P\0')
	fi | while IFS= read -r -d '' file; do
		# Deleted, yet not committed.
		[ ! -e "$VM_CHECKOUT/$file" ] && [ ! -L "$VM_CHECKOUT/$file" ] ||
			printf '%s\0' "$file"
	done | sort -z
}

# build_candidates DIR: files that are new or were touched since the last copy. The
# time of change is what no tool sets back.
build_candidates() {
	{
		comm -z -13 "$1.files" "$1.files.new"
		if [ -f "$1.copied" ]; then
			# shellcheck disable=SC2016 # for the inner shell
			(cd "$VM_CHECKOUT" && xargs -0 -r -a "$1.files.new" sh -c '
				stamp=$1
				shift
				find "$@" -maxdepth 0 -cnewer "$stamp" -print0
				' sh "$1.copied")
		else
			cat "$1.files.new"
		fi
	} | sort -z -u
}

# build_copy DIR: bring the copy up to date; times are kept, so that make
# builds only what changed, and files that are gone are removed.
build_copy() {
	local dir=$1 file

	mkdir -p "$dir"
	touch "$dir.now"
	build_files >"$dir.files.new"
	if [ ! -f "$dir.files" ]; then
		tar -C "$VM_CHECKOUT" --null --no-recursion -T "$dir.files.new" \
			-cf - | tar -C "$dir" -m --no-same-owner -xf -
		mv "$dir.now" "$dir.copied"
		mv "$dir.files.new" "$dir.files"
		return
	fi
	comm -z -23 "$dir.files" "$dir.files.new" |
		(cd "$dir" && xargs -0 -r rm -f --)
	# Only what differs, and with the time of now: a file saved while its older
	# copy was being compiled must come out newer than the object.
	while IFS= read -r -d '' file; do
		[ ! -L "$dir/$file" ] && cmp -s "$VM_CHECKOUT/$file" "$dir/$file" &&
			[ "$(stat -c %a "$VM_CHECKOUT/$file")" = "$(stat -c %a "$dir/$file")" ] &&
			continue
		mkdir -p "$(dirname "$dir/$file")"
		rm -f "$dir/$file"
		cp -P --preserve=mode "$VM_CHECKOUT/$file" "$dir/$file"
	done < <(build_candidates "$dir")
	mv "$dir.now" "$dir.copied"
	mv "$dir.files.new" "$dir.files"
}

# build_make DIR ARG...: make in the guest's tree, without network, seeing only
# the tree (read-only), the copy at /seal, and scratch space. Takes the place of a
# subshell of this command, with which it ends, however that is killed: a make that
# goes on would hold the lock.
build_make() {
	local dir=$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	exec setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child bash -euc '
		root=$1 dir=$2
		shift 2
		mount --make-rprivate /
		mount --bind "$root" "$root"
		mount -o remount,bind,ro "$root"
		mount --bind "$dir" "$root/seal"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		mount -t tmpfs tmpfs "$root/run"
		mount -t tmpfs tmpfs "$root/var/tmp"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" /usr/bin/env -i \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/tmp LANG=C.UTF-8 \
			make -C /seal "$@"
	' build "$IMAGE/root" "$dir" "$@"
}

vm_build() {
	local dir log verbose='' lock kver
	local -a args=()

	guest_select "${1:-}"
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		-v | --verbose) verbose=1 ;;
		--)
			shift
			args=("$@")
			break
			;;
		*) die_usage "build: unknown option '$1' (make's go after --)" ;;
		esac
		shift
	done
	# shellcheck disable=SC2206 # ARGS is a list of words
	[ "${#args[@]}" -gt 0 ] || args=(${ARGS:-all})
	# Debugging information is 11 of the 12 MB of a module, of which a guest reads
	# all each time it loads it. The types of BTF are made from it, so they are left
	# out as well. Kernels that check themselves report with lines.
	case $GUEST_SERIES in
	debug-* | kcsan-*) ;;
	*) args+=(KCFLAGS=-g0 CONFIG_DEBUG_INFO_BTF_MODULES=) ;;
	esac
	need_root "building in a guest's tree"
	image_need
	kver=$(cat "$IMAGE/kver")
	dir=$(build_dir)
	mkdir -p "$dir" "$VM_CACHE/log"
	log=$dir.log
	exec {lock}>"$dir.lock"
	flock "$lock"
	: >"$log"
	step "$GUEST: copying sources" "$log" build_copy "$dir"
	if [ -n "$verbose" ]; then
		(build_make "$dir" "-j$(nproc)" "KVER=$kver" "${args[@]}")
	else
		step "$GUEST: building" "$log" \
			build_make "$dir" "-j$(nproc)" "KVER=$kver" "${args[@]}"
		grep -E 'warning:' "$log" >&2 || true
	fi
	exec {lock}>&-
}
