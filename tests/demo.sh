#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The project in one screen: every case on the kernel that is right, on the kernel
# without the behaviour, and on the patch as it was posted.
#
# Exit code: that of the run on the reference kernel.

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"

kernels=(reference base ibpb-posted-deferral)
dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT
code=0
for kernel in "${kernels[@]}"; do
	ret=0
	"$top/run_tests.sh" --variant "$kernel" --results "$dir/$kernel" || ret=$?
	[ "$ret" -le 1 ] || exit "$ret"
	[ "$kernel" != reference ] || code=$ret
done

files=("${kernels[@]/#/$dir/}")
echo
jq -rn --args '
	["case"] + $ARGS.positional, ([inputs] as $runs |
	$runs[0].tests | to_entries[] | .key as $t | .value.name as $test |
	.value.cases | to_entries[] | .key as $c |
	["\($test).\(.value.name)"] + [$runs[] | .tests[$t].cases[$c].verdict]) |
	"\(.[0] + " " * (56 - (.[0] | length)))\(.[1:] | map(. + " " * (22 - length)) | join(""))"
' "${kernels[@]}" < <(cat "${files[@]/%//meta.json}")
exit "$code"
