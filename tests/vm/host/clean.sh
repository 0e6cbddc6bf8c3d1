# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm clean: remove images no current description asks for, and what killed
# runs left behind; with --all also the current ones, the builds, the
# downloaded packages and the logs.

# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"

vm_clean() {
	local name dir current=''

	case ${1:-} in
	--all)
		(cd "$VM_CACHE" 2>/dev/null &&
			rm -rf --one-file-system guest build debs tmp log qemu keyring)
		return 0
		;;
	'') ;;
	*) die_usage "clean: unknown option '$1'" ;;
	esac
	for name in $(guest_names); do
		guest_select "$name"
		current="$current $(image_dir) "
	done
	# Old enough that no run still uses them.
	find "$VM_CACHE"/{tmp,log} -mindepth 1 -maxdepth 1 -mmin +1440 \
		-exec rm -rf --one-file-system {} + 2>/dev/null || true
	for dir in "$VM_CACHE"/guest/*; do
		[ -d "$dir" ] || continue
		case $current in
		*" $dir "*) ;;
		*) rm -rf --one-file-system "$dir" ;;
		esac
	done
}
