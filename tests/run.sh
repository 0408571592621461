#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The project's own tests: unit tests (cmocka), then everything else (bats), which
# ends in real boots.  The last line is "N passed, N failed, N skipped", counted from
# the TAP lines that really came.
#
#   tests/run.sh [FILE.bats...]

set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/.." || exit 3

log=$(mktemp)
trap 'rm -f "$log"' EXIT
broken=0

# What tests all stand on: the tests themselves, the unit tests, the kernels.
make -s all units || exit 3
for variant in reference base ibpb-posted-deferral; do
	kernel/build.sh --variant "$variant" >/dev/null || exit 3
done
kernel/build.sh --config module >/dev/null || exit 3
for arch in arm64 riscv; do
	kernel/build.sh --arch "$arch" >/dev/null || exit 3
done

if [ $# -eq 0 ]; then
	for unit in build/*/unit/*; do
		[ -x "$unit" ] || continue
		CMOCKA_MESSAGE_OUTPUT=TAP "$unit" | tee -a "$log" || broken=1
	done
	set -- tests/*.bats
fi
for file in "$@"; do
	echo "# $file"
	bats --formatter tap --print-output-on-failure "$file" | tee -a "$log" || broken=1
done

passed=$(grep -E '^ok ' "$log" | grep -vc '# skip' || :)
skipped=$(grep -E '^ok ' "$log" | grep -c '# skip' || :)
failed=$(grep -cE '^not ok ' "$log" || :)
[ "$failed" -gt 0 ] || [ "$broken" -eq 0 ] || failed=1
grep -E '^not ok |# skip' "$log"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
