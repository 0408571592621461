#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One job of the night, the same under each launcher: runs the tests on one kernel in one
# machine and pushes what came of it.
#
#   farm/job.sh JSON
#
#	{job, kernel, commit, words, kernel_words, repeat, tries, tried, push}
#
# words and kernel_words are the arguments of run_tests.sh.  push is the night's folder:
# a path, or for rsync a HOST:PATH or rsync://HOST/PATH.  What is pushed is
# incoming/<attempt>/<job>/ with a folder for each run, and then the file "complete";
# without it there is no result.  A run of which our own fault has made nothing leaves a
# file "infra" that says why.
#
# Exit codes: 0 pushed; 99 our own fault, once more, please; 130, 143 interrupted.  The
# last try pushes its fault; 3 when that could not be pushed either.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=farm/fault.sh
. "$top/farm/fault.sh"

# jq takes its time to start: as few of them as can be.
json=$1
{
	read -r job
	read -r push
	read -r tries
	read -r tried
	read -r repeat
	mapfile -t words
} < <(jq -r '.job, .push, .tries, .tried, .repeat, .kernel_words[], .words[]' <<<"$json")
try=$((tried + ${SLURM_RESTART_COUNT:-0} + 1))
host=$(hostname)
node=${SLURMD_NODENAME:-$host}

# What a node that died has left behind.
here=${TMPDIR:-/tmp}/kvm-witness-job.$(id -u).$host
for old in "$here".*; do
	pid=${old#"$here".}
	[ ! -d "$old" ] || kill -0 "${pid%%.*}" 2>/dev/null || rm -rf "$old"
done
stage=$(mktemp -d "$here.$$.XXXXXX") || { note "no space for $job in ${TMPDIR:-/tmp}"; exit 99; }
trap 'rm -rf "$stage"' EXIT

child=''
# Called by a trap, with the number of the signal.
# shellcheck disable=SC2317
stop()
{
	[ -z "$child" ] || { kill -TERM "$child" 2>/dev/null && wait "$child"; } || :
	exit $((128 + $1))
}
trap 'stop 2' INT
trap 'stop 15' TERM HUP

attempt=$host.$$.$(date +%s).$try
result=$stage/$attempt/$job
mkdir -p "$result"

# push_all FILE...: under incoming/, of the attempt's files.
push_all()
{
	case $push in
	*:*) rsync -a --relative "$@" "$push/incoming/" ;;
	*) cp -a --parents "$@" "$push/incoming/" ;;
	esac
}

# keep RUN EXIT-CODE: whose it is goes to its meta.json.  False when there is no result.
keep()
{
	[[ $2 =~ ^[014]$ ]] && [ -s "$result/$1/ktap" ] &&
		jq -e --argjson code "$2" --argjson job "$json" --argjson run "$1" --arg node "$node" 'select(.exit_code == $code)
			| . + {kernel_name: $job.kernel, commit: $job.commit, job: $job.job, $run, $node}' \
			"$result/$1/meta.json" >"$result/$1/meta.tmp" 2>/dev/null &&
		mv "$result/$1/meta.tmp" "$result/$1/meta.json"
}

fault=''
began=$(date +%s)
for ((n = 1; n <= repeat; n++)); do
	run=$result/$n
	mkdir "$run"
	"$top/run_tests.sh" --results "$run" "${words[@]}" >/dev/null 2>"$run/stderr" </dev/null &
	child=$!
	code=0
	wait "$child" || code=$?
	child=''
	case $code in
	130 | 143) exit "$code" ;;
	esac
	if ! keep "$n" "$code"; then
		fault=$(fault "$run" "$code")
		fault="run $n: ${fault:-cannot write to $stage: is the disk full?}"
		break
	fi
done

if [ -n "$fault" ]; then
	note "$job, try $try of $tries: $fault"
	[ "$try" -ge "$tries" ] || exit 99
	# Not a folder that looks like a result.
	mv "$run/stderr" "$result/stderr" 2>/dev/null || :
	rm -rf "$run"
	echo "$fault ($try tries)" >"$result/infra"
fi
printf '{"node": "%s", "tries": %d, "began": %d, "seconds": %d}\n' "$node" "$try" "$began" $(($(date +%s) - began)) >"$result/job.json"
cd "$stage"
if ! push_all "$attempt" 2>"$stage/push" || ! touch "$attempt/$job/complete" || ! push_all "$attempt/$job/complete" 2>"$stage/push"; then
	note "$job, try $try of $tries: cannot push to $push: $(tail -n 1 "$stage/push")"
	[ "$try" -ge "$tries" ] || exit 99
	trap - EXIT
	kept=${stage/kvm-witness-job/kvm-witness-kept}
	mv "$stage" "$kept"
	note "$job: what could not be pushed is in $host:$kept"
	exit 3
fi
