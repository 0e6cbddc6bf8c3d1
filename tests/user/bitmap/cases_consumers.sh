# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Cases: stock programs that read the overlay: QEMU's tools, libnbd.

SOCKET=/run/seal-bitmap/nbd.sock
URI="nbd+unix:///?socket=$SOCKET"

# by_qemu_nbd OVERLAY CMD...: while it is served
by_qemu_nbd() {
	local overlay=$1 pid status

	shift
	rm -f "$SOCKET"
	qemu-nbd --read-only --persistent --shared=0 --format=qcow2 --bitmap=changed \
		--socket="$SOCKET" "$overlay" &
	pid=$!
	until_true [ -S "$SOCKET" ]
	"$@"
	status=$?
	kill "$pid"
	wait "$pid"
	return "$status"
}

by_storage_daemon() {
	local overlay=$1 pid status

	shift
	rm -f "$SOCKET"
	qemu-storage-daemon \
		--blockdev "driver=qcow2,node-name=disk,read-only=on,file.driver=file,file.filename=$overlay" \
		--nbd-server "addr.type=unix,addr.path=$SOCKET" \
		--export type=nbd,id=export,node-name=disk,name=,bitmaps.0=changed &
	pid=$!
	until_true [ -S "$SOCKET" ]
	"$@"
	status=$?
	kill "$pid"
	wait "$pid"
	return "$status"
}

# by_serve NEW CMD...: what differs from "before"; the server goes with the client
by_serve() {
	local new=$1 status

	shift
	rm -f "$SOCKET" "$T/uri"
	sealctl serve --socket "$SOCKET" before "$new" >"$T/uri" &
	SERVER=$!
	until_true [ -s "$T/uri" ]
	"$@"
	status=$?
	wait "$SERVER" && [ ! -e "$SOCKET" ] && return "$status"
}

# by_backup_job OVERLAY COPY: QEMU's own incremental backup, merged into COPY
# shellcheck disable=SC2094 # its answers say when the job is done
by_backup_job() {
	local overlay=$1 copy=$2

	rm -f "$T/increment"
	truncate -s "$(stat -c %s new)" "$copy"
	qemu-img create -q -f qcow2 -b "$copy" -F raw "$T/increment"
	{
		echo '{"execute": "qmp_capabilities"}'
		echo '{"execute": "blockdev-backup", "arguments": {"job-id": "job",
			"device": "disk", "target": "increment", "sync": "bitmap",
			"bitmap": "changed", "bitmap-mode": "never"}}'
		until_true grep -q BLOCK_JOB_COMPLETED "$T/qmp"
		echo '{"execute": "quit"}'
	} | qemu-storage-daemon \
		--blockdev "driver=qcow2,node-name=disk,read-only=on,file.driver=file,file.filename=$overlay" \
		--blockdev "driver=qcow2,node-name=increment,file.driver=file,file.filename=$T/increment" \
		--chardev stdio,id=qmp --monitor chardev=qmp >"$T/qmp"
	grep -q '"BLOCK_JOB_COMPLETED".*"device": "job"' "$T/qmp" &&
		! grep -q '"error"' "$T/qmp" && qemu-img commit -q "$T/increment"
}

same() {
	[ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]
}

cases_consumers() {
	make_pair 4
	patch_file new 3 100
	fallocate -p -o 2097152 -l 131072 new
	sealctl bitmap -q -o o.qcow2 old new
	expect 0 "qemu-nbd serves it to nbdinfo" by_qemu_nbd "$PWD/o.qcow2" nbdinfo --json "$URI"
	holds "with both contexts" '.exports[0] | ."export-size" == 4194304 and .is_read_only and
		(.contexts | sort == ["base:allocation", "qemu:dirty-bitmap:changed"])'
	expect 0 "nbdinfo --map" by_qemu_nbd "$PWD/o.qcow2" nbdinfo --json \
		--map=qemu:dirty-bitmap:changed "$URI"
	holds "the dirty granules" '[.[] | select(.type == 1) | [.offset, .length]] ==
		[[0, 65536], [393216, 65536], [2097152, 131072]]'
	expect 0 "and what is allocated" by_qemu_nbd "$PWD/o.qcow2" nbdinfo --json \
		--map=base:allocation "$URI"
	holds "the hole is one" '[.[] | select(.type % 4 >= 2) | [.offset, .length]] ==
		[[2097152, 131072]]'
	expect 0 "nbdcopy of all of it" by_qemu_nbd "$PWD/o.qcow2" nbdcopy "$URI" copy
	check "is NEW" same copy new
	expect 0 "qemu-storage-daemon serves it as well" by_storage_daemon "$PWD/o.qcow2" \
		nbdinfo --json --map=qemu:dirty-bitmap:changed "$URI"
	holds "the same bitmap" '[.[] | select(.type == 1) | .offset] == [0, 393216, 2097152]'
	expect 1 "a bitmap of another name" by_qemu_nbd "$PWD/o.qcow2" nbd-incremental "$URI" x copy
	rm -f old new copy o.qcow2
}

# What a day brings: blocks written, freed, zeroed, the file longer or shorter.
a_day() {
	local day=$1 size=$2

	patch_file image "$day" $((day * 7)) $((size / 8192 + day))
	dd if=/dev/urandom of=image bs=64k count=3 seek=$((day * 5)) conv=notrunc status=none
	fallocate -p -o $((day * 262144)) -l 65536 image
	fallocate -z -o $((day * 300000)) -l 50000 image
	truncate -s "$size" image
}

# A full copy and five increments; each way to bring it up to date has its own copy.
cases_chain() {
	local day way tool sizes=(4194304 4194304 5242880 5242880 3145728 6291456)

	rm -f image before new copy-*
	dd if=/dev/urandom of=image bs=1M count=4 status=none
	sealctl snapshot -q image before
	for tool in qemu-nbd qemu-storage-daemon nbdcopy nbdinfo bmaptool; do
		"$tool" --version | head -n 1
	done
	by_qemu_nbd_full
	for day in 1 2 3 4 5; do
		a_day "$day" "${sizes[day]}"
		rm -f new o.qcow2
		sealctl snapshot -q image new
		sealctl bitmap -q -g 4K -o o.qcow2 before new
		by_qemu_nbd "$PWD/o.qcow2" nbd-incremental "$URI" changed copy-qemu-nbd
		by_storage_daemon "$PWD/o.qcow2" nbd-incremental "$URI" changed copy-storage-daemon
		by_serve new nbd-incremental "$URI" changed copy-serve
		by_backup_job "$PWD/o.qcow2" "$PWD/copy-backup-job"
		by_bmaptool
		for way in qemu-nbd storage-daemon serve backup-job; do
			check "day $day by $way: the copy has the bytes of NEW" same new "copy-$way"
		done
		[ ! -b "$SEAL_PMEM" ] || check "day $day by bmaptool" \
			cmp -n "$(stat -c %s new)" new "$SEAL_PMEM"
		mv -f new before
	done
	rm -f image before o.qcow2 copy-* "$T/increment"
}

by_qemu_nbd_full() {
	local way

	sealctl bitmap -q -o o.qcow2 before before
	for way in qemu-nbd storage-daemon serve backup-job; do
		check "full copy for $way, by nbdcopy" by_qemu_nbd "$PWD/o.qcow2" \
			nbdcopy "$URI" "copy-$way"
	done
	rm -f o.qcow2
	if [ -b "$SEAL_PMEM" ]; then
		dd if=/dev/urandom of="$SEAL_PMEM" bs=1M count=8 conv=fsync status=none
		sealctl diff --bmap --zeros before >"$T/bmap"
		check "full copy by bmaptool" bmaptool -q copy --no-sig-verify --bmap "$T/bmap" \
			before "$SEAL_PMEM"
		check "onto a device that was dirty" cmp -n 4194304 before "$SEAL_PMEM"
	else
		skip "bmaptool: no $SEAL_PMEM to copy to"
	fi
}

by_bmaptool() {
	[ -b "$SEAL_PMEM" ] || return 0
	sealctl diff --bmap before new >"$T/bmap"
	bmaptool -q copy --no-sig-verify --bmap "$T/bmap" new "$SEAL_PMEM"
}

sealed() {
	sealctl status -q "$1"
}

not_sealed() {
	! sealed "$1"
}

# start_server ARG...: in the background; its URI is in $SERVED then
start_server() {
	: >"$T/uri"
	"$@" >"$T/uri" 2>"$T/err" </dev/null &
	SERVER=$!
	until_true [ -s "$T/uri" ]
	SERVED=$(<"$T/uri")
}

# connect URI: a client that stays, in the background
connect() {
	rm -f "$T/connected"
	python3 -c 'import nbd, sys, time
handle = nbd.NBD()
handle.connect_uri(sys.argv[1])
open(sys.argv[2], "w").write("yes")
time.sleep(600)' "$1" "$T/connected" &
	CLIENT=$!
}

no_server() {
	[ -z "$(pgrep -x qemu-nbd)" ]
}

gone() {
	no_server && [ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]
}

# A client that reads one block again and again: does it ever see what a program
# writes to NEW? It ends with the connection.
read_again() {
	python3 -c 'import nbd, sys
handle = nbd.NBD()
handle.connect_uri(sys.argv[1])
first = handle.pread(4096, 0)
open(sys.argv[2], "w").write("yes")
try:
    while handle.pread(4096, 0) == first:
        pass
    print("changed")
except nbd.Error:
    print("ended")' "$1" "$T/connected" >"$T/seen" &
	CLIENT=$!
}

serve_writer() {
	local try

	for try in 1 2 3; do
		make_pair 1
		rm -f "$T/connected"
		start_server sealctl serve -t old new
		read_again "$SERVED"
		until_true [ -s "$T/connected" ]
		dd if=/dev/zero of=new bs=4k count=1 conv=notrunc status=none
		wait "$SERVER"
		wait "$CLIENT"
		check "$try: no client sees what was written" [ "$(<"$T/seen")" = ended ]
	done
	check "and nothing is left" gone
}

# Nobody reads what it prints, or it inherits that signals are ignored.
serve_unheard() {
	# shellcheck disable=SC2016 # for that bash
	expect 1 "its reader is gone" bash -c 'sealctl serve old new | true
		exit "${PIPESTATUS[0]}"'
	check "nothing is left" gone
	expect 1 "its output is full" timeout 30 bash -c 'sealctl serve old new >/dev/full'
	says "is told" "nobody was told"
	check "nothing is left" gone
	expect 1 "it has none" timeout 30 bash -c 'sealctl serve old new >&-'
	check "nothing is left" gone
	trap '' CHLD
	start_server sealctl serve old new
	trap - CHLD
	expect 0 "a client, where SIGCHLD is ignored" nbdinfo "$SERVED"
	check "it ends with it all the same" until_true not_sealed new
	check "and leaves nothing" until_true gone
	kill -KILL "$SERVER" 2>/dev/null
	wait "$SERVER" 2>/dev/null
	start_server sealctl serve old new
	expect 1 "a copy that is not there" nbd-incremental "$SERVED" changed "$T/none"
	says "is told" "No such file"
	refute "is not made" [ -e "$T/none" ]
}

# Does the server have FILE open past the page cache?
opened_direct() {
	local pid fd

	for pid in $(pgrep -x qemu-nbd); do
		for fd in "/proc/$pid/fd/"*; do
			[ "$fd" -ef "$1" ] || continue
			# O_DIRECT, as fdinfo has it: in octal
			(($(awk '/^flags:/ { print $2 }' "${fd/fd/fdinfo}") & 040000)) &&
				return
		done
	done
	return 1
}

cases_serve() {
	export XDG_RUNTIME_DIR=$T/runtime

	mkdir -p "$XDG_RUNTIME_DIR"
	make_pair 4
	patch_file new 3 100
	start_server sealctl serve -g 4K old new
	check "NEW is held while it is served" sealed new
	check "OLD is not" not_sealed old
	check "it is read past the page cache: nothing is read ahead" opened_direct new
	expect 0 "its client sees the bitmap" nbdinfo --json --map=qemu:dirty-bitmap:changed "$SERVED"
	holds "exactly" '[.[] | select(.type == 1) | [.offset, .length]] ==
		[[12288, 4096], [409600, 4096]]'
	check "it ends with its client" wait "$SERVER"
	check "and leaves nothing" gone
	check "NEW is not sealed any more" not_sealed new
	refute "nobody answers" nbdinfo "$SERVED"

	start_server sealctl serve old new
	expect 0 "both contexts" nbdinfo --json "$SERVED"
	holds "for reading" '.exports[0] | .is_read_only and
		(.contexts | sort == ["base:allocation", "qemu:dirty-bitmap:changed"])'
	wait "$SERVER"

	start_server sealctl serve old new
	connect "$SERVED"
	check "a client is there" until_true [ -s "$T/connected" ]
	kill -KILL "$CLIENT"
	wait "$CLIENT" 2>/dev/null
	check "a client that is killed: it ends as well" wait "$SERVER"
	check "and leaves nothing" gone

	start_server sealctl serve old new
	connect "$SERVED"
	until_true [ -s "$T/connected" ]
	expect 0 "a second client comes and goes" nbdinfo "$SERVED"
	check "the first one is served on" kill -0 "$SERVER"
	check "NEW is still held" sealed new
	kill "$CLIENT"
	wait "$CLIENT" 2>/dev/null
	check "it ends with the last" wait "$SERVER"
	check "and leaves nothing" gone

	start_server sealctl serve -t -n two -s "$T/a b%.sock" old new
	check "the path of its socket is quoted" [ "${SERVED##*socket=}" = "$T/a%20b%25.sock" ]
	expect 0 "a first client" nbdinfo --json "$SERVED"
	expect 0 "a second one, over several connections" nbdcopy "$SERVED" copy
	check "has NEW" same copy new
	kill -TERM "$SERVER"
	check "it ends when it is told" wait "$SERVER"
	check "and leaves nothing" gone
	refute "nor a socket" [ -e "$T/a b%.sock" ]

	start_server sealctl serve -t old new
	kill -KILL "$SERVER"
	wait "$SERVER" 2>/dev/null
	check "killed, it takes its server with it" until_true no_server
	check "and its seal" not_sealed new
	rm -rf "${XDG_RUNTIME_DIR:?}"/*

	start_server sealctl serve -t old new
	# not by "expect", whose file of messages is the server's, too
	check "somebody writes to NEW" \
		dd if=/dev/zero of=new bs=4k count=1 conv=notrunc status=none
	wait "$SERVER"
	check "the server is given up" [ $? -eq 1 ]
	# shellcheck disable=SC2034 # for "says"
	ERR=$(<"$T/err")
	says "and says why" "goes first" "not to be used"
	check "and leaves nothing" gone

	serve_writer
	serve_unheard

	exec 9<>new
	expect 1 "NEW is open for writing" sealctl serve old new
	says "the remedy" "sealctl snapshot"
	exec 9<&-
	ln -sf "$SEAL_TREE/tools/sealctl" "$T/sealctl"
	expect 1 "without qemu-nbd" env PATH="$T" "$T/sealctl" serve old new
	says "what to install" "qemu-utils"
	expect 1 "a socket that is there" sealctl serve -s "$T/err" old new
	says "is named, with what to do" "exists already"
	check "stays" [ -e "$T/err" ]
	expect 1 "a path that is too long for a socket" sealctl serve \
		-s "/tmp/$(printf %0120d 0)" old new
	says "is refused" "shorter one"
	check "nothing is left of all that" gone
	rm -f old new copy
	unset XDG_RUNTIME_DIR
}
