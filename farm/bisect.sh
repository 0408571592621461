#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which commit broke this case?  Drives git bisect: "run_tests.sh bisect --help".
#
# A step is farm/step.sh, one commit; search.sh says which ones, regression.sh tells what
# was found.  All that is known is in the results folder, so that --continue loses nothing.
# git's own state is in a worktree there, without files.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"
# shellcheck source=machine/results.sh
. "$top/machine/results.sh"
# shellcheck source=farm/search.sh
. "$here/search.sh"

help()
{
	cat <<'EOF'
run_tests.sh bisect --tree T --good A --bad B [option]... TEST[.CASE]...
run_tests.sh bisect --continue DIR

Finds the commit of the git tree T from which on the cases fail.  The tree's checkout is
not touched.  Both ends are tested first.  A commit that does not build or boot, or on
which all cases skip, is left out.

  --machine NAME     where the kernels run (x86-svm)
  --repeat N         runs before a commit is called good (3); fewer when that says enough
  --bad-if WORDS     what makes a commit bad (fail,timeout,crash)
  --fixup PATCH      for each commit that has it not; to be repeated for more patches
  --parallel K       test K commits at a time (1)
  --launcher NAME    local, or slurm: run on the nodes of a farm (local)
  --append "ARGS"    more for the kernel's command line
  --timeout SECONDS  for one test
  --boot-timeout S   for the machine to come up (60)
  --results DIR      where the report and all runs go (results/bisect-<date>-<id>)
  --continue DIR     go on with what was interrupted
  -h, --help

Exit codes: 0 found; 1 not found: what is left cannot be tested, or contradicts itself;
2 usage, also when the good end is bad or the bad end good; 3 our own fault, to be
continued; 4 an end cannot be tested; 130, 143 interrupted, to be continued.
EOF
}

usage()
{
	die 2 "$1 (run_tests.sh bisect --help)"
}

# Of a repository that we were called from.
# shellcheck disable=SC2046
unset $(git rev-parse --local-env-vars 2>/dev/null) || :
# What git says is read below.
export LC_ALL=C

# --- the command line

tree='' good='' bad='' machine=x86-svm repeat=3 bad_if=fail,timeout,crash parallel=1 launcher=local results='' continued=''
fixups=() options=() words=()
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) help; exit 0 ;;
	--tree | --good | --bad | --machine | --repeat | --boot-timeout | --bad-if | --fixup | --parallel | --launcher | --append | --timeout | --results | --continue)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--tree) tree=$2 ;;
		--good) good=$2 ;;
		--bad) bad=$2 ;;
		--machine) machine=$2 ;;
		--repeat) repeat=$2 ;;
		--bad-if) bad_if=$2 ;;
		--fixup) fixups+=("$2") ;;
		--parallel) parallel=$2 ;;
		--launcher) launcher=$2 ;;
		--timeout | --boot-timeout)
			[[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || usage "$1 is a number of seconds"
			options+=("$1" "$2") ;;
		--append) options+=("$1" "$2") ;;
		--results) results=$2 ;;
		--continue) continued=$2 ;;
		esac
		shift ;;
	-*) usage "unknown option $1" ;;
	*) words+=("$1") ;;
	esac
	shift
done

for tool in git jq flock awk; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh demo"
done

# Sets commit, of the option $1 with the name $2.
resolve()
{
	[ -n "$2" ] || usage "$1 is missing"
	commit=$(git -C "$tree" rev-parse -q --verify "$2^{commit}") || usage "$1: $tree has no commit $2"
}

begin()
{
	local known listed word fixup width=1 copies=()

	[ -n "$tree" ] || usage "--tree is missing"
	git -C "$tree" rev-parse --git-dir >/dev/null 2>&1 || usage "$tree is not a git tree"
	resolve --good "$good"
	good=$commit
	resolve --bad "$bad"
	bad=$commit
	[ "$good" != "$bad" ] || usage "--good and --bad are the same commit"
	! git -C "$tree" merge-base --is-ancestor "$bad" "$good" ||
		usage "the bad commit is older than the good one: are they swapped?"
	git -C "$tree" merge-base "$good" "$bad" >/dev/null || usage "--good and --bad have no common history"
	[[ $repeat =~ ^[1-9][0-9]{0,3}$ ]] || usage "--repeat is a number of runs"
	[[ $parallel =~ ^[1-9][0-9]?$ ]] || usage "--parallel is a number of commits"
	[[ $bad_if =~ ^(fail|timeout|crash)(,(fail|timeout|crash))*$ ]] || usage "--bad-if is a list of fail, timeout and crash"
	[[ $launcher =~ ^(local|slurm)$ ]] || unknown launcher "$launcher" local slurm
	[ "$launcher" = local ] || srun --version >/dev/null 2>&1 || die 3 "srun is missing: install slurm-client, or try farm/loopback.sh"
	mapfile -t known < <(emulated_machines)
	[[ " ${known[*]} " == *" $machine "* ]] || unknown machine "$machine" "${known[@]}"
	[ ${#words[@]} -gt 0 ] || usage "which case? give TEST or TEST.CASE"
	for fixup in "${fixups[@]}"; do
		[ -r "$fixup" ] || usage "$fixup: no such patch"
	done

	# This also builds the tests.
	listed=$("$top/run_tests.sh" --machine "$machine" --list --json) || exit $?
	mapfile -t known < <(jq -r '[.[] | .test, "\(.test).\(.case)"] | unique[]' <<<"$listed")
	for word in "${words[@]}"; do
		[[ " ${known[*]} " == *" $word "* ]] || unknown case "$word" "${known[@]}"
	done

	[ ! -e "$results/plan.json" ] || usage "$results has a bisection already: --continue $results, or another folder"
	make_results bisect-
	state=$(readlink -f "$results")
	for fixup in "${fixups[@]}"; do
		copies+=("$state/fixup-$((${#copies[@]} + 1)).patch")
		cp "$fixup" "${copies[-1]}" || die 3 "cannot write to $state: is the disk full?"
	done
	[ "$parallel" -gt 1 ] || width=$(nproc)
	jq -n --arg tree "$(readlink -f "$tree")" --arg good "$good" --arg bad "$bad" --arg machine "$machine" \
		--arg arch "$(machine_arch_of "$machine")" --arg image "$(machine_kernel_of "$machine")" --arg launcher "$launcher" \
		--argjson repeat "$repeat" --argjson parallel "$parallel" --arg bad_if "$bad_if" \
		--argjson width "$width" --argjson fixups "$(json_array "${copies[@]}")" \
		--argjson options "$(json_array "${options[@]}")" --argjson cases "$(json_array "${words[@]}")" '{
			$tree, $good, $bad, $machine, $arch, $image, $launcher, $repeat, $parallel, $width, $fixups, $cases,
			bad_verdicts: ($bad_if | split(",")), words: (["--machine", $machine] + $options + $cases)
		}' >"$state/plan.json.tmp" 2>/dev/null || die 3 "cannot write to $state: is the disk full?"
	mv "$state/plan.json.tmp" "$state/plan.json"
}

if [ -n "$continued" ]; then
	[ -z "$tree$good$bad$results${words[*]}" ] || usage "--continue takes all else from the folder"
	[ -f "$continued/plan.json" ] || usage "$continued: no bisection in there"
	state=$(readlink -f "$continued")
else
	begin
fi
plan=$state/plan.json
for word in tree good bad repeat parallel; do
	printf -v "$word" %s "$(jq -r ".$word" "$plan")"
done
exec 9>"$state/lock"
flock -n 9 || die 2 "$state: another process is at it"

# --- an end for all of it

to_be_continued()
{
	note "$1; to go on: run_tests.sh bisect --continue $state"
	exit "$2"
}

set -E
trap 'to_be_continued "farm/bisect.sh: line $LINENO has failed" 3' ERR

# Called by a trap, with the number of the signal.
# shellcheck disable=SC2317
stop()
{
	trap '' INT TERM HUP
	end_children
	clear_progress
	to_be_continued interrupted $((128 + $1))
}

# guard COMMAND...: runs it as a process group that no signal to us leaves behind.
guard()
{
	setsid "$@" 3>&1 9>&- &
	wait $!
}

worktree=$state/worktree
export GIT_CEILING_DIRECTORIES=$state
wgit()
{
	git -C "$worktree" "$@"
}

forget_worktree()
{
	[ ! -e "$worktree" ] || git -C "$tree" worktree remove --force "$worktree" || rm -rf "$worktree"
}

trap 'stop 2' INT
trap 'stop 15' TERM HUP

# --- the search, and what was found

both_ends
if ! wgit rev-parse -q --verify refs/bisect/bad >/dev/null 2>&1; then
	forget_worktree
	{
		git -C "$tree" worktree add -q --no-checkout --detach "$worktree" "$bad" &&
		wgit bisect start --no-checkout "$bad" "$good"
	} >"$state/git.log" 2>&1 || { forget_worktree; die 3 "git: $(tail -n 1 "$state/git.log")"; }
fi
if [ "$parallel" -eq 1 ]; then one_at_a_time; else several_at_a_time; fi

mapfile -t left < <(candidates)
code=0
case ${#left[@]} in
1)
	wgit bisect log >"$state/bisect.log"
	"$here/regression.sh" "$state" "${left[0]}" ;;
0)
	code=1
	note "the verdicts contradict each other: a good commit has $(wgit rev-parse --short=12 refs/bisect/bad), which is bad: does the case fail only sometimes (--repeat)?" ;;
*)
	code=1
	{
		echo "The first bad commit is one of these; those before the last one cannot be tested:"
		wgit log --reverse --no-walk=unsorted --format='  %h ("%s")' "${left[@]}"
		echo "#regzbot introduced: ${left[0]:0:12}^..${left[-1]:0:12}"
	} | tee "$state/report.txt" ;;
esac
forget_worktree
exit "$code"
