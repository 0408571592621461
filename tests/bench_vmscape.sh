#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the mitigations of VMSCAPE cost a KVM_RUN of one VM-exit: in instructions, of an
# emulated machine whose clock counts them, booted with each one; or in cycles of this
# computer, with the one that it was booted with.
#
#   tests/bench_vmscape.sh [--host]

set -euo pipefail
top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# shellcheck source=kernel/debian.sh
. "$top/kernel/debian.sh"
test=vmscape_cost_test

dir=$(mktemp -d "${TMPDIR:-/tmp}/kvm-witness-XXXXXX")
trap 'rm -rf "$dir"' EXIT

# cost FOLDER: "RUN UNIT CALL MITIGATION" of the run whose results are there
cost()
{
	sed -n 's/^[# ]*cost: \(.*\): \([0-9]*\) \([a-z]*\) a KVM_RUN of one VM-exit, \([0-9]*\) a system call$/\2 \3 \4 \1/p' "$1/$test.log"
}

# run ARGUMENT...: what it costs, or the end of it all
run()
{
	local code=0

	"$top/run_tests.sh" --results "$dir/run" "$@" "$test" >"$dir/ktap" || code=$?
	[ "$code" -eq 0 ] || [ "$code" -eq 4 ] || die 3 "$test fails: $(grep -m1 'not ok' "$dir/ktap" || echo "run_tests.sh $*")"
	cost "$dir/run" | grep . || die 3 "$(sed -n 's/.*# SKIP /no KVM_RUN here: /p' "$dir/ktap" | head -n 1)"
}

if [ "${1:-}" = --host ]; then
	read -r cycles unit call mitigation < <(run) || exit 3
	printf '%-52s %10s %12s\n' "$unit of this computer" KVM_RUN "system call"
	printf '%-52s %10d %12d\n' "$mitigation" "$cycles" "$call"
	echo "for the other mitigations boot with vmscape=off, vmscape=ibpb, vmscape=on"
	exit 0
fi

printf '%-52s %10s %10s %12s\n' "instructions, emulated" KVM_RUN "the flush" "system call"
none=
for choice in off ibpb on; do
	read -r run unit call mitigation < <(run --machine x86-vmx --append "vmscape=$choice") || exit 3
	none=${none:-$run}
	printf '%-52s %10d %10d %12d\n' "$mitigation" "$run" $((run - none)) "$call"
done
