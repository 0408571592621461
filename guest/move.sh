#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A VM that is moved from one QEMU to another whenever the guest says "# hold": live, over a
# Unix socket, or by a snapshot (savevm, loadvm) in an image.  The guest's console is our
# stdout, its exit code ours.
#
#   guest/move.sh live|snapshot SOURCE-ARG... -- TARGET-ARG...
#
# The arguments are QEMU's, without serial port and monitor.  What is in a file is unlinked
# as soon as all have it open: who is killed cannot tidy up.

set -euo pipefail
how=$1
shift
source=()
while [ "$1" != -- ]; do
	source+=("$1")
	shift
done
shift
target=("$@")

pids=()
dir=''
trap 'kill "${pids[@]}" 2>/dev/null || :; tidy' EXIT

new_dir()
{
	dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
}

tidy()
{
	[ -z "$dir" ] || rm -rf "$dir"
}

# start ARG...: a QEMU whose serial port and monitor are pipes in $dir.
start()
{
	mkfifo "$dir/serial.in" "$dir/serial.out" "$dir/qmp.in" "$dir/qmp.out"
	"$@" -serial "pipe:$dir/serial" -chardev "pipe,id=qmp,path=$dir/qmp" -mon chardev=qmp,mode=control \
		</dev/null 2>"$dir/errors" &
	pid=$!
	pids+=("$pid")
	# Read and write, so that neither side waits for the other.
	exec {serial_in}<>"$dir/serial.in" {serial_out}<>"$dir/serial.out"
	exec {qmp_in}<>"$dir/qmp.in" {qmp_out}<>"$dir/qmp.out" {errors}<>"$dir/errors"
	qmp '{"execute": "qmp_capabilities"}' >/dev/null
}

fail()
{
	echo "# $1: $(head -n 1 <&"$errors")"
	exit 3
}

# qmp JSON: what the command returns.
qmp()
{
	local line

	echo "$1" >&"$qmp_in"
	while read -r -t 60 -u "$qmp_out" line; do
		case $line in
		*'"return"'* | *'"error"'*) echo "$line"; return ;;
		esac
	done
	fail "QEMU does not answer"
}

# Passes the guest's lines on, until it holds (true) or the VM has ended (false).
follow()
{
	local line part=''

	while :; do
		if read -r -t 0.2 -u "$serial_out" line; then
			line=$part$line
			part=''
			[ "$line" != "# hold" ] || return 0
			# Before the guest a firmware may speak.
			[[ $line != "KTAP version"* ]] || begun=y
			[ -z "$begun" ] || printf '%s\n' "$line"
		else
			part=$part$line
			# What it said last has come by now.
			kill -0 "$pid" 2>/dev/null || return 1
		fi
	done
}

# migrate URI: waits until the state has gone out.
migrate()
{
	local status=''

	qmp "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"$1\"}}" >/dev/null
	until [ "$status" = completed ]; do
		status=$(qmp '{"execute": "query-migrate"}' | jq -r '.return.status // "none"')
		[ "$status" != failed ] || fail "the migration failed"
		sleep 0.02
	done
}

# snapshot save|load|delete: what HMP's savevm, loadvm and delvm do.
snapshot()
{
	local answer vmstate='"vmstate": "state", '

	[ "$1" != delete ] || vmstate=''
	answer=$(qmp "{\"execute\": \"snapshot-$1\", \"arguments\":
		{$vmstate\"devices\": [\"state\"], \"tag\": \"moved\", \"job-id\": \"$1\"}}")
	until [[ $answer == *'"error"'* || $answer == *'"concluded"'* ]]; do
		answer=$(qmp '{"execute": "query-jobs"}')
		sleep 0.02
	done
	[[ $answer != *'"error"'* ]] || fail "snapshot-$1 failed: $answer"
	qmp "{\"execute\": \"job-dismiss\", \"arguments\": {\"id\": \"$1\"}}" >/dev/null
}

end()
{
	kill "$1"
	wait "$1" || :
}

begun='' disk=()
new_dir
if [ "$how" = snapshot ]; then
	qemu-img create -q -f qcow2 "$dir/state" 1M
	exec {state}<>"$dir/state"
	disk=(-blockdev "driver=qcow2,node-name=state,file.driver=file,file.filename=/proc/self/fd/$state")
fi
start "${source[@]}" "${disk[@]}"
tidy
while follow; do
	old=$pid
	new_dir
	if [ "$how" = live ]; then
		old_in=$qmp_in old_out=$qmp_out
		start "${target[@]}" -incoming "unix:$dir/socket"
		until [ -S "$dir/socket" ]; do
			kill -0 "$pid" 2>/dev/null || fail "the second QEMU does not start"
			sleep 0.02
		done
		new_in=$qmp_in new_out=$qmp_out
		qmp_in=$old_in qmp_out=$old_out
		migrate "unix:$dir/socket"
		qmp_in=$new_in qmp_out=$new_out
		end "$old"
	else
		qmp '{"execute": "stop"}' >/dev/null
		snapshot save
		end "$old"
		start "${target[@]}" "${disk[@]}" -S
		snapshot load
		snapshot delete
		qmp '{"execute": "cont"}' >/dev/null
	fi
	tidy
	# What came to the serial port before its state would be lost.
	until qmp '{"execute": "query-status"}' | grep -q '"running": true'; do
		kill -0 "$pid" 2>/dev/null || fail "the second QEMU does not take the state"
		sleep 0.02
	done
	printf g >&"$serial_in"
done
code=0
wait "$pid" || code=$?
# As QEMU's isa-debug-exit passes it on.
[ "$code" -lt 33 ] || code=$(((code - 33) / 2))
exit "$code"
