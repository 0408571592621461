#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does a bisection find the mutant among 64 commits, wherever it is?
#
#   tests/bisect_seeds.sh SEED...
#
# A line for each seed: seconds, confidence, what was found.  Exit code: 0 when it was the
# mutant each time.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
work=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$work"' EXIT
wrong=0
for seed; do
	tree=$work/$seed code=0
	"$top/tests/history.sh" "$tree" "$seed"
	begin=$SECONDS
	"$top/run_tests.sh" bisect --tree "$tree" --good good --bad bad --results "$tree.r" --boot-timeout 300 \
		gmem_mmap_test.without_flag >"$tree.out" 2>"$tree.err" || code=$?
	culprit=$(git -C "$tree" rev-parse --short=12 culprit)
	what=wrong
	if [ "$code" -eq 0 ] && grep -qx "#regzbot introduced: $culprit" "$tree.r/report.txt"; then
		what=right
	else
		wrong=$((wrong + 1))
		cat "$tree.out" "$tree.err"
	fi
	echo "seed $seed: $what, exit code $code, $((SECONDS - begin)) s, $(jq -s '"\(length) commits, \(map(.build) | add) s building, \([.[] | select(.verdict == "skip")] | length) not tested"' -r "$tree.r"/steps/*/step.json), $(tail -n 1 "$tree.err")"
done
[ "$wrong" -eq 0 ]
