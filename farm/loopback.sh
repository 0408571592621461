#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A Slurm farm on this computer alone, for a first try and for the tests: runs a command
# in it, with SLURM_CONF set, and takes the farm down.
#
#   farm/loopback.sh [--nodes N] [--cpus C] [--state DIR] COMMAND...
#
# N nodes (2) called n1, n2, ... with C CPUs each (1) and the feature "loopback".  Needs
# slurmctld, slurmd, slurm-client and munge; a Slurm of this computer is neither used nor
# touched: keys, sockets, logs and process ids (DIR/run) are in DIR, the ports are free ones.
#
# Exit codes: those of the command, 2 usage, 3 the farm does not start.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
PATH=$PATH:/usr/sbin:/sbin

nodes=2 cpus=1 state=''
while [[ ${1:-} == --* ]]; do
	[ $# -ge 2 ] || die 2 "$1 wants a value"
	case $1 in
	--nodes) nodes=$2 ;;
	--cpus) cpus=$2 ;;
	--state) state=$2 ;;
	*) die 2 "unknown option $1: farm/loopback.sh [--nodes N] [--cpus C] [--state DIR] COMMAND..." ;;
	esac
	shift 2
done
[[ $nodes =~ ^[1-9][0-9]?$ && $cpus =~ ^[1-9][0-9]?$ ]] || die 2 "--nodes and --cpus are numbers"
[ $# -gt 0 ] || die 2 "which command is to run in the farm?"
for tool in munged slurmctld slurmd sinfo; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: install slurmctld, slurmd, slurm-client and munge"
done

own=''
[ -n "$state" ] || { state=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-slurm-XXXXXX"); own=y; }
mkdir -p "$state"/{ctld,log,spool,run}
chmod 755 "$state" "$state/run"

daemons=()
command=''
# What the nodes run ends only when they are told to, so they go last.
# shellcheck disable=SC2317
down()
{
	local i queue

	trap '' INT TERM HUP
	[ -z "$command" ] || { kill "$command" 2>/dev/null && wait "$command"; } || :
	for ((i = 0; i < 100 && ${#daemons[@]} > 1; i++)); do
		if ! queue=$(squeue -h 2>/dev/null) || [ -z "$queue" ]; then break; fi
		scancel --user="$user" 2>/dev/null || :
		sleep 0.1
	done
	# What a step has started is dead by now; slurmstepd, which has a socket, soon is.
	for ((i = 0; i < 100; i++)); do
		[ -n "$(find "$state/spool" -type s 2>/dev/null)" ] || break
		sleep 0.1
	done
	[ ${#daemons[@]} -eq 0 ] || kill "${daemons[@]}" 2>/dev/null || :
	wait
	[ -z "$own" ] || rm -rf "$state"
}
host=$(hostname)
user=$(id -un)
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# first_free N: the first of N ports that nobody listens to.
first_free()
{
	local port i used

	used=$(awk 'NR > 1 { split($2, a, ":"); print a[2] }' /proc/net/tcp /proc/net/tcp6)
	for ((port = 20000 + RANDOM % 10000; ; port++)); do
		for ((i = 0; i < $1; i++)); do
			! grep -qx "$(printf '%04X' $((port + i)))" <<<"$used" || continue 2
		done
		echo "$port"
		return 0
	done
}

# daemon NAME COMMAND...: in the foreground, so that nothing is left to init.
daemon()
{
	"${@:2}" >"$state/log/$1.out" 2>&1 </dev/null &
	daemons+=($!)
	echo $! >"$state/run/$1.pid"
}

# until_true WHAT COMMAND...
until_true()
{
	local i

	for ((i = 0; i < 200; i++)); do
		! "${@:2}" 2>/dev/null || return 0
		sleep 0.05
	done
	die 3 "$1 does not come up: $(tail -qn 1 "$state"/log/* | tail -n 3 | tr '\n' ' ')"
}

port=$(first_free $((nodes + 1)))
head -c 128 /dev/urandom >"$state/munge.key"
chmod 400 "$state/munge.key"
daemon munged munged -F --force --key-file="$state/munge.key" --socket="$state/run/munge" --pid-file="$state/run/munged.own" \
	--log-file="$state/log/munged" --seed-file="$state/run/munge.seed"
# config_overrides: more CPUs than there are.  cred_expire: what is requeued has to wait as
# long.  SlurmdTimeout: after which a node that says nothing is dead.
cat >"$state/slurm.conf" <<EOF
ClusterName=loopback
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthInfo=socket=$state/run/munge,cred_expire=5
StateSaveLocation=$state/ctld
SlurmctldPidFile=$state/run/slurmctld.own
SlurmctldLogFile=$state/log/slurmctld
SlurmdLogFile=$state/log/%n
SlurmdPidFile=$state/run/%n.own
SlurmdSpoolDir=$state/spool/%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
SlurmdTimeout=5
MessageTimeout=3
KillWait=2
JobRequeue=1
RequeueExit=99
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
NodeName=n[1-$nodes] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=$cpus RealMemory=$((cpus * 1600)) Feature=loopback State=UNKNOWN
PartitionName=loopback Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$state/slurm.conf
until_true munged test -S "$state/run/munge"
daemon slurmctld slurmctld -D -c
for ((i = 1; i <= nodes; i++)); do
	mkdir -p "$state/spool/n$i"
	daemon "n$i" slurmd -D -N "n$i"
done
# shellcheck disable=SC2317
all_idle()
{
	[ "$(sinfo -h -t idle -o %D)" = "$nodes" ]
}
until_true "the farm" all_idle

code=0
"$@" &
command=$!
wait "$command" || code=$?
command=''
exit "$code"
