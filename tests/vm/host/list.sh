# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm list: the guests, and which of them are made.

# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"

vm_list() {
	local name dir kver size

	printf '%-12s %-24s %s\n' GUEST KERNEL CACHED
	for name in $(guest_names); do
		guest_select "$name"
		dir=$(image_dir)
		kver=- size=-
		if [ -f "$dir/kver" ]; then
			kver=$(cat "$dir/kver")
			size="$(du -sxh "$dir" | cut -f1) $dir"
		fi
		printf '%-12s %-24s %s\n' "$name" "$kver" "$size"
	done
}
