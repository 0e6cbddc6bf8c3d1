# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# QEMU's arguments.
# The variables in capitals are set by run_options.
# shellcheck disable=SC2054,SC2153 # QEMU's own lists are separated by commas

# All that the emulator can do, but what only slows it down: it goes through a string
# instruction byte by byte where "fast strings" promise that this is fast, ends a
# piece of translated code where the kernel opens user memory to itself, and does
# more for each switch between tasks. Where instructions are counted nothing changes,
# so that figures can be compared with older ones.
QEMU_CPU='max,la57=off'
QEMU_CPU_FAST=$QEMU_CPU,-erms,-fsrm,-smap,-smep,-umip,-pku

# to_mib SIZE: 2G, 512M or plain MiB, as MiB
to_mib() {
	case $1 in
	*[Gg]) echo $((${1%[Gg]} * 1024)) ;;
	*[Mm]) echo "${1%[Mm]}" ;;
	*) echo "$1" ;;
	esac
}

# Memory with the part that the kernel is told to take for persistent memory.
# The part must be RAM and hold nothing the firmware put there: q35 has up to
# 2 GiB (2.75 if that is all) below 4 GiB, firmware tables at its end.
qemu_memory() {
	local mem pmem total

	mem=$(to_mib "$MEM")
	total=$mem
	MEMMAP=''
	if [ -n "$PMEM" ]; then
		pmem=$(to_mib "$PMEM")
		total=$((mem + pmem))
		if [ "$total" -le 2560 ] && [ "$mem" -ge 1280 ]; then
			MEMMAP="memmap=${pmem}M!1G"
		else
			# All of it above 4 GiB, where nothing else is.
			[ "$total" -ge $((2048 + pmem)) ] || total=$((2048 + pmem))
			[ "$total" -ge 2816 ] || total=2816
			MEMMAP="memmap=${pmem}M!4G"
		fi
	fi
	TOTAL=$total
}

qemu_disk() {
	local id=$1 file=$2

	shift 2
	ARGS+=(-drive "if=none,id=$id,format=raw,file=$file$*"
		-device "virtio-blk-pci,drive=$id,serial=$id")
}

# A guest that does the same each time, to the instruction: nothing in it may depend
# on when the host is done with something. So its disks are memory, what it says is
# taken before it goes on, and it gets nothing random.
qemu_counted() {
	[ -z "$KEEP$PMEM" ] || die_usage "run: neither --keep nor --pmem goes with --icount"
	machine=q35,nvdimm=on,sata=off
	memory=${TOTAL}M,slots=2,maxmem=$((TOTAL + 16384))M
	ports=,ioeventfd=off
	ARGS=(-icount 'shift=0,sleep=off' -seed 1
		-rtc 'base=2026-01-01,clock=vm')
	qemu_memory_disk root "$IMAGE/root.img"
	[ ! -f "$work/seal.img" ] || qemu_memory_disk seal "$work/seal.img"
}

# qemu_memory_disk ID FILE: what the guest writes to it stays with the guest
qemu_memory_disk() {
	ARGS+=(-object "memory-backend-file,id=$1,mem-path=$2,size=$(stat -c %s "$2"),share=off"
		-device "nvdimm,id=nv$1,memdev=$1")
}

# qemu_args WORK SHELL: fill ARGS
qemu_args() {
	local work=$1 shell=$2 disk number=0 accel machine memory ports=''

	qemu_memory
	[ -n "$ICOUNT" ] || QEMU_CPU=$QEMU_CPU_FAST
	if [ -n "$ICOUNT" ]; then
		accel=tcg,thread=single
		qemu_counted
	else
		accel=tcg,thread=$THREAD
		machine=q35,pit=off memory=${TOTAL}M
		ARGS=(-object rng-random,filename=/dev/urandom,id=rng
			-device virtio-rng-pci,rng=rng)
	fi
	ARGS+=(-nodefaults -no-user-config -display none -no-reboot
		-M "$machine" -accel "$accel" -cpu "$QEMU_CPU"
		-smp "$SMP" -m "$memory"
		-kernel "$KERNEL" -initrd "$work/initrd.img"
		-append "$(qemu_kernel_args)")
	[ -n "$ICOUNT" ] || qemu_disk root "$IMAGE/root.img" \
		"$([ -n "$KEEP" ] || echo ,snapshot=on),cache=unsafe"
	for disk in "${DISKS[@]}"; do
		number=$((number + 1))
		case $disk in
		size:*)
			truncate -s "${disk#size:}" "$work/disk$number.img"
			qemu_disk "disk$number" "$work/disk$number.img" \
				,cache=unsafe,discard=unmap
			;;
		file:*)
			qemu_disk "disk$number" "$(readlink -f "${disk#file:}")" \
				,cache=writeback,discard=unmap
			;;
		esac
	done
	# Last, so that it does not shift the names of the disks before it.
	[ ! -f "$work/seal.img" ] || [ -n "$ICOUNT" ] ||
		qemu_disk seal "$work/seal.img" ,cache=unsafe
	if [ -n "$RESULTS" ]; then
		mkdir -p "$RESULTS"
		ARGS+=(-fsdev "local,id=results,path=$(readlink -f "$RESULTS"),security_model=none"
			-device virtio-9p-pci,fsdev=results,mount_tag=results)
	fi
	if [ -n "$shell" ]; then
		ARGS+=(-chardev "stdio,id=tty,mux=on,signal=off,logfile=$LOG"
			-serial chardev:tty -monitor chardev:tty)
	else
		ARGS+=(-chardev "file,id=log,path=$LOG" -serial chardev:log
			-device "virtio-serial-pci$ports"
			-chardev "file,id=out,path=$work/out"
			-device virtserialport,chardev=out,name=out
			-chardev "pipe,id=monitor,path=$work/monitor" -monitor chardev:monitor
			-chardev "file,id=status,path=$work/status"
			-device virtserialport,chardev=status,name=status)
		[ -z "$INPUT" ] || ARGS+=(-chardev "pipe,id=in,path=$work/in"
			-device virtserialport,chardev=in,name=in)
	fi
	ARGS+=("${QEMU_ARGS[@]}")
}

# The guest's processors count as the host's do. How fast that is, a guest on a busy
# host may find out wrongly: one took a fifth of it, and all its limits were a fifth of
# what they should be. So it is told, if the host's kernel has written it to its log;
# without that the guest measures, at a clock that does not mislead it (no PIT).
qemu_tsc() {
	dmesg 2>/dev/null |
		sed -nE 's/.*tsc: .*(Detected|calibration:) ([0-9]+)\.([0-9]{3}) MHz.*/tsc_early_khz=\2\3/p' |
		tail -n 1
}

qemu_kernel_args() {
	# Warnings go to the log from the start, the rest only once the boot is
	# over (see rc). The stall limits allow for a loaded host, on which the
	# timer check, too, takes a late tick for none and panics.
	printf '%s ' console=ttyS0,115200 loglevel=5 panic=-1 oops=panic \
		mitigations=off tsc=reliable no_timer_check \
		rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 \
		net.ifnames=0 "$MEMMAP" "$APPEND"
	# and where instructions are counted, nothing random
	if [ -n "$ICOUNT" ]; then
		printf '%s ' nokaslr norandmaps
	else
		qemu_tsc
	fi
}
