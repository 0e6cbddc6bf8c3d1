# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the module needs of a kernel: made-up build directories, and what is said
# of each. Needs tests/harness/lib.sh and a directory $NEEDS to write to.

# kernel_dir RELEASE [CONFIG...]: a build directory, configured as Debian's are but
# for what is given: CONFIG_X=y sets, CONFIG_X takes away
kernel_dir() {
	local dir=$NEEDS/lib/modules/$1/build change

	rm -rf "$dir"
	mkdir -p "$dir/include/config"
	: >"$dir/Makefile"
	echo "$1" >"$dir/include/config/kernel.release"
	for change in X86_64 MODULES DYNAMIC_FTRACE_WITH_ARGS KPROBES_ON_FTRACE \
		HAVE_STATIC_CALL_INLINE UNWINDER_ORC STACKTRACE; do
		echo "CONFIG_$change=y"
	done >"$dir/include/config/auto.conf"
	shift
	for change; do
		case $change in
		*=*) echo "$change" >>"$dir/include/config/auto.conf" ;;
		*) sed -i "/^$change=/d" "$dir/include/config/auto.conf" ;;
		esac
	done
	echo "$dir"
}

# needs STATUS WHAT DIR TEXT...: check-kernel's status and what it says, 2 lines
needs() {
	local want=$1 what=$2 dir=$3 out status=0 text

	shift 3
	out=$(scripts/check-kernel "$dir" 2>&1) || status=$?
	for text; do
		[[ $out == *"$text"* ]] || status="$status, without \"$text\""
	done
	[ -z "$out" ] || [ "$(wc -l <<<"$out")" -eq 2 ] || status="$status, not two lines"
	if [ "$status" = "$want" ]; then
		ok "$what"
	else
		nok "$what: status $status: $out"
	fi
}

# The number says 6.12, the source does not.
needs_other_distributions() {
	local dir config

	dir=$(kernel_dir 6.12.0-124.8.1.el10_1.x86_64)
	mkdir -p "$dir/include/generated/uapi/linux"
	echo "#define RHEL_RELEASE_CODE 2561" >"$dir/include/generated/uapi/linux/version.h"
	needs 1 "a kernel of Red Hat" "$dir" "changes of later series" "6.1, 6.12"
	needs 1 "a kernel of SUSE" "$(kernel_dir 6.12.0-160000.5-default CONFIG_SUSE_KERNEL=y)" \
		"changes of later series"
	for config in RHEL_RELEASE_CODE=2561 CONFIG_SUSE_KERNEL; do
		check "with $config it does not compile either" \
			grep -q "carry changes of later series" <(gcc -x c -fsyntax-only \
			-Wfatal-errors "-D$config" module/base/compat.h 2>&1)
	done
}

cases_needs() {
	needs 0 "a kernel that fits" "$(kernel_dir 6.12.9-test)"
	needs 1 "missing headers" "$NEEDS/lib/modules/6.12.7-gone/build" \
		"No kernel headers" "apt install linux-headers-6.12.7-gone"
	needs 1 "an old kernel" "$(kernel_dir 5.10.0-30-amd64)" "too old" "6.1, 6.12"
	needs 1 "a kernel just too old" "$(kernel_dir 6.0.12)" "too old"
	needs 0 "a series that was not reviewed builds" "$(kernel_dir 6.6.9)" \
		"not reviewed" "refuse to seal"
	needs 1 "another architecture" "$(kernel_dir 6.12.9-arm CONFIG_X86_64)" "x86-64"
	needs 1 "without ftrace-based kprobes" \
		"$(kernel_dir 6.12.9-a CONFIG_KPROBES_ON_FTRACE)" \
		"without CONFIG_KPROBES_ON_FTRACE" "distribution's kernel"
	needs 1 "without ORC" "$(kernel_dir 6.12.9-b CONFIG_UNWINDER_ORC)" CONFIG_UNWINDER_ORC
	needs 1 "with LTO" "$(kernel_dir 6.12.9-c CONFIG_LTO=y)" "with CONFIG_LTO"
	needs_other_distributions
	rm "$(kernel_dir 6.12.9-d)/include/config/auto.conf"
	needs 1 "not configured" "$NEEDS/lib/modules/6.12.9-d/build" modules_prepare
	rm -rf "$NEEDS"
}
