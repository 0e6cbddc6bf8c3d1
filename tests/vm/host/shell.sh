# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm shell: an interactive shell in a guest, on this terminal.

# shellcheck source=tests/vm/host/run.sh
. "$VM_DIR/host/run.sh"

vm_shell() {
	guest_select "${1:-}"
	shift
	run_options "$@"
	run_prepare 1
	say "$GUEST: leave with 'exit'; Ctrl-A X ends the guest at once, Ctrl-A H helps"
	"${QEMU[@]}" "${ARGS[@]}"
}
