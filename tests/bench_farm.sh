#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a farm costs beside the runs themselves: seconds of a launcher for each job, of a
# bisection whose kernels are known, of a page; megabytes of KTAP read in a second.
#
#   tests/bench_farm.sh [ROUNDS]	default 3

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
rounds=${1:-3}
# shellcheck source=tests/measure.sh
. "$top/tests/measure.sh"
case=gmem_mmap_test.without_flag
more=6

"$top/run_tests.sh" --vm --results "$dir/run" >/dev/null || die 3 "the reference kernel fails its tests; see run_tests.sh --vm"
"$top/run_tests.sh" report --help >/dev/null
"$top/tests/history.sh" "$dir/tree" 1
"$top/run_tests.sh" bisect --tree "$dir/tree" --good good --bad bad --results "$dir/bisect" "$case" >/dev/null

# --- launchers and bisections

# An emulator that answers at once: with a boot what a launcher takes would be lost in the
# noise.  Its answer is not what the plan has, so that each run fails.
kernel=$("$top/kernel/build.sh")/vmlinux
qemu=$dir/qemu
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" != --version ] || exec qemu-system-x86_64 "$@"\nexec %q good\n' "$top/tests/fake/emulator" >"$qemu"
chmod +x "$qemu"

for n in 1 $((1 + more)); do
	for ((i = 0; i < n; i++)); do
		echo "kernel k$i $kernel"
	done >"$dir/matrix.$n"
	printf 'machine x86-svm\ntest %s\n' "$case" >>"$dir/matrix.$n"
done

runs()
{
	local i

	for ((i = 0; i < more; i++)); do
		KVM_WITNESS_QEMU=$qemu "$top/run_tests.sh" --kernel "$kernel" --results "$dir/again" "$case" || :
	done
}

# night NAME JOBS [LAUNCHER...]: one job after the other.
night()
{
	rm -rf "$dir/night"
	KVM_WITNESS_QEMU=$qemu time_of "$1-$2" "${@:3}" "$dir/matrix.$2"
	[ "$(jq .exit_code "$dir/night/nightly.json")" -eq 1 ] || die 3 "a night of $2 jobs has no results"
}

last()
{
	tail -n 1 "$dir/times.$1"
}

nightly=("$top/run_tests.sh" nightly --results "$dir/night")
for ((i = 0; i < rounds; i++)); do
	show_progress "round $((i + 1)) of $rounds"
	time_of runs runs
	for n in 1 $((1 + more)); do
		night local $n "${nightly[@]}" --jobs 1
		night slurm $n "$top/farm/loopback.sh" --nodes 1 "${nightly[@]}" --launcher slurm
	done
	# The jobs that the longer night has more, less what they take without a night.
	for name in local slurm; do
		record $name "$(echo "($(last $name-$((1 + more))) - $(last $name-1) - $(last runs)) / $more" | bc -l)"
	done
	record run "$(echo "$(last runs) / $more" | bc -l)"
	rm -rf "$dir/bisect"
	time_of bisect "$top/run_tests.sh" bisect --tree "$dir/tree" --good good --bad bad --results "$dir/bisect" "$case"
	[ -s "$dir/bisect/report.txt" ] || die 3 "a bisection has found nothing"
done
clear_progress
base=$(median run)
digits=2
printf '%-58s %8s %8s %8s %7s\n' "seconds, $rounds rounds" median min max ratio
show run "run_tests.sh --kernel, an emulator that answers at once"
show local "a job of nightly beside its run, local"
show slurm "a job of nightly beside its run, Slurm"
show bisect "a bisection of 64 commits, all kernels known"

# --- reports

# A thousand jobs of ten kernels, each as long as the run above; and one endless ktap.
for ((i = 0; i < 10; i++)); do
	mkdir -p "$dir/jobs/$i"
	jq --arg kernel "kernel-$i" '.kernel_name = $kernel' "$dir/run/meta.json" >"$dir/jobs/$i/meta.json"
	cp "$dir/run/ktap" "$dir/jobs/$i/"
	for ((j = 1; j < 100; j++)); do
		cp -r "$dir/jobs/$i" "$dir/jobs/$i.$j"
	done
done
mkdir "$dir/endless"
cp "$dir/run/meta.json" "$dir/endless/"
{
	printf 'KTAP version 1\n1..1\n'
	head -c 200000000 < <(yes "# what a test says of itself in lines that are as long as such lines are")
	printf '\nok 1 a_test\n'
} >"$dir/endless/ktap"
for ((i = 0; i < rounds; i++)); do
	rm -f "$dir/store"
	time_of page "$top/run_tests.sh" report html --store "$dir/store" -o "$dir/page" "$dir/jobs"
	time_of again "$top/run_tests.sh" report html --store "$dir/store" -o "$dir/page" "$dir/jobs"
	begin=$(now)
	"$top/run_tests.sh" report "$dir/endless" >/dev/null
	record megabytes "$(echo "200 / ($(now) - $begin)" | bc -l)"
done
base=$(median page)
digits=2
printf '\n%-58s %8s %8s %8s %7s\n' "seconds, reports" median min max ratio
show page "1000 jobs, $(grep -c '^ *\(not \)*ok' "$dir/run/ktap") results each: collected, page written"
show again "the same, collected before"
base=$(median megabytes)
digits=0
printf '\n%-58s %8s %8s %8s %7s\n' "MB/s" median min max ratio
show megabytes "a ktap of 200 MB, from exec to the summary"
