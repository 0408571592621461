#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels x machines x tests, through the night: "run_tests.sh nightly --help".
#
# This shell reads the matrix (matrix.sh), gets one kernel after the other ready
# (prepare.sh) and hands the jobs of those that are to the launcher (local.sh, slurm.sh),
# which runs job.sh.  What that pushes is taken by collect.sh; nothing else says that a
# job is done, so that a night whose controller dies is whole when another one goes on.
# What is seen of it is in watch.sh.

# The files that are sourced read more than this one does.
# shellcheck disable=SC2034
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"
# shellcheck source=machine/results.sh
. "$top/machine/results.sh"
# shellcheck source=farm/collect.sh
. "$here/collect.sh"
# shellcheck source=farm/watch.sh
. "$here/watch.sh"

help()
{
	cat <<'EOF'
run_tests.sh nightly [option]... MATRIX
run_tests.sh nightly --continue DIR [option]...

Runs the tests on each kernel in each machine of the matrix; docs/farm.md tells how one
is written.  A line on stdout for each job, jobs/<kernel>@<machine>/<run>/ in the results
folder, which is for run_tests.sh report.

  --launcher NAME    local: on this computer; slurm: as jobs of a farm (local)
  --jobs N           local: machines at once (one for each CPU, as far as memory goes)
  --sbatch "ARGS"    slurm: more for sbatch, like "-p kvm -t 120"
  --push PREFIX      slurm: the nodes do not see the results folder; they push to it by
                     rsync, at PREFIX and its path, like "controller:"
  --tries N          before a job that our own fault has stopped is given up (3)
  --results DIR      where results go (results/nightly-<date>-<id>)
  --continue DIR     go on: what is finished stays, what our own fault has stopped is tried again
  --quiet            only what did not pass
  -h, --help

Exit codes: 0 everything passed or skipped; 1 something failed; 2 usage; 3 our own fault:
of some job there is no result; 4 everything skipped; 130, 143 interrupted, to be continued.
EOF
}

usage()
{
	die 2 "$1 (run_tests.sh nightly --help)"
}

# --- the command line

launcher=local most='' sbatch='' push='' tries=3 results='' continued='' quiet='' matrix=''
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) help; exit 0 ;;
	--quiet) quiet=y ;;
	--launcher | --jobs | --sbatch | --push | --tries | --results | --continue)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--launcher) launcher=$2 ;;
		--jobs) most=$2 ;;
		--sbatch) sbatch=$2 ;;
		--push) push=$2 ;;
		--tries) tries=$2 ;;
		--results) results=$2 ;;
		--continue) continued=$2 ;;
		esac
		shift ;;
	-*) usage "unknown option $1" ;;
	*)
		[ -z "$matrix" ] || usage "one matrix, please"
		matrix=$1 ;;
	esac
	shift
done
[[ $most =~ ^([1-9][0-9]{0,3})?$ ]] || usage "--jobs is a number of machines"
[[ $tries =~ ^[1-9][0-9]?$ ]] || usage "--tries is a number"
[[ $launcher =~ ^(local|slurm)$ ]] || unknown launcher "$launcher" local slurm
for tool in jq flock git; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh demo"
done
# shellcheck source=farm/local.sh
. "$here/$launcher.sh"
launcher_check

if [ -n "$continued" ]; then
	[ -z "$matrix$results" ] || usage "--continue takes the matrix from the folder"
	[ -f "$continued/plan.json" ] || usage "$continued: no night in there"
	dir=$(readlink -f "$continued")
else
	[ -n "$matrix" ] || usage "which matrix?"
	plan=$("$here/matrix.sh" "$matrix") || exit $?
	[ ! -e "$results/plan.json" ] || usage "$results has a night already: --continue $results, or another folder"
	make_results nightly-
	dir=$(readlink -f "$results")
	{
		mkdir -p "$dir/jobs" "$dir/incoming" "$dir/kernels" "$dir/log" &&
		cp "$matrix" "$dir/matrix" &&
		jq -r '.jobs[].job' <<<"$plan" | while read -r name; do
			mkdir -p "$dir/pending/$name" && echo "no result yet" >"$dir/pending/$name/infra" || exit
		done &&
		echo "$plan" >"$dir/plan.json.tmp" && mv "$dir/plan.json.tmp" "$dir/plan.json"
	} || die 3 "$dir: cannot be written to: is the disk full?"
fi
exec 9>"$dir/lock"
flock -n 9 || die 2 "$dir: another process is at it"

# --- what there is to do

declare -A state=()	# of jobs: waiting (for the kernel), ready, launched, lost, over
declare -A kernel_of=() machine_of=() feature_of=()
declare -A tried=()	# how often a job was launched in vain
declare -A json=()	# of a job, for job.sh
declare -A child=()	# process id -> "prepare KERNEL", "job JOB" or "tick"
kernels=() jobs=()
done=0	# jobs
begin=$SECONDS

while IFS=$'\t' read -r name kernel machine feature; do
	jobs+=("$name")
	kernel_of[$name]=$kernel machine_of[$name]=$machine
	feature_of[$name]=$feature
	tried[$name]=0 state[$name]=waiting
done < <(jq -r '.jobs[] | [.job, .kernel, .machine, .feature] | @tsv' "$dir/plan.json")
mapfile -t kernels < <(jq -r '.kernels[].name' "$dir/plan.json")

# --- jobs begin and end

# finish_new: what was pushed since, which is told when the next jobs run.
news=()
finish_new()
{
	local name

	collect || abandon 3 "$dir cannot be written to"
	for name in "${jobs[@]}"; do
		if [ "${state[$name]}" = over ] || [ ! -d "$dir/jobs/$name" ]; then
			continue
		fi
		state[$name]=over
		done=$((done + 1))
		news+=("$name")
	done
}

tell_news()
{
	local name

	for name in "${news[@]}"; do
		tell "$name"
	done
	news=()
}

# give_up JOB WHY: pushed like a result.
give_up()
{
	local attempt=$dir/incoming/given-up.$$/$1

	{
		mkdir -p "$attempt" && echo "${2/kvm-witness: /}" >"$attempt/infra" && : >"$attempt/complete"
	} || abandon 3 "cannot write to $dir: is the disk full?"
	state[$1]=lost
}

# again JOB WHY: it has come to its end without a result.
again()
{
	tried[$1]=$((${tried[$1]} + 1))
	if [ "${tried[$1]}" -ge "$tries" ]; then
		give_up "$1" "$2 (${tried[$1]} tries)"
	else
		state[$1]=ready
		[ -n "${json[$1]:-}" ] || state[$1]=waiting
	fi
}

# The job as job.sh wants it.
job_json()
{
	echo "${json[$1]/\"tried\":0/\"tried\":${tried[$1]}}"
}

# --- kernels

# make_ready KERNEL FILE: its jobs, with what prepare.sh has said; with an empty file those
# that need no preparation.
make_ready()
{
	local name line lines

	lines=$(jq -r --arg kernel "$1" --argjson tries "$tries" --arg push "$push$dir" --slurpfile got "$2" -f "$here/jobs.jq" "$dir/plan.json")
	while IFS=$'\t' read -r name line; do
		[ -n "$name" ] || continue
		json[$name]=$line
		[ "${state[$name]}" != waiting ] || state[$name]=ready
	done <<<"$lines"
}

preparing=''
next_kernel=0
start_prepare()
{
	local name=''

	while [ -z "$preparing" ] && [ "$next_kernel" -lt ${#kernels[@]} ]; do
		name=${kernels[next_kernel]}
		next_kernel=$((next_kernel + 1))
		wanted "$name" || continue
		preparing=$name
		setsid "$here/prepare.sh" "$dir/plan.json" "$name" >"$dir/kernels/$name.json" 2>"$dir/kernels/$name.log" </dev/null 9>&- &
		child[$!]="prepare $name"
	done
}

# Has a job of this kernel nothing that it could be launched with?
wanted()
{
	local name

	for name in "${jobs[@]}"; do
		[ "${kernel_of[$name]}" != "$1" ] || [ -n "${json[$name]:-}" ] || [[ ${state[$name]} =~ ^(over|lost)$ ]] || return 0
	done
	return 1
}

end_prepare()
{
	local kernel=$1 code=$2 name why

	preparing=''
	if [ "$code" -eq 0 ]; then
		make_ready "$kernel" "$dir/kernels/$kernel.json"
		return 0
	fi
	why="kernel $kernel: $(tail -n 1 "$dir/kernels/$kernel.log" | cut -c1-300)"
	for name in "${jobs[@]}"; do
		if [ "${kernel_of[$name]}" = "$kernel" ] && [ "${state[$name]}" = waiting ]; then
			give_up "$name" "$why"
		fi
	done
}

# --- an end for all of it

# abandon CODE WHY: leaves no process behind, and all results where they are.
abandon()
{
	trap '' INT TERM HUP
	clear_progress
	end_children
	note "$2; to go on: run_tests.sh nightly --continue $dir"
	launcher_left
	exit "$1"
}

set -E
trap 'abandon 3 "farm/nightly.sh: line $LINENO has failed"' ERR
trap 'abandon 130 interrupted' INT
trap 'abandon 143 interrupted' TERM HUP

# Results that no test has given are no results: they are tried again.
for name in "${jobs[@]}"; do
	if [ -f "$dir/jobs/$name/infra" ]; then
		mkdir -p "$dir/pending/$name"
		mv "$dir/jobs/$name/infra" "$dir/pending/$name/infra"
		rm -rf "${dir:?}/jobs/$name"
	fi
done
quiet_before=$quiet
quiet=y
finish_new
tell_news
quiet=$quiet_before
before=$done
[ "$before" -eq 0 ] || [ -n "$quiet" ] || note "$before of ${#jobs[@]} jobs are done already"
launcher_begin
make_ready '' /dev/null

# A child that ends soon wakes this shell up: to look for jobs, or to show the time.
tick()
{
	[ -n "$tick_seconds" ] || return 0
	sleep "$tick_seconds" &
	child[$!]=tick
}
tick

while :; do
	finish_new
	start_prepare
	launch
	tell_news
	progress
	[ "$done" -lt ${#jobs[@]} ] || break
	[ ${#child[@]} -gt 0 ] || continue
	pid='' code=0
	wait -n -p pid "${!child[@]}" || code=$?
	read -r what name <<<"${child[$pid]}"
	unset "child[$pid]"
	case $what in
	prepare) end_prepare "$name" "$code" ;;
	job) end_job "$name" "$code" ;;
	tick) launcher_look; tick ;;
	esac
done
trap - INT TERM HUP
clear_progress
# A job ends a moment after its result is there.
for pid in "${!child[@]}"; do
	[ "${child[$pid]}" != tick ] || kill "$pid" 2>/dev/null || :
done
wait
launcher_end

summary
rm -rf "$dir"/incoming/* "$dir/collect.lock"
exit "$code"
