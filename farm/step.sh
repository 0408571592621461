#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One step of a bisection: builds a commit, runs the cases, says what it is.
#
#   farm/step.sh STATE [COMMIT [all]]
#
# STATE is bisect.sh's folder.  Without COMMIT it is the one that git bisect asks for.
# "all" is for the bad end: each repetition is run, to know how often the cases fail.
#
# Exit codes are those of git bisect run: 0 good; 1 bad; 125 cannot be tested: it does
# not build or boot, a case is missing, all skip; 130, 131, 143: no answer, for which the
# commit is not to blame.
#
# Runs are of a kernel, STATE/runs/<kernel>/, which commits may share: what was answered
# once, also of some repetitions, is not asked again.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=farm/fault.sh
. "$here/fault.sh"
# shellcheck source=proof/verdicts.sh
. "$top/proof/verdicts.sh"

commit=''
ours()
{
	note "commit ${commit:0:12}: $1"
	exit 131
}
# What fails unforeseen is no verdict.
set -E
trap 'ours "farm/step.sh: line $LINENO has failed"' ERR
# What we have started is of our process group and has the same signal; it ends first.
trap 'wait; exit 130' INT
trap 'wait; exit 143' TERM HUP

state=$1 all=${3:-}
plan=$state/plan.json
tree=$(jq -r .tree "$plan")
commit=${2:-$(git -C "$state/worktree" rev-parse BISECT_HEAD)}
dir=$state/steps/${commit:0:12}
runs=''
mkdir -p "$dir"

# From the plan, as words.
words()
{
	mapfile -t words < <(jq -r "$1" "$plan")
}

# finish VERDICT WHY: the step's line on fd 3 if that is open, its file, and the end.
finish()
{
	local code subject

	case $1 in
	good) code=0 ;;
	bad) code=1 ;;
	*) code=125 ;;
	esac
	subject=$(git -C "$tree" log -1 --format=%s "$commit")
	{ [ -z "$runs" ] || cat "$runs"/*/verdict.json; } | jq -s --arg kernel "$(basename "$runs")" --arg commit "$commit" \
		--arg subject "$subject" --arg verdict "$1" --arg why "$2" --argjson build "$built" --argjson seconds $((SECONDS - built)) --argjson began "$began" --arg all "$all" '{
			$commit, $subject, $kernel, $verdict, $why, failed: map(select(.verdict == "bad")) | length,
			passed: map(select(.verdict == "good")) | length, $build, $seconds, $began, all: ($all != "")
		}' >"$dir/step.json.tmp" || ours "cannot write to $dir: is the disk full?"
	mv "$dir/step.json.tmp" "$dir/step.json"
	clear_progress
	jq -r -f "$here/step-line.jq" "$dir/step.json" >&3 2>/dev/null || :
	exit "$code"
}

# --- what is known already

if [ -f "$dir/step.json" ] && { [ -z "$all" ] || jq -e .all "$dir/step.json" >/dev/null; }; then
	case $(jq -r .verdict "$dir/step.json") in
	good) exit 0 ;;
	bad) exit 1 ;;
	skip) exit 125 ;;
	esac
fi

# --- the kernel

began=$(date +%s)
built=0
show_progress "building ${commit:0:12}"
words '.fixups[]'
fixups=()
for word in "${words[@]}"; do
	fixups+=(--fixup "$word")
done
code=0
kernel=$("$here/kernel.sh" --arch "$(jq -r .arch "$plan")" "${fixups[@]}" "$tree" "$commit" 2>"$dir/build.log") || code=$?
built=$SECONDS
why=$(sed -n '$s/^kvm-witness: //p' "$dir/build.log")
case $code in
0) ;;
1) finish skip "$why" ;;
130 | 143) exit "$code" ;;
*) ours "$why" ;;
esac

# --- the runs

launcher=()
[ "$(jq -r .launcher "$plan")" != slurm ] || launcher=(srun --quiet --ntasks=1 --kill-on-bad-exit=0 --export=ALL)
words '.words[]'
repeat=$(jq .repeat "$plan")
enough=$repeat
[ -n "$all" ] || [ ! -f "$state/enough" ] || enough=$(cat "$state/enough")
width=$(jq .width "$plan")

run()
{
	local run=$runs/$1 code=0

	[ ! -f "$run/verdict.json" ] || return 0
	rm -rf "$run"
	mkdir -p "$run"
	"${launcher[@]}" "$top/run_tests.sh" --kernel "$image" --results "$run" "${words[@]}" \
		>/dev/null 2>"$run/stderr" </dev/null || code=$?
	fault "$run" "$code" >"$run/fault"
	[ ! -s "$run/fault" ] || return 0
	verdicts "$run" "$code" |
		jq --slurpfile plan "$plan" '$plan[0].bad_verdicts as $bad | first('"$(cat "$here/step.jq")"')' >"$run/verdict.tmp" &&
		mv "$run/verdict.tmp" "$run/verdict.json"
}

image=$kernel/$(jq -r .image "$plan")
runs=$state/runs/$(basename "$kernel")
mkdir -p "$runs"
exec 8>"$runs/lock"
flock 8
passed=0
for ((n = 1; n <= enough; n += width)); do
	show_progress "running ${commit:0:12}: $n of $enough"
	for ((i = n; i < n + width && i <= enough; i++)); do
		run "$i" 8>&- &
	done
	wait
	for ((i = n; i < n + width && i <= enough; i++)); do
		[ -f "$runs/$i/verdict.json" ] ||
			ours "$(cat "$runs/$i/fault" 2>/dev/null || echo "is the disk full?") (in $runs/$i)"
		read -r verdict why < <(jq -r '"\(.verdict) \(.why)"' "$runs/$i/verdict.json")
		case $verdict in
		good) passed=$((passed + 1)) ;;
		bad) [ -n "$all" ] || finish bad "$why" ;;
		skip) finish skip "$why" ;;
		esac
	done
done
[ "$passed" -lt "$enough" ] || finish good ''
finish bad "$(cat "$runs"/*/verdict.json | jq -rs 'first(.[] | select(.verdict == "bad")).why')"
