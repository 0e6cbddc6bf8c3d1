# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# vm run: boot a guest, run one command, hand back its output and status.
#
# The command's output and its status travel over virtio-serial ports, the
# console over the serial line into the log, so that neither can be mistaken
# for the other.

# shellcheck source=tests/vm/host/image.sh
. "$VM_DIR/host/image.sh"
# shellcheck source=tests/vm/host/emulator.sh
. "$VM_DIR/host/emulator.sh"
# shellcheck source=tests/vm/host/vmlinux.sh
. "$VM_DIR/host/vmlinux.sh"
# shellcheck source=tests/vm/host/qemu.sh
. "$VM_DIR/host/qemu.sh"
# shellcheck source=tests/vm/host/scan.sh
. "$VM_DIR/host/scan.sh"
# shellcheck source=tests/vm/host/build.sh
. "$VM_DIR/host/build.sh"

STATUS_TIMEOUT=124	# as timeout(1)
STATUS_LOG=125		# the log has what must not be there, or the guest died
SEAL_DISK_UUID=5ea15ea1-5ea1-5ea1-5ea1-5ea15ea15ea1

run_usage() {
	cat <<-USAGE
	usage: vm run GUEST [OPTION...] -- CMD [ARG...]
	  --mem SIZE          memory (2G), pmem comes on top
	  --smp N             processors (2)
	  --timeout SEC       limit for boot and command (600); passing it: status 124
	  --pmem SIZE         /dev/pmem0 of this size
	  --disk SIZE         an empty disk, /dev/vdb and on (repeatable)
	  --disk-file PATH    the same from a raw file that is kept (repeatable)
	  --results DIR       the guest's /results is this directory, live
	  --log FILE          where the console log goes (kept on failure anyway)
	  --allow-log REGEX   exempt matching lines from the log scan (repeatable)
	  --env NAME=VALUE    set in the command's environment (repeatable)
	  --input             CMD reads what is written to this command's standard
	                      input; the limit counts from the last line of it
	  --no-scan           leave the log to the caller ("vm scan")
	  --append ARGS       more kernel arguments
	  --resume DISK:OFFSET  go on from the image that a guest with the same memory
	                      and disks has left on DISK (vdb), when it was hibernated
	  --udev              run systemd-udevd
	  --systemd           run systemd as process 1, CMD as a service of it
	  --single            emulate all processors in one thread
	  --icount            one processor, time counts instructions; the same each
	                      time, to the instruction, without --disk and --results
	  --pidfile FILE      QEMU's process id (kill -9 it for a power cut)
	  --no-build          leave /seal empty
	  --image DIR         boot this image, of the same layout as those in the cache
	  --keep              keep what is changed on the root disk (with --image only)
	  --qemu-arg ARG      an argument for QEMU (repeatable)
	status: that of CMD; 124 time is up; 125 the guest died or its log has a
	BUG, WARNING, oops, lockdep, KASAN, ... line
	USAGE
}

run_options() {
	MEM=2G SMP=2 TIMEOUT=600 PMEM='' RESULTS='' LOG='' APPEND='' UDEV=''
	SYSTEMD='' INPUT='' SCAN=1 THREAD=multi ICOUNT='' PIDFILE='' BUILD=1 OTHER_IMAGE='' KEEP=''
	RESUME=''
	DISKS=() ALLOW=() ENVIRONMENT=() QEMU_ARGS=() COMMAND=()
	while [ $# -gt 0 ]; do
		case $1 in
		--mem | --smp | --timeout | --pmem | --disk | --disk-file | \
			--results | --log | --allow-log | --env | --append | \
			--pidfile | --qemu-arg | --image | --resume)
			[ $# -ge 2 ] || die_usage "run: $1 needs a value"
			;;
		esac
		case $1 in
		--mem) MEM=$2 && shift ;;
		--smp) SMP=$2 && shift ;;
		--timeout) TIMEOUT=$2 && shift ;;
		--pmem) PMEM=$2 && shift ;;
		--disk) DISKS+=("size:$2") && shift ;;
		--disk-file) DISKS+=("file:$2") && shift ;;
		--results) RESULTS=$2 && shift ;;
		--log) LOG=$2 && shift ;;
		--allow-log) ALLOW+=("$2") && shift ;;
		--env) ENVIRONMENT+=("$2") && shift ;;
		--append) APPEND="$APPEND $2" && shift ;;
		--pidfile) PIDFILE=$2 && shift ;;
		--resume) RESUME=$2 && shift ;;
		--qemu-arg) QEMU_ARGS+=("$2") && shift ;;
		--udev) UDEV=1 ;;
		--systemd) SYSTEMD=1 ;;
		--input) INPUT=1 ;;
		--no-scan) SCAN='' ;;
		--single) THREAD=single ;;
		--icount) ICOUNT=1 THREAD=single SMP=1 ;;
		--no-build) BUILD='' ;;
		--image) OTHER_IMAGE=$2 && shift ;;
		--keep) KEEP=1 ;;
		--help | -h)
			run_usage
			exit 0
			;;
		--)
			shift
			COMMAND=("$@")
			[ -z "$KEEP" ] || [ -n "$OTHER_IMAGE" ] ||
				die_usage "run: --keep would change the image of all, it needs --image"
			return
			;;
		*) die_usage "run: unknown option '$1' (vm run --help)" ;;
		esac
		shift
	done
}

# run_initrd WORK SHELL: the image's initrd followed by what is of this run
run_initrd() {
	local work=$1 shell=$2 name cols=80 rows=24
	local vm=$work/vm/vm

	mkdir -p "$vm"
	[ -z "$ICOUNT" ] || : >"$vm/memory"
	[ -z "$RESUME" ] || echo "${RESUME/:/ }" >"$vm/resume"
	install -m 755 "$VM_DIR/guest/rc" "$vm/init"
	[ -z "$shell" ] || read -r rows cols < <(stty size 2>/dev/null || echo 24 80)
	# A terminal that does not know its size says 0 0.
	[ "$rows" -gt 0 ] || rows=24 cols=80
	cat >"$vm/options" <<-OPTIONS
	VM_PMEM=$PMEM
	VM_UDEV=$UDEV
	VM_SYSTEMD=$SYSTEMD
	VM_RESULTS=${RESULTS:+1}
	VM_SHELL=$shell
	VM_COLS=$cols
	VM_ROWS=$rows
	OPTIONS
	{
		for name in "${ENVIRONMENT[@]}"; do
			printf 'export %q\n' "$name"
		done
		# "exec" would leave no shell to report 127 in its own words.
		printf '%q ' "${COMMAND[@]}"
		echo
	} >"$vm/command"
	initrd_pack "$IMAGE/root" "$work/vm" "$work/vm.cpio"
	cat "$IMAGE/initrd.img" "$work/vm.cpio" >"$work/initrd.img"
}

# run_seal_disk WORK: the build of this checkout as a disk, if there is one
run_seal_disk() {
	local work=$1 dir size lock

	dir=$(build_dir)
	[ -n "$BUILD" ] && [ -d "$dir" ] || return 0
	# A build under way would leave half-written files in it.
	exec {lock}>>"$dir.lock"
	flock --shared "$lock"
	size=$(du -sxm --apparent-size "$dir" | cut -f1)
	truncate -s "$((size * 2 + 128))M" "$work/seal.img"
	# nothing random in it, see --icount
	mke2fs -q -F -t ext4 -L seal -m 0 -O ^has_journal -U "$SEAL_DISK_UUID" \
		-E "lazy_itable_init=1,hash_seed=$SEAL_DISK_UUID" -d "$dir" "$work/seal.img"
	exec {lock}>&-
}

# run_wait QEMU: until it ends; false if the time is up first. A panic makes
# the guest reset and QEMU end; should the panic itself get stuck, end it here.
run_wait() {
	local qemu=$1 deadline=$((SECONDS + TIMEOUT)) look=$((SECONDS + 2)) told

	while kill -0 "$qemu" 2>/dev/null; do
		if [ "$SECONDS" -ge "$look" ]; then
			look=$((SECONDS + 2))
			if [ -f "$WORK/told" ]; then
				told=$(($(date +%s) - $(stat -c %Y "$WORK/told")))
				deadline=$((SECONDS - told + TIMEOUT))
			fi
			if grep -q -a -F 'end Kernel panic' "$LOG"; then
				kill -9 "$qemu" 2>/dev/null || true
				return 0
			fi
		fi
		if [ "$SECONDS" -ge "$deadline" ]; then
			run_dump
			kill -9 "$qemu" 2>/dev/null || true
			return 1
		fi
		sleep 0.1
	done
}

# Have the kernel log which tasks are blocked, where, and what each processor
# does: a hang is hard to explain without.
run_dump() {
	printf 'sendkey alt-sysrq-%s\n' l w >>"$WORK/monitor.in"
	sleep 3
}

# run_input FD: pass on what this command is told, and when that was
run_input() {
	local line

	while IFS= read -r line; do
		: >"$WORK/told"
		printf '%s\n' "$line" >&"$1"
	done
}

run_guest() {
	local work=$1 reader qemu hold monitor input='' writer='' hung='' status=''

	mkfifo "$work"/{out,monitor.in,monitor.out,in.in,in.out}
	: >"$work/status"
	# Held open, so that neither side waits for a QEMU that never starts; the
	# reader sees the end once both QEMU and this hold are gone.
	exec {hold}<>"$work/out" {monitor}<>"$work/monitor.in"
	cat <"$work/out" {hold}<&- {monitor}<&- &
	reader=$!
	"${QEMU[@]}" "${ARGS[@]}" </dev/null >"$work/qemu.log" 2>&1 {hold}<&- {monitor}<&- &
	qemu=$!
	if [ -n "$INPUT" ]; then
		exec {input}<>"$work/in.in"
		run_input "$input" <&0 {hold}<&- {monitor}<&- &
		writer=$!
	fi
	# Interrupted or killed, leave no guest behind.
	# shellcheck disable=SC2064 # now is when the process is known
	trap "kill -9 $qemu $writer 2>/dev/null || :; rm -rf '$work'" EXIT
	[ -z "$PIDFILE" ] || echo "$qemu" >"$PIDFILE"
	run_wait "$qemu" || hung=1
	wait "$qemu" 2>/dev/null || true
	[ -z "$INPUT" ] || kill "$writer" 2>/dev/null || true
	exec {hold}<&- {monitor}<&-
	wait "$reader" 2>/dev/null || true
	read -r _ status <"$work/status" || true

	if [ -s "$work/qemu.log" ]; then
		say "$GUEST: QEMU says:"
		tail -n 20 "$work/qemu.log" >&2
	fi
	if [ -n "$hung" ]; then
		run_failed "no end within $TIMEOUT s" "$STATUS_TIMEOUT"
	elif [ -n "$SCAN" ] && ! scan_log "$LOG" >"$work/found"; then
		cat "$work/found" >&2
		run_failed "the console log has lines that must not be there" "$STATUS_LOG"
	elif [ -z "$status" ]; then
		run_failed "the guest went away before the command ended" "$STATUS_LOG"
	fi
	return "$status"
}

run_failed() {
	say "$GUEST: $1; the end of the console log ($LOG):"
	tail -n 40 "$LOG" >&2
	exit "$2"
}

# run_prepare SHELL: work directory, initrd, disks and QEMU's arguments
run_prepare() {
	# shellcheck disable=SC2119 # no further packages
	vm_deps
	mkdir -p "$VM_CACHE"/{tmp,log}
	if [ -n "$OTHER_IMAGE" ]; then
		IMAGE=$OTHER_IMAGE
	else
		image_need
	fi
	WORK=$(mktemp -d "$VM_CACHE/tmp/run.XXXXXX")
	# shellcheck disable=SC2064 # now is when the directory is known
	trap "rm -rf '$WORK'" EXIT
	[ -n "$LOG" ] || LOG=$VM_CACHE/log/console-$GUEST-$$.log
	: >"$LOG"
	LOG=$(readlink -f "$LOG")
	run_initrd "$WORK" "$1"
	run_seal_disk "$WORK"
	qemu_find
	vmlinux_find
	qemu_args "$WORK" "$1"
}

vm_run() {
	local status=0 keep=''

	case ${1:-} in
	-h | --help)
		run_usage
		return
		;;
	esac
	guest_select "${1:-}"
	shift
	run_options "$@"
	[ "${#COMMAND[@]}" -gt 0 ] || die_usage "run: no command after --"
	keep=$LOG
	run_prepare ''
	run_guest "$WORK" || status=$?
	[ -n "$keep" ] || rm -f "$LOG"
	return "$status"
}
