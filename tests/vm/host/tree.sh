# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm tree: the path of a guest's root tree.

# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"

vm_tree() {
	guest_select "${1:-}"
	image_need
	echo "$IMAGE/root"
}
