# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm kver: the kernel release of a guest.

# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"

vm_kver() {
	guest_select "${1:-}"
	image_need
	cat "$IMAGE/kver"
}
