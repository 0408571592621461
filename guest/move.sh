#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A VM that is moved from one QEMU to another whenever the guest says "# hold": live, over a
# Unix socket, or into a file and out of it.  The guest's console is our stdout, its exit
# code ours.
#
#   guest/move.sh live|snapshot SOURCE-ARG... -- TARGET-ARG...
#
# The arguments are QEMU's, without serial port and monitor.

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

dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; rm -rf "$dir"' EXIT

# start N ARG...: a QEMU whose serial port and monitor are pipes.
start()
{
	local n=$1

	shift
	mkfifo "$dir/serial$n.in" "$dir/serial$n.out" "$dir/qmp$n.in" "$dir/qmp$n.out"
	"$@" -serial "pipe:$dir/serial$n" -chardev "pipe,id=qmp,path=$dir/qmp$n" -mon chardev=qmp,mode=control \
		</dev/null 2>"$dir/errors$n" &
	pid=$!
	pids+=("$pid")
	# Read and write, so that neither side waits for the other.
	exec {serial_in}<>"$dir/serial$n.in" {serial_out}<>"$dir/serial$n.out"
	exec {qmp_in}<>"$dir/qmp$n.in" {qmp_out}<>"$dir/qmp$n.out"
	qmp '{"execute": "qmp_capabilities"}' >/dev/null
}

fail()
{
	echo "# $1: $(head -n 1 "$dir/errors$n" 2>/dev/null || :)"
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

# Waits until the state has gone out.
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

n=0 begun=''
start $n "${source[@]}"
while follow; do
	old=$pid old_in=$qmp_in old_out=$qmp_out
	n=$((n + 1))
	if [ "$how" = live ]; then
		start $n "${target[@]}" -incoming "unix:$dir/socket$n"
		until [ -S "$dir/socket$n" ]; do
			kill -0 "$pid" 2>/dev/null || fail "the second QEMU does not start"
			sleep 0.02
		done
		new_in=$qmp_in new_out=$qmp_out
		qmp_in=$old_in qmp_out=$old_out
		migrate "unix:$dir/socket$n"
		qmp_in=$new_in qmp_out=$new_out
	else
		migrate "exec:cat >$dir/state$n"
		start $n "${target[@]}" -incoming "exec:cat $dir/state$n"
	fi
	kill "$old"
	wait "$old" || :
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
