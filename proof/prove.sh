#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Would these tests have caught these bugs?  Runs them on the kernel that is right, on
# the one without our series and on each mutant, and judges what comes out:
# "run_tests.sh prove --help".
#
# The order of things: select.jq makes the plan of the words, schedule.sh builds and
# boots, judge.jq judges one kernel, summary.jq the whole.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
# shellcheck source=machine/names.sh
. "$top/machine/names.sh"
# shellcheck source=machine/results.sh
. "$top/machine/results.sh"
# shellcheck source=proof/cache.sh
. "$here/cache.sh"
# shellcheck source=proof/verdicts.sh
. "$here/verdicts.sh"
# shellcheck source=proof/schedule.sh
. "$here/schedule.sh"

help()
{
	cat <<'EOF'
run_tests.sh prove [option]... [WORD]...

Runs the tests on the reference kernel, on the base kernel and on the mutants, each of
which names the cases that must catch it.  A WORD is a test, a test.case, a folder/, a
mutant, or a part of the names of tests and mutants; without words everything is proved.

  --all              every selected test on every mutant, not just those that it concerns
  --repeat N         each kernel N times, none from the cache; a verdict that varies fails
  --machine NAME     this machine, and the mutants that are for it (all that mutants are for)
  --jobs N           machines at once (one for each CPU)
  --fresh            no verdict from the cache
  --results DIR      where proof.json and a folder for each kernel go (results/prove-<date>-<id>)
  --docs FILE        write the table of what is proved, after a whole proof without a fault
  -h, --help

Exit codes: 0 proved; 1 a mutant survived, a case failed where it must not, skipped, or
no mutant names it; 2 usage; 3 our own fault; 130, 143 interrupted.
EOF
}

usage()
{
	die 2 "$1 (run_tests.sh prove --help)"
}

# --- the command line

all=false repeat=1 machine='' jobs=$(nproc) fresh='' results='' docs=''
words=()
while [ $# -gt 0 ]; do
	case $1 in
	--all) all=true ;;
	--fresh) fresh=y ;;
	-h | --help) help; exit 0 ;;
	--repeat | --machine | --jobs | --results | --docs)
		[ -n "${2:-}" ] || usage "$1 wants a value"
		case $1 in
		--repeat) repeat=$2 ;;
		--machine) machine=$2 ;;
		--jobs) jobs=$2 ;;
		--results) results=$2 ;;
		--docs) docs=$2 ;;
		esac
		shift ;;
	-*) usage "unknown option $1" ;;
	*) words+=("$1") ;;
	esac
	shift
done
[[ $repeat =~ ^[1-9][0-9]{0,5}$ ]] || usage "--repeat is a number of runs"
[[ $jobs =~ ^[1-9][0-9]{0,2}$ ]] || usage "--jobs is a number of machines"
[ "$machine" != host ] || usage "the machine host runs on this kernel only"
mapfile -t all_machines < <(emulated_machines)
[ -z "$machine" ] || [[ " ${all_machines[*]} " == *" $machine "* ]] || unknown machine "$machine" "${all_machines[@]}"
[ -z "${KDIR:-}" ] || usage "the mutants are patches to Debian's source: no KDIR"

for tool in make gcc flock jq; do
	command -v "$tool" >/dev/null || die 3 "$tool is missing: run tests/deps.sh demo"
done

# --- the plan

work=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$work"' EXIT

"$here/headers.sh" >"$work/headers.json"
default=x86-svm

# The tests in the folder of an architecture.
tests_in()
{
	find "$top/$1" -maxdepth 1 -name '*_test.c' -exec basename -s .c {} + 2>/dev/null | sort
}

# The architectures that a word may be about: by the tests of that name, and by the
# machines of the mutants of that name or of those that name such a test.
archs_for()
{
	local word=$1 names arch m

	if [[ $word == */ ]]; then
		mapfile -t names < <(tests_in "$word")
	else
		names=("${word%%.*}")
	fi
	for arch in $archs; do
		if [ "$word" = "$arch/" ] || tests_in "$arch" | grep -qF -- "${names[0]:-/}"; then
			echo "$arch"
		fi
	done
	for m in $(jq -r '.mutants[] | select(.name as $mutant | .caught_by as $cases | any($ARGS.positional[];
			. as $name | any(($mutant, $cases[]); contains($name)))).machines[]' \
			--args "${names[@]}" <"$work/headers.json"); do
		[[ " ${all_machines[*]} " != *" $m "* ]] || machine_arch_of "$m"
	done
}

# The architectures that the plan needs, a line each; every one costs a build.
needed()
{
	local word found

	if [ -n "$machine" ]; then
		machine_arch_of "$machine"
		return
	fi
	for word in "${words[@]}"; do
		found=$(archs_for "$word")
		# To say what a word could have meant takes all names.
		echo "${found:-$archs}"
	done
	[ ${#words[@]} -gt 0 ] || echo "$archs"
}

archs=$(machine_arch_of "$default"; machine_archs)
usable=() wanted=(${machine:+"$machine"})
for arch in $(needed | awk '!seen[$0]++'); do
	cc=$(cross_prefix "$arch")gcc
	if command -v "$cc" >/dev/null; then
		usable+=("$arch")
	else
		note "nothing is proved for $arch: $cc is missing, run tests/deps.sh check"
	fi
done
[ ${#usable[@]} -gt 0 ] || exit 3
if [ ${#wanted[@]} -eq 0 ] && [ ${#usable[@]} -lt "$(machine_archs | wc -l)" ]; then
	mapfile -t wanted < <(for arch in "${usable[@]}"; do machines_of "$arch"; done)
fi

# This also builds the tests, once for all the runs.
"$here/cases.sh" "${usable[@]}" >"$work/cases.json" || exit $?
# What other architectures have may be named all the same.
mapfile -t foreign < <(comm -23 <(for dir in $(machine_archs) guest_memfd; do tests_in "$dir"; done | sort -u) \
	<(jq -r '.[].test' "$work/cases.json" | sort -u))
jq -n --slurpfile h "$work/headers.json" --slurpfile c "$work/cases.json" --arg default "$default" \
	--argjson wanted "$(json_array "${wanted[@]}")" --argjson all "$all" --argjson words "$(json_array "${words[@]}")" \
	--argjson machines "$(json_array "${all_machines[@]}")" --argjson foreign "$(json_array "${foreign[@]}")" \
	--argjson archs "$(for m in "${all_machines[@]}"; do jq -n --arg m "$m" --arg arch "$(machine_arch_of "$m")" '{($m): $arch}'; done | jq -s add)" \
	"\$h[0] as \$headers | \$c[0] as \$cases | $(cat "$here/select.jq")" >"$work/plan.json"
lost=$(jq -r '.unknown // empty' "$work/plan.json")
if [ -n "$lost" ]; then
	mapfile -t known < <(jq -r '.known[]' "$work/plan.json")
	unknown "test, case or mutant" "$lost" "${known[@]}"
fi

make_results prove-

# What the documentation will say must be true from here to the end.
[ -z "$docs" ] || "$here/docs.sh" "$work/docs"

# --- the table and proof.json

ids=()
while IFS=$'\t' read -r id v m; do
	ids+=("$id")
	variant[$id]=$v
	machine_of[$id]=$m
done < <(jq -r '.kernels[] | [.id, .variant, .machine] | @tsv' "$work/plan.json")
width=$(printf '%s\n' "${ids[@]}" | wc -L)
date=$(date -u +%FT%TZ)
judged=0

write_proof()
{
	local kernels=("${ids[@]:0:$judged}")

	{
		jq -n --slurpfile plan "$work/plan.json" \
			--slurpfile kernels <(cat "${kernels[@]/#/$work/judged.}" </dev/null) \
			--arg date "$date" --argjson repeat "$repeat" --argjson seconds "$SECONDS" \
			'{plan: $plan[0], kernels: $kernels, $date, $repeat, $seconds}' |
			jq -f "$here/summary.jq" >"$results/proof.json.tmp" &&
		mv "$results/proof.json.tmp" "$results/proof.json"
	} || die 3 "cannot write $results/proof.json: is the disk full?"
}

# Called by schedule.sh with the next kernel of the table, when its runs are all there.
judge()
{
	local id=$1 runs=()

	mapfile -t runs < <(find "$work" -name "run.$id.[0-9]*.json" | sort -V)
	jq -n --slurpfile plan "$work/plan.json" --arg id "$id" --arg folder "$(head -n 1 <<<"${folder[$id]:-}")" \
		--arg where "$(run_folder "$id" 1)" --argjson failure "${failure[$id]:-null}" \
		--slurpfile runs <(cat "${runs[@]}" </dev/null) '{
			kernel: ($plan[0].kernels[] | select(.id == $id)),
			runs: $runs, failure: $failure, where: $where,
			folder: ($folder | split("/") | last)
		}' | jq -f "$here/judge.jq" >"$work/judged.$id"
	judged=$((judged + 1))
	write_proof
	clear_progress
	jq -r --argjson width "$width" '
		(if .cached then " (cached)" else "" end) as $mark | .id as $name | .lines[] |
		$name + " " * ($width + 2 - ($name | length)) + . + $mark' "$work/judged.$id"
}

schedule
jq -r '(.unproven[] | "UNPROVEN: \(.case): \(.why)"), .summary' "$results/proof.json"
code=$(jq .exit_code "$results/proof.json")
if [ -n "$docs" ]; then
	if [ "$code" -ne 0 ] || [ ${#words[@]} -gt 0 ] || ! jq -e '.others == []' "$work/plan.json" >/dev/null; then
		note "$docs is not written: not everything is proved"
	else
		"$here/docs.sh" --check "$work/docs" 2>/dev/null ||
			die 3 "$docs is not written: tests or patches were changed during the proof"
		"$here/docs.sh" "$docs"
	fi
fi
exit "$code"
